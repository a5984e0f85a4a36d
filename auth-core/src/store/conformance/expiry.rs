//! Expiry, `touch`, `purge_expired`.

use std::sync::Arc;

use chrono::TimeDelta;
use tokio::task::JoinSet;

use super::{
    super::Update, ABSOLUTE, IDLE, MS, Store, assert_same, create, full_session, key, load, next,
    session, session_of, start, user,
};
use crate::session::record::SessionRecord;

/// An unused session lives until its idle timeout, and not at that instant.
pub async fn dies_of_idleness_at_the_instant(store: Store) {
    let now = start();
    let key = create(&store, &session(now)).await;
    assert!(load(&store, &key, now + IDLE - MS).await.is_some(), "it lives until then");
    assert!(load(&store, &key, now + IDLE).await.is_none(), "it is dead at that instant");
    assert!(load(&store, &key, now + IDLE + MS).await.is_none(), "and after it");
}

/// A session that is used all the time ends at its absolute limit, and not after it.
pub async fn dies_at_the_absolute_limit(store: Store) {
    let now = start();
    let record = SessionRecord { expires_at: now + TimeDelta::minutes(5), ..session(now) };
    let key = create(&store, &record).await;
    let end = record.expires_at;
    assert!(load(&store, &key, end - MS).await.is_some(), "it lives until then");
    assert!(store.touch(&key, end - MS).await.expect("touch answers"));
    assert!(load(&store, &key, end).await.is_none(), "it is dead at that instant");
}

/// An idle timeout that no calendar can hold means "only the absolute limit".
pub async fn an_endless_idle_timeout_ends_at_the_absolute_limit(store: Store) {
    let now = start();
    let record = SessionRecord { idle_timeout: TimeDelta::MAX, ..session(now) };
    let key = create(&store, &record).await;
    let end = record.expires_at;
    for at in [now, now + MS, end - MS] {
        assert!(load(&store, &key, at).await.is_some(), "it lives at {at}");
        assert!(store.touch(&key, at).await.expect("touch answers"));
    }
    let stored = load(&store, &key, end - MS).await.expect("the session is there");
    let update = store.update(&key, Arc::new(next(&stored)), end - MS).await;
    assert_eq!(update.expect("update answers"), Update::Done);
    assert!(load(&store, &key, end - MS).await.is_some());
    assert!(load(&store, &key, end).await.is_none());
}

/// An expired session that was not purged is no session to any method.
pub async fn an_expired_session_is_invisible(store: Store) {
    let now = start();
    let owner = user("1");
    let record = session_of(&owner, now);
    let key = create(&store, &record).await;
    let end = now + IDLE;
    assert!(load(&store, &key, end).await.is_none());
    let update = store.update(&key, Arc::new(next(&record)), end).await.expect("update answers");
    assert_eq!(update, Update::Gone);
    let stale = store.update(&key, Arc::new(record.clone()), end).await.expect("update answers");
    assert_eq!(stale, Update::Gone, "a wrong version does not make a conflict of it");
    assert!(!store.touch(&key, end).await.expect("touch answers"));
    assert!(store.list_by_user(&owner, end).await.expect("list_by_user answers").is_empty());
    assert!(load(&store, &key, end).await.is_none(), "and none of that revived it");
    assert!(!store.delete(&key, end).await.expect("delete answers"), "nothing is left to end");

    create(&store, &record).await;
    let ended = store.delete_by_user(&owner, None, end).await.expect("delete_by_user answers");
    assert_eq!(ended, 0, "nothing is left to end");
}

/// Deleting ends an expired session too: the clock of another process may be behind, and the
/// session is alive there.
pub async fn a_deleted_session_is_gone_for_slower_clocks_too(store: Store) {
    let now = start();
    let owner = user("1");
    let one = create(&store, &session_of(&owner, now)).await;
    let two = create(&store, &session_of(&owner, now)).await;
    let (end, behind) = (now + IDLE, now + IDLE - MS);
    store.delete(&one, end).await.expect("delete answers");
    assert!(load(&store, &one, behind).await.is_none(), "delete");
    store.delete_by_user(&owner, None, end).await.expect("delete_by_user answers");
    assert!(load(&store, &two, behind).await.is_none(), "delete_by_user");
}

