//! What must not compile, and what the author then reads.
//!
//! `fail` holds messages of our own, `fail_rustc` those that rustc words. The latter are compared
//! only with the compiler that wrote them, [`WORDED_BY`]; after a change of it they may need
//! `TRYBUILD=overwrite`.

const MACROS: [&str; 6] =
    ["auth_user", "auth_role", "session_schema", "auth_api", "handler", "stray"];

/// The compiler whose words stand in `fail_rustc`.
const WORDED_BY: &str = "rustc 1.95.";

#[test]
fn mistakes_are_explained() {
    let cases = trybuild::TestCases::new();
    let kinds: &[&str] = if is_worded_by_this_compiler() {
        &["fail", "fail_rustc"]
    } else {
        eprintln!("skipped: fail_rustc holds the words of {WORDED_BY}");
        &["fail"]
    };
    for name in MACROS {
        for kind in kinds {
            if std::path::Path::new(&format!("ui/{name}/{kind}")).is_dir() {
                cases.compile_fail(format!("ui/{name}/{kind}/*.rs"));
            }
        }
        if std::path::Path::new(&format!("ui/{name}/pass")).is_dir() {
            cases.pass(format!("ui/{name}/pass/*.rs"));
        }
    }
}

fn is_worded_by_this_compiler() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version =
        std::process::Command::new(rustc).arg("--version").output().expect("rustc answers");
    String::from_utf8_lossy(&version.stdout).starts_with(WORDED_BY)
}
