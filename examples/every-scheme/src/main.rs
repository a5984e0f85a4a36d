//! Starts the every-scheme example.

use std::path::Path;

use auth_poem::{jwt::JwtAlgorithm, prelude::*, sealing::SealingKeys};
use example_every_scheme::{Secrets, app, settings::Settings};
use example_kit::{BoxError, Database, Process, keys};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let process = Process::start()?;
    let mut settings = Settings::from_env()?;

    // The report needs no state of its own: neither a file nor a key is left behind.
    if process.wants_access_report() {
        settings.seed = false;
        settings.common.redis_url = None;
        let tokens = JwtKeys::generate(JwtAlgorithm::EdDsa)?;
        let secrets = Secrets { tokens, sealing: SealingKeys::generate()? };
        let app = app(&settings, secrets, &Database::in_memory().await?).await?;
        process.print_access_report(app.access_report());
        return Ok(());
    }

    let database = Database::connect(&settings.common.database_url).await?;
    let tokens = keys::load(Path::new("every-scheme.keys.json"))?;
    let sealing = keys::load_sealing(Path::new("every-scheme.sealing.key"))?;
    let app = app(&settings, Secrets { tokens, sealing }, &database).await?;
    process.serve(settings.common.address, "/api", app.routes()).await?;
    Ok(())
}
