//! Sessions.

use std::{sync::Arc, time::Duration};

use auth_core::{
    error::Error,
    sql::{mysql_options, mysql_pool_options, open_mysql},
    store::{Create, SessionStore, SqlSessions, Update, conformance},
    user::UserKey,
};
use chrono::{TimeDelta, Utc};
use sqlx::MySqlPool;
use tokio::{task::JoinSet, time::Instant};
use uuid::Uuid;

use super::{mysql, run};
use crate::sessions::{key, record, user};

async fn store() -> Option<Arc<dyn SessionStore>> {
    let mut sessions = SqlSessions::new(mysql().await?);
    for (name, kind) in conformance::COLUMNS {
        sessions = sessions.column(name, kind).unwrap();
    }
    sessions.migrate().await.unwrap();
    Some(Arc::new(sessions))
}

auth_core::session_store_conformance!(conforms_on_mysql, store);

async fn sessions(pool: &MySqlPool) -> SqlSessions {
    let sessions = SqlSessions::new(pool.clone());
    sessions.migrate().await.unwrap();
    sessions
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pool_with_the_settings_of_the_server_will_do() {
    let Some(database) = auth_test_servers::mysql() else { return };
    let store: Arc<dyn SessionStore> =
        Arc::new(sessions(&MySqlPool::connect(database.url()).await.unwrap()).await);
    conformance::no_update_is_lost(Arc::clone(&store)).await;
    conformance::no_update_revives_a_deleted_session(Arc::clone(&store)).await;
    conformance::sixteen_logins_at_once_under_a_limit_of_three(store).await;
}

#[tokio::test]
async fn one_process_sees_what_another_was_told_is_stored() {
    let Some(database) = auth_test_servers::mysql() else { return };
    let one = sessions(&open_mysql(database.url()).await.unwrap()).await;
    let other = sessions(&open_mysql(database.url()).await.unwrap()).await;
    let (key, now) = (key(), Utc::now());
    assert_eq!(one.create(&key, record(1, now), None).await.unwrap(), Create::Done);
    assert!(other.load(&key, now).await.unwrap().is_some());
    assert!(other.delete(&key, now).await.unwrap());
    assert!(one.load(&key, now).await.unwrap().is_none());
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_a_fault_and_no_missing_session() {
    let Some(pool) = mysql().await else { return };
    let sessions = sessions(&pool).await;
    let now = Utc::now();
    for damage in [
        "stamp = NULL",
        "user_key = NULL",
        "user_key = x'ff'",
        "login_at = NULL",
        "stamp = x'00'",
        "data = '['",
        "data = '[]'",
        "ip = 'here'",
        "version = -1",
        "handle = x'00'",
    ] {
        let key = key();
        sessions.create(&key, record(1, now), None).await.unwrap();
        let damage_it = format!("UPDATE auth_sessions SET {damage}");
        if damage.starts_with("handle") {
            // Sixteen zeros are a uuid.
            run(&pool, "ALTER TABLE auth_sessions MODIFY handle VARBINARY(16) NOT NULL").await;
        }
        run(&pool, &damage_it).await;
        let answer = sessions.load(&key, now).await;
        assert!(matches!(answer, Err(Error::Store { .. })), "{damage}: {answer:?}");
        sessions.delete(&key, now).await.expect("what cannot be read can be ended");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_a_fault_and_is_not_cut() {
    let Some(pool) = mysql().await else { return };
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

#[tokio::test]
async fn a_row_that_stays_locked_is_a_fault_in_bounded_time() {
    let Some(database) = auth_test_servers::mysql() else { return };
    let limit = Duration::from_millis(300);
    let options = mysql_options(database.url()).unwrap();
    let pool = mysql_pool_options().acquire_timeout(limit).connect_with(options).await.unwrap();
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

#[tokio::test]
async fn the_server_ends_a_statement_that_nobody_waits_for() {
    let Some(pool) = mysql().await else { return };
    let begun = Instant::now();
    let slept = sqlx::query("SELECT SLEEP(30)").execute(&pool).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{slept:?}");
}

/// Statements that find rows by the user and statements that find them by the key lock them in
/// another order; the server undoes one of two that wait for each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn deadlocks_are_nobodys_fault() {
    let Some(pool) = mysql().await else { return };
    let sessions = sessions(&pool).await;
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

#[tokio::test]
async fn every_method_reports_a_database_that_does_not_answer() {
    let Some(pool) = mysql().await else { return };
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
    pool.close().await;
    all_fail().await;
    let error = sessions.migrate().await.unwrap_err();
    assert!(matches!(error, Error::Store { store: "session", .. }), "{error:?}");
}
