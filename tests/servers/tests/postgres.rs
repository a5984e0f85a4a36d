//! What tests may rely on.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{
    io::{Write, stdout},
    mem::ManuallyDrop,
    net::TcpStream,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use auth_test_servers::{Database, postgres, postgres_server};
use sqlx::{Connection, PgConnection};

async fn tables(database: &Database) -> i64 {
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    sqlx::query_scalar(tables).fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn each_call_gives_an_empty_database() {
    let (Some(one), Some(two)) = (postgres(), postgres()) else { return };
    let mut connection = PgConnection::connect(one.url()).await.unwrap();
    sqlx::query("CREATE TABLE t (a INTEGER)").execute(&mut connection).await.unwrap();
    assert_eq!(tables(&one).await, 1);
    assert_eq!(tables(&two).await, 0);
}

#[tokio::test]
async fn a_database_goes_with_its_handle_although_somebody_is_connected() {
    let Some(database) = postgres() else { return };
    let url = database.url().to_owned();
    let _connected = PgConnection::connect(&url).await.unwrap();
    drop(database);
    let error = PgConnection::connect(&url).await.unwrap_err();
    assert!(error.to_string().contains("does not exist"), "{error}");
}

#[tokio::test]
async fn a_stopped_server_keeps_its_data() {
    let Some(mut server) = postgres_server() else { return };
    let database = server.database();
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    sqlx::query("CREATE TABLE t (a INTEGER)").execute(&mut connection).await.unwrap();
    server.stop();
    PgConnection::connect(database.url()).await.unwrap_err();
    server.start();
    assert_eq!(tables(&database).await, 1);
}

#[test]
fn a_private_server_ends_with_a_process_that_is_killed() {
    const NAME: &str = "a_private_server_ends_with_a_process_that_is_killed";
    if std::env::var_os(NAME).is_some() {
        let server = postgres_server();
        writeln!(stdout(), "{:?}", server.map(ManuallyDrop::new)).unwrap();
        std::process::abort();
    }
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args([NAME, "--exact", "--nocapture"]).env(NAME, "1");
    let said = String::from_utf8(again.output().unwrap().stdout).unwrap();
    let Some((_, port)) = said.split_once("port: ") else {
        assert!(said.contains("None"), "{said}");
        return;
    };
    let port: u16 = port.split(',').next().unwrap().parse().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(("127.0.0.1", port)).is_ok() {
        assert!(Instant::now() < deadline, "the server still runs");
        sleep(Duration::from_millis(20));
    }
}
