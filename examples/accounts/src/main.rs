//! Starts the accounts example.
#![allow(clippy::print_stdout, reason = "a program that a person starts says where it is")]

use std::{error::Error, path::Path, time::Duration};

use auth_poem::{prelude::*, sql::open_sqlite};
use example_accounts::{app, create_administrator, keys, settings::Settings};
use poem::{
    Server,
    listener::{Acceptor, Listener, TcpListener},
};

/// How long running requests may take to finish when the process is asked to stop.
const GRACE: Duration = Duration::from_secs(8);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    tracing_subscriber::fmt().with_env_filter(filter()).with_writer(std::io::stderr).init();
    let settings = Settings::from_env()?;
    let stopped = stop_signal()?;
    let report = std::env::args().any(|argument| argument == "--access");

    // The report needs no state of its own: neither a file nor a key is left behind.
    let database = if report { "sqlite::memory:" } else { &settings.database_url };
    let pool = open_sqlite(database).await?;
    let keys = if report {
        JwtKeys::generate(auth_poem::jwt::JwtAlgorithm::EdDsa)?
    } else {
        keys::load(Path::new("accounts.keys.json"))?
    };
    let app = app(&settings, keys, pool.clone()).await?;
    if report {
        print!("{}", app.api.access_report());
        return Ok(());
    }
    if let Some(admin) = &settings.admin {
        create_administrator(&pool, admin).await?;
    }

    // Said only when it is so: with `PORT=0` the system chooses, and what is printed answers.
    let listener = TcpListener::bind(settings.address).into_acceptor().await?;
    let bound = listener.local_addr();
    let address =
        bound.first().and_then(|bound| bound.as_socket_addr()).unwrap_or(&settings.address);
    println!("API       http://{address}/api");
    println!("document  http://{address}/openapi.json");
    println!("browser   http://{address}/docs");
    Server::new_with_acceptor(listener)
        .run_with_graceful_shutdown(app.routes(), stopped, Some(GRACE))
        .await?;
    Ok(())
}

/// `RUST_LOG`, or what an operator wants to see.
fn filter() -> tracing_subscriber::EnvFilter {
    tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"))
}

/// Listens for Ctrl-C and SIGTERM from now on, so that one that comes before the server runs stops
/// it too; the future ends with the first of them.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ends with the first Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(%error, "Ctrl-C will not be noticed");
            std::future::pending::<()>().await;
        }
    })
}
