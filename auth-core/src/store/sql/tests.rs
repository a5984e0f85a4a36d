use std::time::Duration;

use chrono::TimeDelta;
use sqlx::{AssertSqlSafe, SqlitePool, sqlite::SqlitePoolOptions};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::*;
use crate::{
    secret::{SecurityStamp, SessionToken},
    session::record::SessionLogin,
    sql::{open_sqlite, sqlite_options},
};

/// A pool on a file that is removed with the pool.
async fn pool() -> SqlitePool {
    let dir = tempfile::tempdir().unwrap();
    let options = sqlite_options(dir.path().join("sessions.db").to_str().unwrap()).unwrap();
    let dir = Arc::new(dir);
    SqlitePoolOptions::new()
        .max_connections(4)
        .after_connect(move |_, _| {
            let _keep = Arc::clone(&dir);
            Box::pin(async { Ok(()) })
        })
        .connect_with(options)
        .await
        .unwrap()
}

async fn sessions() -> SqlSessions {
    let sessions = SqlSessions::new(pool().await);
    sessions.migrate().await.unwrap();
    sessions
}

#[cfg(feature = "testing")]
mod conformance {
    use super::*;

    async fn store() -> Arc<dyn SessionStore> {
        let mut sessions = SqlSessions::new(pool().await);
        for (name, kind) in crate::store::conformance::COLUMNS {
            sessions = sessions.column(name, kind).unwrap();
        }
        sessions.migrate().await.unwrap();
        Arc::new(sessions)
    }

    crate::session_store_conformance!(sql_sessions_on_sqlite, store);
}

fn key() -> SessionKey {
    SessionToken::generate().unwrap().key()
}

fn record(at: DateTime<Utc>) -> SessionRecord {
    SessionRecord {
        handle: Uuid::new_v4(),
        login: Some(SessionLogin {
            user: UserKey::from("users:1".to_owned()),
            stamp: SecurityStamp::of_epoch(0),
            at,
        }),
        data: Default::default(),
        created_at: at,
        last_active_at: at,
        idle_timeout: TimeDelta::minutes(30),
        expires_at: at + TimeDelta::hours(12),
        persistent: false,
        ip: None,
        user_agent: None,
        columns: Default::default(),
        version: 1,
    }
}

/// What a database says of its session tables.
async fn described(pool: &SqlitePool) -> Vec<(String, String, Option<String>)> {
    sqlx::query_as(
        "SELECT type, name, sql FROM sqlite_schema \
         WHERE tbl_name NOT LIKE 'auth_migrations' ORDER BY type, name",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn the_schema_as_text_is_what_migrate_makes() {
    let (migrated, by_hand) = (pool().await, pool().await);
    let store = |pool: &SqlitePool| SqlSessions::new(pool.clone()).table("shop_sessions").unwrap();
    store(&migrated).migrate().await.unwrap();
    for statement in store(&by_hand).schema() {
        sqlx::query(AssertSqlSafe(statement)).execute(&by_hand).await.unwrap();
    }
    let tables = described(&migrated).await;
    assert!(tables.iter().any(|(kind, name, _)| kind == "table" && name == "shop_sessions"));
    assert_eq!(tables.iter().filter(|(kind, ..)| kind == "index").count(), 4, "{tables:?}");
    assert_eq!(described(&by_hand).await, tables);

    store(&by_hand).migrate().await.expect("a table made by hand is taken as it is");
    assert_eq!(described(&by_hand).await, tables);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_processes_can_migrate_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sessions.db").to_str().unwrap().to_owned();
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let path = path.clone();
        tasks.spawn(async move {
            let sessions = SqlSessions::new(open_sqlite(&path).await.unwrap());
            sessions.migrate().await.unwrap();
            sessions.create(&key(), Arc::new(record(Utc::now())), None).await.unwrap()
        });
    }
    assert_eq!(tasks.join_all().await, [Create::Done; 8]);
}

#[tokio::test]
async fn two_tables_are_two_stores() {
    let pool = pool().await;
    let one = SqlSessions::new(pool.clone());
    let two = SqlSessions::new(pool).table("order").expect("a keyword is a name like any other");
    one.migrate().await.unwrap();
    two.migrate().await.unwrap();
    let (key, now) = (key(), Utc::now());
    assert_eq!(one.create(&key, Arc::new(record(now)), None).await.unwrap(), Create::Done);
    assert!(two.load(&key, now).await.unwrap().is_none());
    assert!(one.load(&key, now).await.unwrap().is_some());
}

#[tokio::test]
async fn a_bad_table_name_is_refused() {
    let refused = sessions().await.table("x\"; DROP TABLE auth_sessions; --").unwrap_err();
    assert!(matches!(refused, Error::Misconfigured(_)), "{refused}");
}

#[tokio::test]
async fn another_process_sees_what_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sessions.db").to_str().unwrap().to_owned();
    let (key, now) = (key(), Utc::now());
    let pool = open_sqlite(&path).await.unwrap();
    let sessions = SqlSessions::new(pool.clone());
    sessions.migrate().await.unwrap();
    assert_eq!(sessions.create(&key, Arc::new(record(now)), None).await.unwrap(), Create::Done);
    // As after a `kill -9`: the first pool was never closed.
    let again = SqlSessions::new(open_sqlite(&path).await.unwrap());
    assert!(again.load(&key, now).await.unwrap().is_some());
    pool.close().await;
}

