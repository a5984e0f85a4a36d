//! Sessions that have ended, kept for audits, and tables of the version before.

use std::sync::Arc;

use auth_core::{
    sql::SqlPool,
    store::{EndedBy, SessionLimit, SessionStore, SqlSessions, WhenFull, conformance},
};
use chrono::{SubsecRound, TimeDelta, Utc};

use crate::{
    engines::{Place, conform_on_each_engine, number, on_each_engine, run},
    sessions::{key, record, user},
};

const KEEP: TimeDelta = TimeDelta::days(30);

async fn store(pool: SqlPool) -> Option<Arc<dyn SessionStore>> {
    let mut sessions = SqlSessions::new(pool).keep_ended(KEEP);
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

/// How many rows there are for which a condition holds.
async fn count(pool: &SqlPool, condition: &str) -> i64 {
    number(pool, &format!("SELECT COUNT(*) FROM auth_sessions WHERE {condition}")).await
}

on_each_engine! {
    an_ended_session_is_kept_for_its_time_and_says_by_what_it_ended
    a_dead_row_holds_nothing_that_anybody_could_use
    a_store_that_keeps_nothing_any_more_purges_what_was_kept
    a_table_of_the_version_before_is_brought_up_to_date
}

async fn an_ended_session_is_kept_for_its_time_and_says_by_what_it_ended(place: Place) {
    let pool = place.pool().await;
    let sessions = SqlSessions::new(pool.clone()).keep_ended(KEEP);
    sessions.migrate().await.unwrap();
    let now = Utc::now().trunc_subsecs(3);
    let minute = |n: i64| now + TimeDelta::minutes(n);
    let mut expected = Vec::new();
    for (n, by) in
        [(1, EndedBy::Key), (2, EndedBy::Handle), (3, EndedBy::User), (4, EndedBy::Limit)]
    {
        let (key, record) = (key(), record(1, now));
        sessions.create(&key, record.clone(), None).await.unwrap();
        match by {
            EndedBy::Key => assert!(sessions.delete(&key, minute(n)).await.unwrap()),
            EndedBy::Handle => {
                let ended = sessions.delete_by_handle(&user(1), record.handle, minute(n)).await;
                assert!(ended.unwrap());
            }
            EndedBy::User => {
                assert_eq!(sessions.delete_by_user(&user(1), None, minute(n)).await.unwrap(), 1);
            }
            _ => {
                let (full, except) = (WhenFull::EndOldest, None);
                let limit = SessionLimit { max: 1, full, except, now: minute(n) };
                let new = crate::sessions::record(1, now);
                let new_key = crate::sessions::key();
                sessions.create(&new_key, new, Some(limit)).await.unwrap();
                // Out of the way of what follows; not of this user any more.
                sessions.delete(&new_key, minute(-1)).await.unwrap();
            }
        }
        expected.insert(0, (record.handle, minute(n), by));
    }
    // The one that the limit let in.
    let ended = sessions.ended(&user(1), 0, 100).await.unwrap();
    assert_eq!(ended.len(), 5);
    let found: Vec<_> = ended.iter().map(|one| (one.handle, one.ended_at, one.ended_by)).collect();
    assert_eq!(found[..4], expected, "the latest end first");
    assert_eq!((ended[0].created_at, ended[0].login_at), (now, Some(now)));
    let part = sessions.ended(&user(1), 1, 2).await.unwrap();
    assert_eq!(part.iter().map(|one| one.handle).collect::<Vec<_>>(), [found[1].0, found[2].0]);
    assert!(sessions.ended(&user(2), 0, 100).await.unwrap().is_empty());

    // What expires is noted with the moment at which it did.
    let expiring = record(2, now);
    sessions.create(&key(), expiring.clone(), None).await.unwrap();
    let later = now + TimeDelta::hours(1);
    assert_eq!(sessions.purge_expired(later).await.unwrap(), 1);
    assert_eq!(sessions.purge_expired(later).await.unwrap(), 0, "once");
    let [expired] = &sessions.ended(&user(2), 0, 100).await.unwrap()[..] else { panic!() };
    assert_eq!((expired.handle, expired.ended_by), (expiring.handle, EndedBy::Expiry));
    assert_eq!(expired.ended_at, now + TimeDelta::minutes(30));

    // Nothing ends twice.
    assert_eq!(sessions.delete_by_user(&user(1), None, later).await.unwrap(), 0);
    let again = sessions.ended(&user(1), 0, 100).await.unwrap();
    assert_eq!(again[0].ended_at, minute(4));

    // To the minute of its end, and 30 days.
    let end = minute(3) + KEEP;
    sessions.purge_expired(end).await.unwrap();
    let left = sessions.ended(&user(1), 0, 100).await.unwrap();
    assert_eq!(left.iter().map(|one| one.ended_by).collect::<Vec<_>>(), [EndedBy::Limit]);
    sessions.purge_expired(end + TimeDelta::days(1)).await.unwrap();
    assert_eq!(count(&pool, "1 = 1").await, 0);
}

async fn a_dead_row_holds_nothing_that_anybody_could_use(place: Place) {
    let pool = place.pool().await;
    let sessions = SqlSessions::new(pool.clone()).keep_ended(KEEP);
    sessions.migrate().await.unwrap();
    let now = Utc::now();
    let mut with_data = (*record(1, now)).clone();
    with_data.data =
        auth_core::session::record::SessionData::from_json(r#"{"Email":{"v":{"code":"123456"}}}"#)
            .unwrap();
    let with_data = Arc::new(with_data);
    let keys = [key(), key(), key(), key()];
    for key in &keys {
        sessions.create(key, with_data.clone(), None).await.unwrap();
    }
    sessions.delete(&keys[0], now).await.unwrap();
    sessions.delete_by_user(&user(1), Some(&keys[1]), now).await.unwrap();
    sessions.purge_expired(now + TimeDelta::hours(1)).await.unwrap();
    assert_eq!(count(&pool, "deleted_at IS NOT NULL").await, 4);
    assert_eq!(count(&pool, "stamp IS NOT NULL").await, 0);
    assert_eq!(count(&pool, "CAST(data AS CHAR(200)) LIKE '%123456%'").await, 0);
    // Also to a clock that is far behind, and to a program of the version before.
    for key in &keys {
        let before = now - TimeDelta::days(300);
        assert!(sessions.load(key, before).await.unwrap().is_none());
        assert!(!sessions.touch(key, before).await.unwrap());
        assert!(!sessions.delete(key, before).await.unwrap());
    }
    assert!(sessions.list_by_user(&user(1), now - TimeDelta::days(300)).await.unwrap().is_empty());
    assert_eq!(count(&pool, "idle_expires_at > created_at").await, 0);
}

async fn a_store_that_keeps_nothing_any_more_purges_what_was_kept(place: Place) {
    let pool = place.pool().await;
    let keeping = SqlSessions::new(pool.clone()).keep_ended(KEEP);
    keeping.migrate().await.unwrap();
    let now = Utc::now();
    let key = key();
    keeping.create(&key, record(1, now), None).await.unwrap();
    keeping.delete(&key, now).await.unwrap();
    assert_eq!(count(&pool, "1 = 1").await, 1);
    SqlSessions::new(pool.clone()).purge_expired(now).await.unwrap();
    assert_eq!(count(&pool, "1 = 1").await, 0);
}

/// The tables as the first version made them, with a session of somebody who is logged in.
async fn version_one(pool: &SqlPool) {
    let (columns, row) = match pool {
        SqlPool::Sqlite(_) => (
            "key_hash BLOB NOT NULL PRIMARY KEY, handle BLOB NOT NULL, user_key TEXT, stamp BLOB,
             login_at INTEGER, data TEXT NOT NULL, created_at INTEGER NOT NULL,
             last_active_at INTEGER NOT NULL, idle_timeout INTEGER NOT NULL,
             idle_expires_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
             persistent BOOLEAN NOT NULL, ip TEXT, user_agent TEXT, version INTEGER NOT NULL",
            "x'0707070707070707070707070707070707070707070707070707070707070707',
             x'00000000000000000000000000000001', 'users:1', x'00112233445566778899aabbccddeeff',
             1, '{}', 1, 1, 1800000, 4102444800000, 4102444800000, 0, NULL, NULL, 1",
        ),
        SqlPool::Postgres(_) => (
            "key_hash BYTEA NOT NULL PRIMARY KEY, handle UUID NOT NULL, user_key TEXT COLLATE \"C\",
             stamp BYTEA, login_at TIMESTAMPTZ, data JSON NOT NULL,
             created_at TIMESTAMPTZ NOT NULL, last_active_at TIMESTAMPTZ NOT NULL,
             idle_timeout BIGINT NOT NULL, idle_expires_at TIMESTAMPTZ NOT NULL,
             expires_at TIMESTAMPTZ NOT NULL, persistent BOOLEAN NOT NULL, ip INET,
             user_agent TEXT, version BIGINT NOT NULL",
            "decode(repeat('07', 32), 'hex'), '00000000-0000-0000-0000-000000000001', 'users:1',
             decode('00112233445566778899aabbccddeeff', 'hex'), '2020-01-01', '{}', '2020-01-01',
             '2020-01-01', 1800000, '2100-01-01', '2100-01-01', FALSE, NULL, NULL, 1",
        ),
        // The first version of this engine.
        _ => (
            "key_hash VARBINARY(32) NOT NULL PRIMARY KEY, handle BINARY(16) NOT NULL,
             user_key VARBINARY(512), stamp VARBINARY(32), login_at DATETIME(3),
             data LONGTEXT NOT NULL, created_at DATETIME(3) NOT NULL,
             last_active_at DATETIME(3) NOT NULL, idle_timeout BIGINT NOT NULL,
             idle_expires_at DATETIME(3) NOT NULL, expires_at DATETIME(3) NOT NULL,
             persistent TINYINT(1) NOT NULL, ip VARCHAR(45), user_agent MEDIUMTEXT,
             version BIGINT NOT NULL",
            "x'0707070707070707070707070707070707070707070707070707070707070707',
             x'00000000000000000000000000000001', 'users:1', x'00112233445566778899aabbccddeeff',
             '2020-01-01', '{}', '2020-01-01', '2020-01-01', 1800000, '2100-01-01',
             '2100-01-01', 0, NULL, NULL, 1",
        ),
    };
    let name = if matches!(pool, SqlPool::MySql(_)) { "VARBINARY(512)" } else { "TEXT" };
    for sql in [
        format!("CREATE TABLE auth_sessions ({columns})"),
        "CREATE INDEX auth_sessions_user_key ON auth_sessions (user_key)".into(),
        "CREATE INDEX auth_sessions_idle_expires_at ON auth_sessions (idle_expires_at)".into(),
        format!("INSERT INTO auth_sessions VALUES ({row})"),
        format!(
            "CREATE TABLE auth_migrations (table_name {name} NOT NULL, version BIGINT NOT NULL,
             PRIMARY KEY (table_name, version))"
        ),
        "INSERT INTO auth_migrations VALUES ('auth_sessions', 1)".into(),
    ] {
        run(pool, &sql).await;
    }
}

async fn a_table_of_the_version_before_is_brought_up_to_date(place: Place) {
    let pool = place.pool().await;
    version_one(&pool).await;
    let sessions = SqlSessions::new(pool.clone()).keep_ended(KEEP);
    sessions.migrate().await.unwrap();
    sessions.migrate().await.unwrap();
    let (key, now) = (auth_core::secret::SessionKey::from_bytes([7; 32]), Utc::now());
    let record = sessions.load(&key, now).await.unwrap().expect("nobody is logged out by it");
    assert_eq!(record.login.as_ref().map(|login| &login.user), Some(&user(1)));
    assert!(sessions.delete(&key, now).await.unwrap());
    assert_eq!(sessions.ended(&user(1), 0, 1).await.unwrap().len(), 1);
}
