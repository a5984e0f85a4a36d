//! Database servers for tests: each call gives an empty database that no other test sees.
//!
//! Where the server comes from:
//!
//! 1. A variable names one: `POSTGRES_URL` and `MYSQL_URL`, on which databases may be made, and
//!    `REDIS_URL`.
//! 2. A private one is started from the programs on this machine, once for each test process and on
//!    a free port. It ends with the process, however that ends, and leaves nothing.
//! 3. Neither: `skipped: no postgres` is printed and the call gives `None`. With
//!    `AUTH_TEST_SERVERS=required` it panics, so that nothing is skipped where all must run.
//!
//! The functions block and may be called inside and outside of a runtime.
//!
//! ```no_run
//! let Some(database) = auth_test_servers::postgres() else { return };
//! println!("{}", database.url());
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "without its server a test has failed"
)]

mod database;
mod mysql;
mod postgres;
mod process;
mod proxy;
mod redis;

use std::{
    env,
    future::Future,
    io::{self, Write},
    thread,
};

pub use self::{
    database::Database,
    mysql::{MySqlServer, mysql, mysql_server},
    postgres::{PostgresServer, postgres, postgres_server},
    proxy::Proxy,
    redis::{
        AUTHORITY, Keyspace, OTHER_AUTHORITY, RedisCluster, RedisServer, private_redis_cluster,
        redis, redis_cluster, redis_server, redis_tls_server,
    },
};

/// What a test is told where there is no such server.
fn missing<T>(server: &str, remedy: &str) -> Option<T> {
    let required = env::var("AUTH_TEST_SERVERS").is_ok_and(|value| value == "required");
    assert!(!required, "AUTH_TEST_SERVERS=required, and there is no {server}: {remedy}");
    // Not by `eprintln!`, which is only seen of tests that fail.
    let _ = writeln!(io::stderr(), "skipped: no {server}");
    None
}

/// Runs a future to its end on a thread of its own, because the caller's may be a runtime's.
fn block_on<T: Send>(future: impl Future<Output = T> + Send) -> T {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(future)
    };
    thread::scope(|scope| scope.spawn(run).join()).unwrap_or_else(|panic| {
        std::panic::resume_unwind(panic);
    })
}
