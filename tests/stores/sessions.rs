//! Sessions in a database.

use std::{sync::Arc, time::Duration};

use auth_core::{
    error::Error,
    secret::{SecurityStamp, SessionKey, SessionToken},
    session::record::{SessionLogin, SessionRecord},
    sql::{SqlPool, open_postgres},
    store::{Create, SessionStore, SqlSessions, Update, conformance},
    user::UserKey,
};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::MySqlPool;
use tokio::{task::JoinSet, time::Instant};
use uuid::Uuid;

use crate::engines::{
    Engine, Place, close, conform_on_each_engine, on_each_engine, on_each_server, on_pool, run,
};

async fn store(pool: SqlPool) -> Option<Arc<dyn SessionStore>> {
    let mut sessions = SqlSessions::new(pool);
    for (name, kind) in conformance::COLUMNS {
        sessions = sessions.column(name, kind).unwrap();
    }
    sessions.migrate().await.unwrap();
    Some(Arc::new(sessions))
}

conform_on_each_engine! {
    session_store_conformance, store,
    conforms_on_sqlite, conforms_on_postgres, conforms_on_mysql
}

async fn sessions(pool: &SqlPool) -> SqlSessions {
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

on_each_engine! {
    two_tables_are_two_stores
    one_process_sees_what_another_was_told_is_stored
    a_row_that_cannot_be_read_is_a_fault_and_no_missing_session
    a_row_that_stays_locked_is_a_fault_in_bounded_time
    what_has_expired_is_purged_in_as_many_statements_as_it_takes
    every_method_reports_a_database_that_does_not_answer
}

async fn two_tables_are_two_stores(place: Place) {
    let pool = place.pool().await;
    let one = sessions(&pool).await;
    let two = SqlSessions::new(pool).table("order").expect("a keyword is a name like any other");
    two.migrate().await.unwrap();
    let (key, now) = (key(), Utc::now());
    assert_eq!(one.create(&key, record(1, now), None).await.unwrap(), Create::Done);
    assert!(two.load(&key, now).await.unwrap().is_none());
    assert!(one.load(&key, now).await.unwrap().is_some());
}

async fn one_process_sees_what_another_was_told_is_stored(place: Place) {
    let pool = place.pool().await;
    // As after a `kill -9`: the first pool was never closed.
    let (one, other) = (sessions(&pool).await, sessions(&place.pool().await).await);
    let (key, now) = (key(), Utc::now());
    assert_eq!(one.create(&key, record(1, now), None).await.unwrap(), Create::Done);
    assert!(other.load(&key, now).await.unwrap().is_some());
    assert!(other.delete(&key, now).await.unwrap());
    assert!(one.load(&key, now).await.unwrap().is_none());
}

async fn a_row_that_cannot_be_read_is_a_fault_and_no_missing_session(place: Place) {
    let pool = place.pool().await;
    let sessions = sessions(&pool).await;
    let now = Utc::now();
    let engines_own: &[&str] = match place.engine {
        Engine::Sqlite => {
            &["stamp = x'00'", "data = '{'", "ip = 'here'", "created_at = 9223372036854775807"]
        }
        Engine::Postgres => &[
            r"stamp = '\x00'",
            "ip = '10.0.0.0/8'",
            "created_at = 'infinity'",
            "login_at = '-infinity'",
            "created_at = '290000-01-01'",
        ],
        Engine::MySql => {
            &["stamp = x'00'", "user_key = x'ff'", "data = '['", "ip = 'here'", "handle = x'00'"]
        }
    };
    if place.engine == Engine::MySql {
        // Sixteen zeros are a uuid.
        run(&pool, "ALTER TABLE auth_sessions MODIFY handle VARBINARY(16) NOT NULL").await;
    }
    let common =
        ["stamp = NULL", "user_key = NULL", "login_at = NULL", "data = '[]'", "version = -1"];
    for damage in common.iter().chain(engines_own) {
        let key = key();
        sessions.create(&key, record(1, now), None).await.unwrap();
        run(&pool, &format!("UPDATE auth_sessions SET {damage}")).await;
        let answer = sessions.load(&key, now).await;
        assert!(matches!(answer, Err(Error::Store { .. })), "{damage}: {answer:?}");
        sessions.delete(&key, now).await.expect("what cannot be read can be ended");
    }
}

async fn a_row_that_stays_locked_is_a_fault_in_bounded_time(place: Place) {
    let limit = Duration::from_millis(300);
    let pool = place.pool_within(limit).await;
    let sessions = sessions(&pool).await;
    let (key, now) = (key(), Utc::now());
    assert_eq!(sessions.create(&key, record(1, now), None).await.unwrap(), Create::Done);
    let (begin, lock) = match place.engine {
        // Its lock is for the whole file.
        Engine::Sqlite => ("BEGIN IMMEDIATE", "SELECT 1 FROM auth_sessions"),
        Engine::Postgres | Engine::MySql => ("BEGIN", "SELECT 1 FROM auth_sessions FOR UPDATE"),
    };
    on_pool!(&pool, pool => {
        let mut stuck = pool.begin_with(begin).await.unwrap();
        sqlx::query(lock).execute(&mut *stuck).await.unwrap();
        let begun = Instant::now();
        let fault = sessions.touch(&key, now + TimeDelta::minutes(1)).await.unwrap_err();
        assert!(matches!(fault, Error::Store { store: "session", .. }), "{fault}");
        assert!(begun.elapsed() < 4 * limit, "{:?}", begun.elapsed());
        assert!(sessions.load(&key, now).await.unwrap().is_some(), "readers do not wait");
        stuck.rollback().await.unwrap();
    });
    // The server may still be at the first one.
    let mut touched = sessions.touch(&key, now).await;
    for _ in 0..20 {
        if touched.is_ok() {
            break;
        }
        touched = sessions.touch(&key, now).await;
    }
    assert!(touched.unwrap());
}

async fn what_has_expired_is_purged_in_as_many_statements_as_it_takes(place: Place) {
    let sessions = sessions(&place.pool().await).await;
    let (now, stays) = (Utc::now(), key());
    // One statement removes 500.
    for _ in 0..1_001 {
        sessions.create(&key(), record(1, now), None).await.unwrap();
    }
    let end = now + TimeDelta::minutes(30);
    sessions.create(&stays, record(1, now + TimeDelta::seconds(1)), None).await.unwrap();
    assert_eq!(sessions.purge_expired(end).await.unwrap(), 1_001);
    assert_eq!(sessions.purge_expired(end).await.unwrap(), 0);
    assert!(sessions.load(&stays, end).await.unwrap().is_some());
}

async fn every_method_reports_a_database_that_does_not_answer(place: Place) {
    let pool = place.pool().await;
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
    run(&pool, "DROP TABLE auth_sessions").await;
    all_fail().await;
    close(&pool).await;
    all_fail().await;
    let error = sessions.migrate().await.unwrap_err();
    assert!(matches!(error, Error::Store { store: "session", .. }), "{error:?}");
}

on_each_server! {
    the_server_ends_a_statement_that_nobody_waits_for
    deadlocks_are_nobodys_fault
}

async fn the_server_ends_a_statement_that_nobody_waits_for(place: Place) {
    let pool = place.pool().await;
    let begun = Instant::now();
    match &pool {
        SqlPool::Postgres(pool) => {
            let error = sqlx::query("SELECT pg_sleep(60)").execute(pool).await.unwrap_err();
            assert!(error.to_string().contains("statement timeout"), "{error}");
        }
        // One of the two servers reports it as what the statement has found.
        SqlPool::MySql(pool) => drop(sqlx::query("SELECT SLEEP(60)").execute(pool).await),
        other => panic!("{other:?}"),
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

/// Statements that find rows by the user and statements that find them by the key lock them in
/// another order; the server undoes one of two that wait for each other.
async fn deadlocks_are_nobodys_fault(place: Place) {
    let sessions = sessions(&place.pool().await).await;
    let now = Utc::now();
    let mut tasks = JoinSet::new();
    for task in 0..8 {
        let sessions = sessions.clone();
        tasks.spawn(async move {
            for _ in 0..40 {
                let (key, record) = (key(), record(1, now));
                sessions.create(&key, record.clone(), None).await.unwrap();
                if task % 2 == 0 {
                    sessions.delete_by_user(&user(1), None, now).await.unwrap();
                } else {
                    let mut next = (*record).clone();
                    next.version += 1;
                    next.last_active_at += TimeDelta::seconds(1);
                    let answer = sessions.update(&key, Arc::new(next), now).await.unwrap();
                    assert_ne!(answer, Update::Conflict);
                    sessions.touch(&key, now + TimeDelta::seconds(2)).await.unwrap();
                    sessions.delete_by_handle(&user(1), record.handle, now).await.unwrap();
                }
            }
        });
    }
    tasks.join_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stricter_isolation_of_postgres_makes_no_faults() {
    let Some(database) = auth_test_servers::postgres() else { return };
    let pool = SqlPool::from(open_postgres(database.url()).await.unwrap());
    let stricter = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET \
                    default_transaction_isolation = serializable', current_database()); END $$";
    run(&pool, stricter).await;
    close(&pool).await;
    let store = sessions(&open_postgres(database.url()).await.unwrap().into()).await;
    conformance::no_update_is_lost(Arc::new(store.clone())).await;
    conformance::no_update_revives_a_deleted_session(Arc::new(store)).await;
}

#[tokio::test]
async fn a_purge_of_postgres_does_not_wait_for_rows_that_somebody_is_at() {
    let Some(pool) = Engine::Postgres.pool().await else { return };
    let sessions = sessions(&pool).await;
    let now = Utc::now();
    let end = now + TimeDelta::minutes(30);
    for _ in 0..3 {
        sessions.create(&key(), record(1, now), None).await.unwrap();
    }
    let SqlPool::Postgres(pool) = pool else { panic!("{pool:?}") };
    // Two statements that each wait for a row of the other's would both fail.
    let mut other = pool.begin().await.unwrap();
    let one = "SELECT 1 FROM auth_sessions LIMIT 1 FOR UPDATE";
    sqlx::query(one).execute(&mut *other).await.unwrap();
    assert_eq!(sessions.purge_expired(end).await.unwrap(), 2);
    other.rollback().await.unwrap();
    assert_eq!(sessions.purge_expired(end).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pool_with_the_settings_of_the_mysql_server_will_do() {
    let Some(database) = auth_test_servers::mysql() else { return };
    let pool = MySqlPool::connect(database.url()).await.unwrap();
    let store: Arc<dyn SessionStore> = Arc::new(sessions(&pool.into()).await);
    conformance::no_update_is_lost(Arc::clone(&store)).await;
    conformance::no_update_revives_a_deleted_session(Arc::clone(&store)).await;
    conformance::sixteen_logins_at_once_under_a_limit_of_three(store).await;
}

#[tokio::test]
async fn what_does_not_fit_into_mysql_is_a_fault_and_is_not_cut() {
    let Some(pool) = Engine::MySql.pool().await else { return };
    let sessions = sessions(&pool).await;
    let now = Utc::now();
    let mut long = (*record(1, now)).clone();
    if let Some(login) = &mut long.login {
        login.user = UserKey::from("u".repeat(600));
    }
    let fault = sessions.create(&key(), Arc::new(long), None).await.unwrap_err();
    assert!(matches!(fault, Error::Store { store: "session", .. }), "{fault}");
    let cut = UserKey::from("u".repeat(512));
    assert!(sessions.list_by_user(&cut, now).await.unwrap().is_empty());
}
