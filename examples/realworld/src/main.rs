//! Starts the RealWorld example.

use std::path::Path;

use auth_poem::{jwt::JwtAlgorithm, prelude::*};
use example_kit::{BoxError, Common, Database, Process, keys};
use example_realworld::app;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let process = Process::start()?;
    let settings = Common::from_env("realworld")?;

    // The report needs no state of its own: neither a file nor a key is left behind.
    if process.wants_access_report() {
        let keys = JwtKeys::generate(JwtAlgorithm::EdDsa)?;
        let app = app(keys, &Database::in_memory().await?).await?;
        process.print_access_report(&app.api.access_report());
        return Ok(());
    }

    let database = Database::connect(&settings.database_url).await?;
    let keys = keys::load(Path::new("realworld.keys.json"))?;
    let app = app(keys, &database).await?;
    process.serve(settings.address, "/api", app.routes()).await?;
    Ok(())
}
