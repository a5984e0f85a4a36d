//! The stores on database servers: what every store must do, and what becomes of requests while a
//! server is away.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod access_keys;
mod api_keys;
mod cached;
mod faults;
mod file;
mod migrations;
mod mysql;
mod redis;
mod redis_faults;
mod retention;
mod round_trips;
mod sessions;
mod tokens;
mod users;

use std::sync::Arc;

use auth_core::sql::{postgres_options, postgres_pool_options};
use sqlx::PgPool;

/// A pool on an empty PostgreSQL database, which is removed with the pool.
async fn postgres() -> Option<PgPool> {
    let database = Arc::new(auth_test_servers::postgres()?);
    let options = postgres_options(database.url()).unwrap();
    let pool = postgres_pool_options().after_connect(move |_, _| {
        let _keep = Arc::clone(&database);
        Box::pin(async { Ok(()) })
    });
    Some(pool.connect_with(options).await.unwrap())
}
