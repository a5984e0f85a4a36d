//! Starts the every-scheme example.

use std::path::Path;

use auth_poem::{jwt::JwtAlgorithm, prelude::*};
use example_every_scheme::{app, settings::Settings};
use example_kit::{BoxError, Database, Process, keys};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let process = Process::start()?;
    let mut settings = Settings::from_env()?;

    // The report needs no state of its own: neither a file nor a key is left behind.
    if process.wants_access_report() {
        settings.seed = false;
        settings.common.redis_url = None;
        let keys = JwtKeys::generate(JwtAlgorithm::EdDsa)?;
        let app = app(&settings, keys, &Database::in_memory().await?).await?;
        process.print_access_report(app.access_report());
        return Ok(());
    }

    let database = Database::connect(&settings.common.database_url).await?;
    let keys = keys::load(Path::new("every-scheme.keys.json"))?;
    let app = app(&settings, keys, &database).await?;
    process.serve(settings.common.address, "/api", app.routes()).await?;
    Ok(())
}
