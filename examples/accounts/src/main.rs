//! Starts the accounts example.

use std::path::Path;

use auth_poem::{jwt::JwtAlgorithm, prelude::*, sql::SqlPool};
use example_accounts::{app, settings::Settings};
use example_kit::{BoxError, Process, keys};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let process = Process::start()?;
    let mut settings = Settings::from_env()?;

    // The report needs no state of its own: neither a file nor a key is left behind.
    if process.wants_access_report() {
        settings.common.redis_url = None;
        let keys = JwtKeys::generate(JwtAlgorithm::EdDsa)?;
        let app = app(&settings, keys, SqlPool::connect("sqlite::memory:").await?).await?;
        process.print_access_report(&app.api.access_report());
        return Ok(());
    }

    let pool = SqlPool::connect(&settings.common.database_url).await?;
    let keys = keys::load(Path::new("accounts.keys.json"))?;
    let app = app(&settings, keys, pool).await?;
    if let Some(admin) = &settings.admin {
        app.create_administrator(admin).await?;
    }
    let _purge = app.auth.purge_every(Duration::minutes(15));
    process.serve(settings.common.address, "/api", app.routes()).await?;
    Ok(())
}
