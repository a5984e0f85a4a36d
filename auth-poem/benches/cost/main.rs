//! What authentication costs: instructions and allocations per request, counted by valgrind.
//!
//! ```text
//! cargo bench -p auth-poem --bench cost                # measure, and compare with cost.md
//! cargo bench -p auth-poem --bench cost -- --check     # the same, and fail beyond 110 %
//! cargo bench -p auth-poem --bench cost -- --record    # write what is measured into cost.md
//! cargo bench -p auth-poem --bench cost -- --throughput    # SQLite, by the clock, without valgrind
//! ```
//!
//! The program starts itself a second time under callgrind. That second process serves each case
//! in turn, first an operation without authentication and then the same operation with it, and
//! marks the moments between; callgrind counts up to each mark. Counts hardly depend on the
//! machine, and not at all on what else it does.

#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, clippy::missing_panics_doc)]

mod app;
mod callgrind;
mod cases;
mod figures;
mod ways;

use std::process::ExitCode;

use auth_poem::jwt::{JwtAlgorithm, JwtKeys};

/// What the second process is called with, and where it finds its RSA key: to make one takes
/// valgrind a minute.
const MEASURE: &str = "--measure";
const RSA: &str = "COST_RSA_KEYS";

fn main() -> ExitCode {
    let asked = |flag: &str| std::env::args().any(|argument| argument == flag);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if asked("--throughput") {
        let throughput = runtime.block_on(cases::sqlite_throughput());
        println!("session, SQLite: {throughput:.2} of the requests per second of its two SELECTs");
        return ExitCode::SUCCESS;
    }
    if asked(MEASURE) {
        runtime.block_on(cases::serve_all(&std::env::var(RSA).unwrap()));
        return ExitCode::SUCCESS;
    }
    let rsa = JwtKeys::generate(JwtAlgorithm::Rs256).unwrap().dangerous_private_jwks().unwrap();
    let counts = match callgrind::count(MEASURE, RSA, &rsa) {
        Ok(counts) => counts,
        Err(error) => {
            println!("not measured: {error}");
            return ExitCode::FAILURE;
        }
    };
    let measured = figures::of(&counts);
    println!("{}", figures::table(&measured));
    if asked("--record") {
        figures::record(&measured);
        return ExitCode::SUCCESS;
    }
    let beyond = figures::beyond_budget(&measured);
    for case in &beyond {
        println!("{case}");
    }
    if asked("--check") && !beyond.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
