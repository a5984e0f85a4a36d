//! Starts the accounts example.
#![allow(clippy::print_stdout, reason = "a program that a person starts says where it is")]

use std::{error::Error, path::Path, time::Duration};

use auth_poem::{prelude::*, sql::open_sqlite};
use example_accounts::{app, create_administrator, keys, settings::Settings};
use poem::{Server, listener::TcpListener};

/// How long running requests may take to finish when the process is asked to stop.
const GRACE: Duration = Duration::from_secs(8);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    tracing_subscriber::fmt().with_env_filter(filter()).with_writer(std::io::stderr).init();
    let settings = Settings::from_env()?;
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

    let address = settings.address;
    println!("API       http://{address}/api");
    println!("document  http://{address}/openapi.json");
    println!("browser   http://{address}/docs");
    Server::new(TcpListener::bind(address))
        .run_with_graceful_shutdown(app.routes(), stopped(), Some(GRACE))
        .await?;
    Ok(())
}

/// `RUST_LOG`, or what an operator wants to see.
fn filter() -> tracing_subscriber::EnvFilter {
    tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"))
}

/// Waits for Ctrl-C or SIGTERM.
async fn stopped() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = interrupt => {}
                    _ = terminate.recv() => {}
                }
                return;
            }
            Err(error) => tracing::warn!(%error, "SIGTERM will not be noticed"),
        }
    }
    if let Err(error) = interrupt.await {
        tracing::warn!(%error, "Ctrl-C will not be noticed");
        std::future::pending::<()>().await;
    }
}
