use chrono::TimeDelta;
use uuid::Uuid;

use super::*;
use crate::{
    secret::{SecurityStamp, SessionToken},
    session::record::SessionLogin,
};

fn key() -> SessionKey {
    SessionToken::generate().unwrap().key()
}

fn record(at: DateTime<Utc>) -> Arc<SessionRecord> {
    Arc::new(SessionRecord {
        handle: Uuid::new_v4(),
        login: Some(SessionLogin {
            user: UserKey::from(format!("users:{}", Uuid::new_v4())),
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
    })
}

#[tokio::test]
async fn expired_sessions_do_not_pile_up() {
    let store = MemorySessions::new();
    let start = Utc::now();
    let mut most = 0;
    for hour in 0..20 {
        for _ in 0..2_000 {
            let at = start + TimeDelta::hours(hour);
            assert_eq!(store.create(&key(), record(at), None).await.unwrap(), Create::Done);
        }
        most = most.max(store.len());
    }
    // 40 000 sessions were made, and never more than 2 000 were alive.
    assert!(most <= SHARDS * SWEEP_FROM * 2, "{most} sessions held");
    assert_eq!(store.users.len(), store.len(), "the index holds users without a session");
}

#[tokio::test]
async fn live_sessions_are_never_swept() {
    let store = MemorySessions::new();
    let now = Utc::now();
    let keys: Vec<_> = (0..20_000).map(|_| key()).collect();
    for key in &keys {
        assert_eq!(store.create(key, record(now), None).await.unwrap(), Create::Done);
    }
    let later = now + TimeDelta::minutes(29);
    for key in &keys {
        assert!(store.find(key, later).is_some());
    }
    assert_eq!(store.len(), 20_000);
    assert_eq!(store.purge_expired(now + TimeDelta::minutes(30)).await.unwrap(), 20_000);
    assert!(store.is_empty());
    assert_eq!(store.users.len(), 0);
}

#[tokio::test]
async fn a_full_store_refuses_new_sessions_and_keeps_the_old() {
    let store = MemorySessions::new().max_sessions(2);
    let now = Utc::now();
    let (first, second) = (key(), key());
    store.create(&first, record(now), None).await.unwrap();
    store.create(&second, record(now), None).await.unwrap();

    let refused = store.create(&key(), record(now), None).await.unwrap_err();
    assert!(refused.retry_after().is_some(), "{refused}");
    assert_eq!(
        store.create(&first, record(now), None).await.unwrap(),
        Create::Taken,
        "a taken key is no overload"
    );
    assert!(store.find(&first, now).is_some() && store.find(&second, now).is_some());

    store.delete(&first, now).await.unwrap();
    assert_eq!(store.create(&key(), record(now), None).await.unwrap(), Create::Done);
}

#[tokio::test]
async fn a_load_shares_the_record_and_a_touch_leaves_it_alone() {
    let store = MemorySessions::new();
    let (key, now) = (key(), Utc::now());
    store.create(&key, record(now), None).await.unwrap();
    let held = store.find(&key, now).unwrap();
    assert!(Arc::ptr_eq(&held, &store.find(&key, now).unwrap()));

    let later = now + TimeDelta::minutes(1);
    assert!(store.touch(&key, later).await.unwrap());
    assert_eq!(held.last_active_at, now);
    assert_eq!(store.find(&key, later).unwrap().last_active_at, later);
}

#[test]
fn keys_that_differ_in_the_hashed_bytes_hash_apart() {
    use std::hash::{BuildHasher, BuildHasherDefault};

    use super::index::KeyHasher;

    let hasher = BuildHasherDefault::<KeyHasher>::default();
    let hash = |byte: usize| {
        let mut bytes = [7; 32];
        bytes[byte] = 8;
        hasher.hash_one(SessionKey::from_bytes(bytes))
    };
    let same = hasher.hash_one(SessionKey::from_bytes([7; 32]));
    assert!((8..16).all(|byte| hash(byte) != same));
    // The first byte chooses the shard and must not choose the bucket too.
    assert_eq!(hash(0), same);
}

#[tokio::test]
async fn shows_no_session_in_debug() {
    let store = MemorySessions::new();
    store.create(&key(), record(Utc::now()), None).await.unwrap();
    assert_eq!(format!("{store:?}"), "MemorySessions { len: 1, .. }");
}

#[cfg(feature = "testing")]
mod conformance {
    use super::*;

    async fn store() -> Arc<dyn SessionStore> {
        Arc::new(MemorySessions::new())
    }

    crate::session_store_conformance!(memory_sessions, store);
}
