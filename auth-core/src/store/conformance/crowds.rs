//! Many at once, and clocks that differ.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::value::to_raw_value;
use tokio::task::JoinSet;

use super::{
    super::Update, IDLE, MS, Store, assert_same, create, key, load, next, session, session_of,
    start, user,
};
use crate::session::record::{DataSlot, SessionRecord};

/// How far the clock of another process may be off.
const SKEW: TimeDelta = TimeDelta::seconds(30);

/// Many tasks that each write a part of the data of their own, trying again at a conflict, lose no
/// part of each other.
pub async fn no_part_of_the_data_is_lost(store: Store) {
    const TASKS: usize = 64;
    let now = start();
    let key = create(&store, &session(now)).await;
    let mut tasks = JoinSet::new();
    for n in 0..TASKS {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            loop {
                let stored = store.load(&key, now).await.expect("load answers");
                let stored = stored.expect("nobody deletes the session");
                // Lets others read the same version, however fast the store is.
                tokio::task::yield_now().await;
                let mut record = next(&stored);
                let value = to_raw_value(&n).expect("a number is JSON");
                record.data.0.insert(format!("part{n}"), DataSlot { value, expires_at: None });
                match store.update(&key, Arc::new(record), now).await.expect("update answers") {
                    Update::Done => break,
                    Update::Conflict => {}
                    Update::Gone => panic!("task {n} was told `Gone` of a session that is there"),
                }
            }
        });
    }
    tasks.join_all().await;
    let stored = load(&store, &key, now).await.expect("the session is there");
    assert_eq!(stored.version, 1 + TASKS as u64, "one version for each update");
    for n in 0..TASKS {
        let part = stored.data.get(&format!("part{n}"), now).expect("every part is there");
        assert_eq!(part.get(), n.to_string());
    }
}

/// All that meets the end of a user's sessions comes too late: when `delete_by_user` has answered,
/// none of them is back, and none comes back.
pub async fn nothing_revives_the_sessions_of_a_user(store: Store) {
    let now = start();
    let owner = user("1");
    let mut keys = Vec::new();
    for _ in 0..8 {
        keys.push(create(&store, &session_of(&owner, now)).await);
    }
    let mut tasks = JoinSet::new();
    for (n, key) in keys.iter().copied().cycle().take(64).enumerate() {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let later = now + MS * i32::try_from(n).expect("a small number");
            store.touch(&key, later).await.expect("touch answers");
            while let Some(stored) = store.load(&key, now).await.expect("load answers") {
                let update = store.update(&key, Arc::new(next(&stored)), now).await;
                update.expect("update answers");
                tokio::task::yield_now().await;
            }
        });
    }
    let ended = store.delete_by_user(&owner, None, now).await.expect("delete_by_user answers");
    assert_eq!(ended, 8);
    for key in &keys {
        assert!(load(&store, key, now).await.is_none(), "gone as soon as it has answered");
    }
    // They end when their session is gone.
    tasks.join_all().await;
    for key in &keys {
        assert!(load(&store, key, now).await.is_none(), "and gone for good");
    }
}

/// A process whose clock is behind sees, uses, changes and ends what one has stored whose clock is
/// right.
pub async fn a_clock_that_is_behind_sees_what_was_just_stored(store: Store) {
    let now = start();
    let behind = now - SKEW;
    let owner = user("1");
    let record = session_of(&owner, now);
    let key = create(&store, &record).await;
    assert_same(&load(&store, &key, behind).await.expect("the session is there"), &record);
    assert!(store.touch(&key, behind).await.expect("touch answers"));
    let older = SessionRecord { last_active_at: behind, ..next(&record) };
    let update = store.update(&key, Arc::new(older), behind).await.expect("update answers");
    assert_eq!(update, Update::Done);
    let stored = load(&store, &key, now).await.expect("the session is there");
    assert_eq!(stored.last_active_at, now, "its use is not set back");
    assert_eq!(store.list_by_user(&owner, behind).await.expect("list_by_user answers").len(), 1);
    assert_eq!(store.purge_expired(behind).await.expect("purge_expired answers"), 0);
    assert!(store.delete(&key, behind).await.expect("delete answers"));
    assert!(load(&store, &key, now).await.is_none());
}

/// A process whose clock is ahead takes a session for dead a little early. By looking at it, it
/// ends it for nobody else.
pub async fn a_clock_that_is_ahead_ends_nothing_by_looking(store: Store) {
    let now = start();
    let owner = user("1");
    let record = session_of(&owner, now);
    let key = create(&store, &record).await;
    let last = now + IDLE - MS;
    let ahead = last + SKEW;
    assert!(load(&store, &key, ahead).await.is_none());
    assert!(!store.touch(&key, ahead).await.expect("touch answers"));
    let update = store.update(&key, Arc::new(next(&record)), ahead).await.expect("update answers");
    assert_eq!(update, Update::Gone);
    assert!(store.list_by_user(&owner, ahead).await.expect("list_by_user answers").is_empty());
    assert_same(&load(&store, &key, last).await.expect("it lives for the others"), &record);
    assert!(store.touch(&key, last).await.expect("touch answers"));
    assert!(load(&store, &key, ahead).await.is_some(), "and for everybody once it is used");
}

/// `keys_by_user` names every stored session of a user, and no other one.
pub async fn names_the_keys_of_a_user(store: Store) {
    let now = start();
    let owner = user("1");
    let mut expected = Vec::new();
    for record in [
        session_of(&owner, now),
        session_of(&owner, now),
        SessionRecord { expires_at: now + MS, ..session_of(&owner, now) },
    ] {
        expected.push((create(&store, &record).await, record.handle));
    }
    create(&store, &session_of(&user("2"), now)).await;
    create(&store, &session(now)).await;
    let gone = create(&store, &session_of(&owner, now)).await;
    assert!(store.delete(&gone, now).await.expect("delete answers"));
    assert!(load(&store, &expected[2].0, now + MS).await.is_none(), "one of them has expired");
    let mut keys = store.keys_by_user(&owner).await.expect("keys_by_user answers");
    let order = |named: &(crate::secret::SessionKey, uuid::Uuid)| (*named.0.as_bytes(), named.1);
    keys.sort_by_key(order);
    expected.sort_by_key(order);
    assert_eq!(keys, expected);
    assert!(!keys.iter().any(|(named, _)| *named == key()), "equality means something");
    assert!(store.keys_by_user(&user("3")).await.expect("keys_by_user answers").is_empty());
}
