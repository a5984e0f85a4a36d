//! Starts the ALX example, or one of its two probes.
#![allow(clippy::print_stdout, reason = "a program that a person starts says what it has made")]

use auth_poem::{clock::SystemClock, prelude::Duration};
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
            let _purge = app.auth.purge_every(Duration::minutes(1));
            process.serve(settings.address, "/api/v1", app.routes()).await?;
        }
    }
    Ok(())
}
