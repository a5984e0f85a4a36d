//! Starts the facade.

use example_facade::{App, seed, services::Services, settings::Settings};
use example_kit::{BoxError, Database, Process};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let process = Process::start()?;
    let mut settings = Settings::from_env()?;

    // The report needs no state of its own: no file is left behind.
    if process.wants_access_report() {
        settings.common.redis_url = None;
        let database = Database::in_memory().await?;
        let app = App::new(&settings, &database, Services::on(&database).await?).await?;
        process.print_access_report(&app.api.access_report());
        return Ok(());
    }

    let database = Database::connect(&settings.common.database_url).await?;
    let services = Services::on(&database).await?;
    let app = App::new(&settings, &database, services.clone()).await?;
    if settings.seed {
        seed::plant(&services, &app.auth, settings.rules).await?;
    }
    let _purge = app.auth.purge_every(settings.cleanup_interval);
    let address = settings.common.address;
    process.serve(address, example_facade::BASE, app.routes(&settings)).await?;
    Ok(())
}