/// `touch` sets the time of the last activity, unless a later one is stored.
pub async fn a_touch_moves_the_last_activity_forward_only(store: Store) {
    let now = start();
    let key = create(&store, &session(now)).await;
    let later = now + TimeDelta::minutes(10);
    for (at, last_active_at) in [(later, later), (now, later), (later - MS, later)] {
        assert!(store.touch(&key, at).await.expect("touch answers"), "the session is there");
        let stored = load(&store, &key, later).await.expect("the session is there");
        assert_eq!(stored.last_active_at, last_active_at, "after a touch at {at}");
    }
    assert!(load(&store, &key, later + IDLE - MS).await.is_some(), "an old touch shortens nothing");
}

/// `touch` puts off the death of idleness, up to the absolute limit.
pub async fn a_touch_extends_within_the_absolute_limit(store: Store) {
    let now = start();
    let key = create(&store, &session(now)).await;
    let mut at = now;
    while at + IDLE - MS < now + ABSOLUTE {
        at += IDLE - MS;
        assert!(store.touch(&key, at).await.expect("touch answers"), "it is alive at {at}");
    }
    assert!(load(&store, &key, now + ABSOLUTE - MS).await.is_some());
    assert!(load(&store, &key, now + ABSOLUTE).await.is_none());
}

/// `touch` leaves the version and everything else as it was, so that it is no conflict.
pub async fn a_touch_changes_nothing_else(store: Store) {
    let now = start();
    let record = full_session(now);
    let key = create(&store, &record).await;
    let later = now + TimeDelta::minutes(3);
    assert!(store.touch(&key, later).await.expect("touch answers"));
    let stored = load(&store, &key, later).await.expect("the session is there");
    assert_same(&stored, &SessionRecord { last_active_at: later, ..record.clone() });
    let update = store.update(&key, Arc::new(next(&record)), later).await;
    assert_eq!(update.expect("update answers"), Update::Done);
}

/// `touch` does not insert.
pub async fn a_touch_of_nothing_makes_nothing(store: Store) {
    let now = start();
    let key = key();
    assert!(!store.touch(&key, now).await.expect("touch answers"));
    assert!(load(&store, &key, now).await.is_none());
}

/// `purge_expired` removes what has expired, by idleness or absolutely, counts it, and leaves the
/// rest.
pub async fn purging_removes_what_has_expired_and_counts_it(store: Store) {
    let now = start();
    let owner = user("1");
    let at = now + IDLE;
    let short = SessionRecord { expires_at: now + TimeDelta::minutes(1), ..session(now) };
    let dead = [
        create(&store, &session(now)).await,
        create(&store, &session_of(&owner, now)).await,
        create(&store, &short).await,
    ];
    let touched = create(&store, &session(now)).await;
    assert!(store.touch(&touched, now + MS).await.expect("touch answers"));
    let young = create(&store, &session_of(&owner, now + MS)).await;

    assert_eq!(store.purge_expired(at).await.expect("purge_expired answers"), 3);
    assert_eq!(store.purge_expired(at).await.expect("purge_expired answers"), 0, "once");
    for key in &dead {
        // They lived at that time; a purged session is gone at any time.
        assert!(load(&store, key, now).await.is_none());
    }
    for key in [&touched, &young] {
        assert!(load(&store, key, at).await.is_some(), "a live session is left alone");
    }
    assert_eq!(store.list_by_user(&owner, now).await.expect("list_by_user answers").len(), 1);
}

/// A `touch` that meets a `delete` does not bring the session back.
pub async fn no_touch_revives_a_deleted_session(store: Store) {
    let now = start();
    for _ in 0..16 {
        let key = create(&store, &session(now)).await;
        let mut tasks = JoinSet::new();
        for n in 1..=8 {
            let store = Arc::clone(&store);
            tasks.spawn(async move { store.touch(&key, now + MS * n).await.map(|_| ()) });
        }
        assert!(store.delete(&key, now).await.expect("delete answers"));
        assert!(load(&store, &key, now).await.is_none(), "gone as soon as delete has answered");
        for touch in tasks.join_all().await {
            touch.expect("touch answers");
        }
        assert!(load(&store, &key, now).await.is_none(), "and gone for good");
    }
}