#[tokio::test]
async fn every_method_reports_a_database_that_does_not_answer() {
    let pool = pool().await;
    let sessions = SqlSessions::new(pool.clone());
    sessions.migrate().await.unwrap();
    pool.close().await;
    let (key, now) = (key(), Utc::now());
    let user = UserKey::from("users:1".to_owned());
    let fault = |error: Error| matches!(error, Error::Store { store: "session", .. });
    assert!(fault(sessions.create(&key, Arc::new(record(now)), None).await.unwrap_err()));
    assert!(fault(sessions.load(&key, now).await.unwrap_err()));
    assert!(fault(sessions.update(&key, Arc::new(record(now)), now).await.unwrap_err()));
    assert!(fault(sessions.touch(&key, now).await.unwrap_err()));
    assert!(fault(sessions.delete(&key, now).await.unwrap_err()));
    assert!(fault(sessions.list_by_user(&user, now).await.unwrap_err()));
    assert!(fault(sessions.delete_by_user(&user, None, now).await.unwrap_err()));
    assert!(fault(sessions.purge_expired(now).await.unwrap_err()));
    assert!(fault(sessions.migrate().await.unwrap_err()));
}

#[tokio::test]
async fn a_stuck_writer_is_a_fault_in_bounded_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sessions.db").to_str().unwrap().to_owned();
    let options = sqlite_options(&path).unwrap().busy_timeout(Duration::from_millis(50));
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let sessions = SqlSessions::new(pool.clone());
    sessions.migrate().await.unwrap();
    let (key, now) = (key(), Utc::now());
    assert_eq!(sessions.create(&key, Arc::new(record(now)), None).await.unwrap(), Create::Done);

    let stuck = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let fault = sessions.touch(&key, now).await.unwrap_err();
    assert!(matches!(fault, Error::Store { .. }), "{fault}");
    assert!(sessions.load(&key, now).await.unwrap().is_some(), "readers do not wait");
    drop(stuck);
    assert!(sessions.touch(&key, now).await.unwrap());
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_a_fault_and_no_missing_session() {
    let pool = pool().await;
    let sessions = SqlSessions::new(pool.clone());
    sessions.migrate().await.unwrap();
    let now = Utc::now();
    for damage in [
        "stamp = NULL",
        "user_key = NULL",
        "login_at = NULL",
        "stamp = x'00'",
        "data = '{'",
        "data = '[]'",
        "ip = 'here'",
        "version = -1",
        "created_at = 9223372036854775807",
    ] {
        let key = key();
        sessions.create(&key, Arc::new(record(now)), None).await.unwrap();
        sqlx::query(AssertSqlSafe(format!("UPDATE auth_sessions SET {damage}")))
            .execute(&pool)
            .await
            .unwrap();
        let answer = sessions.load(&key, now).await;
        assert!(matches!(answer, Err(Error::Store { .. })), "{damage}: {answer:?}");
        sessions.delete(&key, now).await.expect("what cannot be read can be ended");
    }
}

#[tokio::test]
async fn purges_more_than_one_statement_takes() {
    let sessions = sessions().await;
    let now = Utc::now();
    let count = 2 * PURGE_AT_ONCE + 1;
    for _ in 0..count {
        sessions.create(&key(), Arc::new(record(now)), None).await.unwrap();
    }
    let end = now + TimeDelta::minutes(30);
    assert_eq!(sessions.purge_expired(end).await.unwrap(), count);
}

#[tokio::test]
async fn each_query_finds_its_rows_by_an_index() {
    let pool = pool().await;
    let sessions = SqlSessions::new(pool.clone());
    sessions.migrate().await.unwrap();
    let sql = &sessions.sql;
    for statement in [
        &sql.load,
        &sql.update,
        &sql.version,
        &sql.touch,
        &sql.delete,
        &sql.list_by_user,
        &sql.delete_dead_by_user,
        &sql.delete_live_by_user,
        &sql.purge,
        &sql.beyond,
        &sql.note_expiry,
        &sql.ended,
        &sql.purge_ended,
    ] {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", statement.as_str()));
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(explain).fetch_all(&pool).await.unwrap();
        assert!(
            !plan.iter().any(|(.., step)| step.starts_with("SCAN")),
            "{}: {plan:?}",
            statement.as_str()
        );
    }
}

#[tokio::test]
async fn shows_the_table_and_no_connection_in_debug() {
    assert_eq!(format!("{:?}", sessions().await), "SqlSessions { table: \"auth_sessions\", .. }");
}
