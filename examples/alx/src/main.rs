//! Starts the ALX example, or one of its two probes.
#![allow(clippy::print_stdout, reason = "a program that a person starts says what it has made")]

use std::{sync::Arc, time::Duration};

use auth_poem::{
    clock::{Clock, SystemClock},
    store::SessionStore,
};
use example_alx::{app, probe, settings::Settings};
use example_kit::{BoxError, Database, Process};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let process = Process::start()?;
    let settings = Settings::from_env()?;
    if process.wants_access_report() {
        let app = app(&settings, Database::in_memory().await?, SystemClock).await?;
        process.print_access_report(&app.api.access_report());
        return Ok(());
    }
    match process.argument("--probe").as_deref() {
        Some("cookie") => {
            let routes = probe::cookie(&settings);
            process.serve_at(settings.address, &[("probe", "/")], routes).await?;
        }
        Some("user") => {
            let database = Database::connect(&settings.database_url).await?;
            let (routes, sentence) = probe::user(&settings, database).await?;
            println!("{sentence}");
            process.serve_at(settings.address, &[("probe", "/")], routes).await?;
        }
        Some(other) => return Err(format!("--probe {other}: say `cookie` or `user`").into()),
        None => {
            let database = Database::connect(&settings.database_url).await?;
            let app = app(&settings, database, SystemClock).await?;
            if let Some(sessions) = app.auth.session_store() {
                tokio::spawn(purge(sessions.clone()));
            }
            process.serve(settings.address, "/api/v1", app.routes()).await?;
        }
    }
    Ok(())
}

/// Removes expired sessions now and then; they are dead without it but take up room.
async fn purge(sessions: Arc<dyn SessionStore>) {
    let mut timer = tokio::time::interval(Duration::from_secs(60));
    loop {
        timer.tick().await;
        match sessions.purge_expired(SystemClock.now()).await {
            Ok(0) => {}
            Ok(number) => tracing::info!(number, "removed expired sessions"),
            Err(error) => tracing::warn!(%error, "expired sessions could not be removed"),
        }
    }
}
