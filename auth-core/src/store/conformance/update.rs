//! `update`.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::value::to_raw_value;
use tokio::task::JoinSet;

use super::{
    super::Update, ABSOLUTE, IDLE, MS, Store, assert_same, create, full_session, key, load, next,
    session, start,
};
use crate::{
    secret::SessionKey,
    session::record::{DataSlot, SessionRecord},
};

async fn update(store: &Store, key: &SessionKey, record: &SessionRecord) -> Update {
    let now = record.last_active_at;
    store.update(key, Arc::new(record.clone()), now).await.expect("update answers")
}

/// `update` stores every field of the new record, in both directions.
pub async fn an_update_replaces_every_field(store: Store) {
    let now = start();
    let (empty, full) = (session(now), full_session(now + MS));
    let key = create(&store, &empty).await;

    let second = SessionRecord { version: 2, idle_timeout: IDLE + MS, ..full };
    assert_eq!(update(&store, &key, &second).await, Update::Done);
    assert_same(&load(&store, &key, now).await.expect("the session is there"), &second);

    let third = SessionRecord { version: 3, last_active_at: second.last_active_at, ..empty };
    assert_eq!(update(&store, &key, &third).await, Update::Done);
    assert_same(&load(&store, &key, now).await.expect("the session is there"), &third);
}

/// `update` takes only the record that follows the stored one; anything else is a conflict and
/// changes nothing.
pub async fn an_update_wants_the_version_before_its_own(store: Store) {
    let now = start();
    let record = SessionRecord { version: 5, ..full_session(now) };
    let key = create(&store, &record).await;
    for version in [0, 1, 4, 5, 7, u64::from(u32::MAX)] {
        let other = SessionRecord { version, ..session(now) };
        assert_eq!(update(&store, &key, &other).await, Update::Conflict, "version {version} on 5");
    }
    assert_same(&load(&store, &key, now).await.expect("the session is there"), &record);
    assert_eq!(update(&store, &key, &next(&record)).await, Update::Done, "version 6 on 5");
}

/// `update` does not insert.
pub async fn an_update_of_nothing_makes_nothing(store: Store) {
    let now = start();
    let key = key();
    for version in [0, 1, 2] {
        let record = SessionRecord { version, ..session(now) };
        assert_eq!(update(&store, &key, &record).await, Update::Gone, "version {version}");
    }
    assert!(load(&store, &key, now).await.is_none());
}

/// A request that loaded the session before another one touched it does not undo the touch.
pub async fn an_update_never_moves_the_last_activity_back(store: Store) {
    let now = start();
    let record = session(now);
    let key = create(&store, &record).await;
    let touched = now + TimeDelta::minutes(20);
    assert!(store.touch(&key, touched).await.expect("touch answers"));

    let given = Arc::new(next(&record));
    let update = store.update(&key, Arc::clone(&given), touched).await.expect("update answers");
    assert_eq!(update, Update::Done);
    assert_eq!(given.last_active_at, now, "the caller's record is not the store's to change");
    let stored = load(&store, &key, touched).await.expect("the session is there");
    assert_same(&stored, &SessionRecord { last_active_at: touched, ..next(&record) });
    assert!(load(&store, &key, touched + IDLE - MS).await.is_some(), "it lives from the touch on");
    assert!(load(&store, &key, touched + IDLE).await.is_none());
}

/// New timeouts and a new activity count from the `update` on.
pub async fn an_update_moves_the_expiry(store: Store) {
    let now = start();
    let record = session(now);
    let key = create(&store, &record).await;

    let minute = TimeDelta::minutes(1);
    let shorter = SessionRecord { idle_timeout: minute, ..next(&record) };
    assert_eq!(update(&store, &key, &shorter).await, Update::Done);
    assert!(load(&store, &key, now + minute - MS).await.is_some());
    assert!(load(&store, &key, now + minute).await.is_none(), "a shorter idle timeout");

    let longer = SessionRecord { idle_timeout: ABSOLUTE * 2, ..next(&shorter) };
    assert_eq!(update(&store, &key, &longer).await, Update::Done);
    assert!(load(&store, &key, now + ABSOLUTE - MS).await.is_some(), "a longer idle timeout");
    assert!(load(&store, &key, now + ABSOLUTE).await.is_none(), "not beyond the absolute limit");

    let later = now + TimeDelta::hours(1);
    let active = SessionRecord { last_active_at: later, ..next(&record) };
    let active = SessionRecord { version: 4, expires_at: later + ABSOLUTE * 2, ..active };
    assert_eq!(update(&store, &key, &active).await, Update::Done);
    assert!(load(&store, &key, later + IDLE - MS).await.is_some(), "a new activity");
    assert!(load(&store, &key, later + IDLE).await.is_none());
}

/// Many tasks that count upwards in the data, each trying again at a conflict, lose no count; and
/// touches in between disturb none.
pub async fn no_update_is_lost(store: Store) {
    const TASKS: usize = 64;
    let now = start();
    let key = create(&store, &session(now)).await;
    let mut tasks = JoinSet::new();
    for n in 0..TASKS {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            count(&store, &key, n).await.expect("nobody deletes the session");
        });
    }
    for n in 1..=8 {
        assert!(store.touch(&key, now + MS * n).await.expect("touch answers"));
    }
    tasks.join_all().await;
    let stored = load(&store, &key, now).await.expect("the session is there");
    assert_eq!(counted(&stored), TASKS, "counted in the data");
    assert_eq!(stored.version, 1 + TASKS as u64, "one version for each update");
    assert_eq!(stored.last_active_at, now + MS * 8, "and no touch is lost");
}

/// Once `delete` has answered, no update under way brings the session back, and none is
/// acknowledged any more.
pub async fn no_update_revives_a_deleted_session(store: Store) {
    let now = start();
    let key = create(&store, &session(now)).await;
    let mut tasks = JoinSet::new();
    for n in 0..64 {
        let store = Arc::clone(&store);
        tasks.spawn(async move { while count(&store, &key, n).await.is_some() {} });
    }
    while load(&store, &key, now).await.is_none_or(|record| counted(&record) == 0) {
        tokio::task::yield_now().await;
    }
    assert!(store.delete(&key, now).await.expect("delete answers"));
    assert!(load(&store, &key, now).await.is_none(), "gone as soon as delete has answered");
    // They end when they meet `Gone`, which they all must.
    tasks.join_all().await;
    assert!(load(&store, &key, now).await.is_none(), "and gone for good");
}

/// Adds one to the counter in the data. `None` if the session is gone.
async fn count(store: &Store, key: &SessionKey, task: usize) -> Option<()> {
    let now = start();
    loop {
        let stored = store.load(key, now).await.expect("load answers")?;
        // Lets others read the same version, however fast the store is.
        tokio::task::yield_now().await;
        let mut record = next(&stored);
        let value = to_raw_value(&(counted(&stored) + 1)).expect("a number is JSON");
        record.data.0.insert("count".into(), DataSlot { value, expires_at: None });
        match store.update(key, Arc::new(record), now).await.expect("update answers") {
            Update::Done => return Some(()),
            Update::Conflict => {}
            Update::Gone => {
                let seen = store.load(key, now).await.expect("load answers");
                assert!(seen.is_none(), "task {task} was told `Gone` of a session that is there");
                return None;
            }
        }
    }
}

fn counted(record: &SessionRecord) -> usize {
    record
        .data
        .0
        .get("count")
        .map_or(0, |slot| serde_json::from_str(slot.value.get()).expect("the counter is a number"))
}
