//! The stores on MySQL and MariaDB.

mod migrations;
mod sessions;
mod tokens;
mod users;

use std::sync::Arc;

use auth_core::sql::{mysql_options, mysql_pool_options};
use sqlx::{AssertSqlSafe, MySqlPool};

/// A pool on an empty database, which is removed with the pool.
pub(crate) async fn mysql() -> Option<MySqlPool> {
    let database = Arc::new(auth_test_servers::mysql()?);
    let options = mysql_options(database.url()).unwrap();
    let pool = mysql_pool_options().after_release(move |_, _| {
        let _keep = Arc::clone(&database);
        Box::pin(async { Ok(true) })
    });
    Some(pool.connect_with(options).await.unwrap())
}

async fn run(pool: &MySqlPool, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(pool).await.unwrap();
}
