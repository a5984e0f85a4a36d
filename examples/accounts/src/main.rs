//! Starts the accounts example.

use std::path::Path;

use auth_poem::{jwt::JwtAlgorithm, prelude::*, sql::open_sqlite};
use example_accounts::{app, create_administrator, settings::Settings};
use example_kit::{BoxError, Process, keys};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let process = Process::start()?;
    let mut settings = Settings::from_env()?;

    // The report needs no state of its own: neither a file nor a key is left behind.
    if process.wants_access_report() {
        settings.common.redis_url = None;
        let keys = JwtKeys::generate(JwtAlgorithm::EdDsa)?;
        let app = app(&settings, keys, open_sqlite("sqlite::memory:").await?).await?;
        process.print_access_report(&app.api.access_report());
        return Ok(());
    }

    let pool = open_sqlite(&settings.common.database_url).await?;
    let keys = keys::load(Path::new("accounts.keys.json"))?;
    let app = app(&settings, keys, pool.clone()).await?;
    if let Some(admin) = &settings.admin {
        create_administrator(&pool, admin).await?;
    }
    process.serve(settings.common.address, "/api", app.routes()).await?;
    Ok(())
}
