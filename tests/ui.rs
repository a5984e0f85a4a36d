//! What must not compile, and what the author then reads.
//!
//! `fail` holds messages of our own, `fail_rustc` those that rustc words: after a change of the
//! toolchain the latter may need `TRYBUILD=overwrite`.

const MACROS: [&str; 6] =
    ["auth_user", "auth_role", "session_schema", "auth_api", "handler", "stray"];

#[test]
fn mistakes_are_explained() {
    let cases = trybuild::TestCases::new();
    for name in MACROS {
        for kind in ["fail", "fail_rustc"] {
            if std::path::Path::new(&format!("ui/{name}/{kind}")).is_dir() {
                cases.compile_fail(format!("ui/{name}/{kind}/*.rs"));
            }
        }
        if std::path::Path::new(&format!("ui/{name}/pass")).is_dir() {
            cases.pass(format!("ui/{name}/pass/*.rs"));
        }
    }
}
