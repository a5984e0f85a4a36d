//! Sessions in PostgreSQL.

use std::{sync::Arc, time::Duration};

use auth_core::{
    error::Error,
    secret::{SecurityStamp, SessionKey, SessionToken},
    session::record::{SessionLogin, SessionRecord},
    sql::{open_postgres, postgres_options, postgres_pool_options},
    store::{Create, SessionStore, SqlSessions, conformance},
    user::UserKey,
};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::time::Instant;
use uuid::Uuid;

async fn store() -> Option<Arc<dyn SessionStore>> {
    let mut sessions = SqlSessions::new(crate::postgres().await?);
    for (name, kind) in conformance::COLUMNS {
        sessions = sessions.column(name, kind).unwrap();
    }
    sessions.migrate().await.unwrap();
    Some(Arc::new(sessions))
}

auth_core::session_store_conformance!(conforms_on_postgres, store);

async fn sessions(pool: &PgPool) -> SqlSessions {
    let sessions = SqlSessions::new(pool.clone());
    sessions.migrate().await.unwrap();
    sessions
}

pub(crate) fn key() -> SessionKey {
    SessionToken::generate().unwrap().key()
}

pub(crate) fn user(id: usize) -> UserKey {
    UserKey::from(format!("users:{id}"))
}

pub(crate) fn record(id: usize, at: DateTime<Utc>) -> Arc<SessionRecord> {
    Arc::new(SessionRecord {
        handle: Uuid::new_v4(),
        login: Some(SessionLogin { user: user(id), stamp: SecurityStamp::of_epoch(0), at }),
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
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stricter_isolation_of_the_database_makes_no_faults() {
    let Some(database) = auth_test_servers::postgres() else { return };
    let pool = open_postgres(database.url()).await.unwrap();
    sqlx::raw_sql(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = \
         serializable', current_database()); END $$",
    )
    .execute(&pool)
    .await
    .unwrap();
    pool.close().await;
    let store = sessions(&open_postgres(database.url()).await.unwrap()).await;
    conformance::no_update_is_lost(Arc::new(store.clone())).await;
    conformance::no_update_revives_a_deleted_session(Arc::new(store)).await;
}

#[tokio::test]
async fn one_process_sees_what_another_was_told_is_stored() {
    let Some(database) = auth_test_servers::postgres() else { return };
    let one = sessions(&open_postgres(database.url()).await.unwrap()).await;
    let other = sessions(&open_postgres(database.url()).await.unwrap()).await;
    let (key, now) = (key(), Utc::now());
    assert_eq!(one.create(&key, record(1, now), None).await.unwrap(), Create::Done);
    assert!(other.load(&key, now).await.unwrap().is_some());
    assert!(other.delete(&key, now).await.unwrap());
    assert!(one.load(&key, now).await.unwrap().is_none());
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_a_fault_and_no_missing_session() {
    let Some(pool) = crate::postgres().await else { return };
    let sessions = sessions(&pool).await;
    let now = Utc::now();
    for damage in [
        "stamp = NULL",
        "user_key = NULL",
        "login_at = NULL",
        r"stamp = '\x00'",
        "data = '[]'",
        "ip = '10.0.0.0/8'",
        "version = -1",
        "created_at = 'infinity'",
        "login_at = '-infinity'",
        "created_at = '290000-01-01'",
    ] {
        let key = key();
        sessions.create(&key, record(1, now), None).await.unwrap();
        let damage = format!("UPDATE auth_sessions SET {damage}");
        sqlx::query(AssertSqlSafe(damage.as_str())).execute(&pool).await.unwrap();
        let answer = sessions.load(&key, now).await;
        assert!(matches!(answer, Err(Error::Store { .. })), "{damage}: {answer:?}");
        sessions.delete(&key, now).await.expect("what cannot be read can be ended");
    }
}

#[tokio::test]
async fn a_purge_does_not_wait_for_rows_that_somebody_is_at() {
    let Some(pool) = crate::postgres().await else { return };
    let sessions = sessions(&pool).await;
    let now = Utc::now();
    let end = now + TimeDelta::minutes(30);
    for _ in 0..3 {
        sessions.create(&key(), record(1, now), None).await.unwrap();
    }
    // Two statements that each wait for a row of the other's would both fail.
    let mut other = pool.begin().await.unwrap();
    let one = "SELECT 1 FROM auth_sessions LIMIT 1 FOR UPDATE";
    sqlx::query(one).execute(&mut *other).await.unwrap();
    assert_eq!(sessions.purge_expired(end).await.unwrap(), 2);
    other.rollback().await.unwrap();
    assert_eq!(sessions.purge_expired(end).await.unwrap(), 1);
}

#[tokio::test]
async fn a_row_that_stays_locked_is_a_fault_in_bounded_time() {
    let Some(database) = auth_test_servers::postgres() else { return };
    let limit = Duration::from_millis(300);
    let options = postgres_options(database.url()).unwrap();
    let pool = postgres_pool_options().acquire_timeout(limit).connect_with(options).await.unwrap();
    let sessions = sessions(&pool).await;
    let (key, now) = (key(), Utc::now());
    assert_eq!(sessions.create(&key, record(1, now), None).await.unwrap(), Create::Done);

    let mut stuck = pool.begin().await.unwrap();
    sqlx::query("SELECT 1 FROM auth_sessions FOR UPDATE").execute(&mut *stuck).await.unwrap();
    let begun = Instant::now();
    let fault = sessions.touch(&key, now + TimeDelta::minutes(1)).await.unwrap_err();
    assert!(matches!(fault, Error::Store { store: "session", .. }), "{fault}");
    assert!(begun.elapsed() < 4 * limit, "{:?}", begun.elapsed());
    assert!(sessions.load(&key, now).await.unwrap().is_some(), "readers do not wait");
    stuck.rollback().await.unwrap();
    assert!(sessions.touch(&key, now).await.unwrap());
}

#[tokio::test]
async fn the_server_ends_a_statement_that_nobody_waits_for() {
    let Some(pool) = crate::postgres().await else { return };
    let error = sqlx::query("SELECT pg_sleep(60)").execute(&pool).await.unwrap_err();
    assert!(error.to_string().contains("statement timeout"), "{error}");
}

#[tokio::test]
async fn every_method_reports_a_database_that_does_not_answer() {
    let Some(pool) = crate::postgres().await else { return };
    let sessions = sessions(&pool).await;
    let (key, now) = (key(), Utc::now());
    let handle = Uuid::new_v4();
    let all_fail = async || {
        let errors = [
            sessions.create(&key, record(1, now), None).await.unwrap_err(),
            sessions.load(&key, now).await.unwrap_err(),
            sessions.update(&key, record(1, now), now).await.unwrap_err(),
            sessions.touch(&key, now).await.unwrap_err(),
            sessions.delete(&key, now).await.unwrap_err(),
            sessions.list_by_user(&user(1), now).await.unwrap_err(),
            sessions.delete_by_handle(&user(1), handle, now).await.unwrap_err(),
            sessions.delete_by_user(&user(1), None, now).await.unwrap_err(),
            sessions.purge_expired(now).await.unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, Error::Store { store: "session", .. }), "{error:?}");
        }
    };
    sqlx::query("DROP TABLE auth_sessions").execute(&pool).await.unwrap();
    all_fail().await;
    pool.close().await;
    all_fail().await;
    let error = sessions.migrate().await.unwrap_err();
    assert!(matches!(error, Error::Store { store: "session", .. }), "{error:?}");
}
