//! Creating, loading, deleting.

use std::sync::Arc;

use chrono::TimeDelta;
use tokio::task::JoinSet;

use super::{
    super::{Create, Update},
    MS, Store, assert_same, create, full_session, key, load, next, session, start, user,
};
use crate::{secret::SessionKey, session::record::SessionRecord};

/// `create` takes a free key, refuses a taken one, and changes nothing by refusing.
pub async fn creates_only_where_the_key_is_free(store: Store) {
    let now = start();
    let (first, second) = (full_session(now), session(now));
    let key = key();
    let create = async |record: &SessionRecord| {
        store.create(&key, Arc::new(record.clone()), None).await.expect("create answers")
    };
    assert_eq!(create(&first).await, Create::Done);
    assert_eq!(create(&second).await, Create::Taken);
    assert_same(&load(&store, &key, now).await.expect("the first session is there"), &first);
}

/// Of many `create`s of one key at the same time, one succeeds, and its session is there.
pub async fn creates_once_from_many_tasks(store: Store) {
    let now = start();
    let key = key();
    let mut tasks = JoinSet::new();
    for _ in 0..32 {
        let (store, record) = (Arc::clone(&store), Arc::new(session(now)));
        tasks.spawn(async move {
            let handle = record.handle;
            let created = store.create(&key, record, None).await.expect("create answers");
            (created == Create::Done).then_some(handle)
        });
    }
    let winners: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let stored = load(&store, &key, now).await.expect("a session is there");
    assert_eq!(winners, [stored.handle], "one task created the session that is there");
}

/// What was stored comes back, in every field.
pub async fn gives_back_every_field(store: Store) {
    let now = start();
    let record = full_session(now);
    let key = create(&store, &record).await;
    assert_same(&load(&store, &key, now).await.expect("the session is there"), &record);
}

/// A session without login, address and agent comes back without them, and with its empty data.
pub async fn gives_back_a_session_without_optional_fields(store: Store) {
    let now = start();
    let record = session(now);
    let key = create(&store, &record).await;
    assert_same(&load(&store, &key, now).await.expect("the session is there"), &record);
}

/// A store may drop what is below a millisecond, and no more; it never rounds up.
pub async fn keeps_times_to_the_millisecond(store: Store) {
    let now = start() + TimeDelta::microseconds(123_999);
    let record = full_session(now);
    let key = create(&store, &record).await;
    let stored = load(&store, &key, now).await.expect("the session is there");
    let login = |record: &SessionRecord| record.login.as_ref().expect("the session has a login").at;
    for (name, stored, given) in [
        ("created_at", stored.created_at, record.created_at),
        ("last_active_at", stored.last_active_at, record.last_active_at),
        ("expires_at", stored.expires_at, record.expires_at),
        ("login.at", login(&stored), login(&record)),
    ] {
        let lost = given - stored;
        assert!(TimeDelta::zero() <= lost && lost < MS, "{name} became {stored} from {given}");
    }
}

/// A key is compared in all its bytes.
pub async fn finds_nothing_under_a_similar_key(store: Store) {
    let now = start();
    let key = create(&store, &session(now)).await;
    for byte in 0..32 {
        let mut bytes = *key.as_bytes();
        bytes[byte] ^= 1;
        let other = SessionKey::from_bytes(bytes);
        assert!(load(&store, &other, now).await.is_none(), "byte {byte} is not compared");
        assert!(!store.touch(&other, now).await.expect("touch answers"));
        assert!(!store.delete(&other, now).await.expect("delete answers"));
    }
    assert!(load(&store, &key, now).await.is_some());
}

/// Two sessions may have one handle, as one has whose key is being changed: the new one is created
/// before the old one is deleted.
pub async fn keeps_two_sessions_of_one_handle(store: Store) {
    let now = start();
    let record = full_session(now);
    let old = create(&store, &record).await;
    let new = create(&store, &record).await;
    assert!(store.delete(&old, now).await.expect("delete answers"));
    assert!(load(&store, &old, now).await.is_none());
    assert_same(&load(&store, &new, now).await.expect("the new session is there"), &record);
}

/// A deleted session is found by nothing, and no call but `create` makes one.
pub async fn a_deleted_session_is_gone(store: Store) {
    let now = start();
    let record = full_session(now);
    let key = create(&store, &record).await;
    assert!(store.delete(&key, now).await.expect("delete answers"), "there was a session");
    assert!(!store.delete(&key, now).await.expect("delete answers"), "there was none any more");
    let update = store.update(&key, Arc::new(next(&record)), now).await.expect("update answers");
    assert_eq!(update, Update::Gone);
    assert!(!store.touch(&key, now).await.expect("touch answers"));
    assert!(load(&store, &key, now).await.is_none());
    let user = user("Zoë 'Łukasz' 🦀");
    assert!(store.list_by_user(&user, now).await.expect("list_by_user answers").is_empty());
    assert_eq!(store.delete_by_user(&user, None, now).await.expect("delete_by_user answers"), 0);
}

/// Two stores that the application keeps apart do not see each other's sessions.
pub async fn two_stores_share_nothing(one: Store, two: Store) {
    let now = start();
    let record = full_session(now);
    let user = user("Zoë 'Łukasz' 🦀");
    let key = create(&one, &record).await;
    assert!(load(&two, &key, now).await.is_none());
    assert!(two.list_by_user(&user, now).await.expect("list_by_user answers").is_empty());
    assert!(!two.touch(&key, now).await.expect("touch answers"));
    assert!(!two.delete(&key, now).await.expect("delete answers"));
    assert_eq!(two.delete_by_user(&user, None, now).await.expect("delete_by_user answers"), 0);
    let end = record.expires_at;
    assert_eq!(two.purge_expired(end).await.expect("purge_expired answers"), 0);
    assert_same(&load(&one, &key, now).await.expect("the session is there"), &record);
}
