//! What tests may rely on.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use auth_test_servers::{Database, mysql, mysql_server};
use sqlx::{Connection, MySqlConnection};

async fn tables(database: &Database) -> i64 {
    let mut connection = MySqlConnection::connect(database.url()).await.unwrap();
    let tables = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()";
    sqlx::query_scalar(tables).fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn each_call_gives_an_empty_database() {
    let (Some(one), Some(two)) = (mysql(), mysql()) else { return };
    let mut connection = MySqlConnection::connect(one.url()).await.unwrap();
    sqlx::query("CREATE TABLE t (a INTEGER)").execute(&mut connection).await.unwrap();
    assert_eq!(tables(&one).await, 1);
    assert_eq!(tables(&two).await, 0);
}

#[tokio::test]
async fn a_database_goes_with_its_handle_although_somebody_is_connected() {
    let Some(database) = mysql() else { return };
    let url = database.url().to_owned();
    let _connected = MySqlConnection::connect(&url).await.unwrap();
    drop(database);
    let error = MySqlConnection::connect(&url).await.unwrap_err();
    assert!(error.to_string().contains("Unknown database"), "{error}");
}

#[tokio::test]
async fn a_stopped_server_keeps_its_data() {
    let Some(mut server) = mysql_server() else { return };
    let database = server.database();
    let mut connection = MySqlConnection::connect(database.url()).await.unwrap();
    sqlx::query("CREATE TABLE t (a INTEGER)").execute(&mut connection).await.unwrap();
    server.stop();
    MySqlConnection::connect(database.url()).await.unwrap_err();
    server.start();
    assert_eq!(tables(&database).await, 1);
}
