//! How many sessions a user may have at once.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::{sync::Barrier, task::JoinSet};
use uuid::Uuid;

use super::{
    super::{Create, SessionLimit, WhenFull},
    MS, Store, create, key, listed, load, session, session_of, start, user,
};
use crate::{secret::SessionKey, session::record::SessionRecord, user::UserKey};

fn limit(max: u32, full: WhenFull, now: DateTime<Utc>) -> SessionLimit {
    SessionLimit { max, full, except: None, now }
}

async fn log_in(store: &Store, record: &SessionRecord, limit: SessionLimit) -> Create {
    let created = store.create(&key(), Arc::new(record.clone()), Some(limit)).await;
    created.expect("create answers")
}

/// The live sessions of a user with so many, which began a minute apart.
async fn some(store: &Store, owner: &UserKey, count: i64, now: DateTime<Utc>) -> Vec<Uuid> {
    let mut handles = Vec::new();
    for ago in (1..=count).rev() {
        let record = session_of(owner, now - TimeDelta::minutes(ago));
        create(store, &record).await;
        handles.push(record.handle);
    }
    handles
}

/// Where a user has as many sessions as he may, one more is not stored, and all others go on.
pub async fn a_limit_refuses_a_session_too_many(store: Store) {
    let now = start();
    let owner = user("1");
    let mut expected = some(&store, &owner, 2, now).await;
    let third = session_of(&owner, now);
    let refuse = |max| limit(max, WhenFull::Refuse, now);
    for max in [1, 2] {
        assert_eq!(log_in(&store, &third, refuse(max)).await, Create::LimitReached);
        assert_eq!(listed(&store, &owner, now).await, expected, "nothing has changed");
    }
    assert_eq!(log_in(&store, &third, refuse(3)).await, Create::Done);
    expected.push(third.handle);
    assert_eq!(listed(&store, &owner, now).await, expected);
    let fourth = session_of(&owner, now);
    assert_eq!(log_in(&store, &fourth, refuse(u32::MAX)).await, Create::Done);
}

/// Where the oldest are to end, as many do as it takes, and the new session is there.
pub async fn a_limit_ends_the_oldest_sessions(store: Store) {
    let now = start();
    let owner = user("1");
    let mut expected = some(&store, &owner, 5, now).await;
    for (max, ended) in [(6, 0), (6, 1), (3, 4), (1, 3)] {
        // Not the newest by when it began: the limit is about the others.
        let new = session_of(&owner, now - TimeDelta::minutes(29));
        let created = log_in(&store, &new, limit(max, WhenFull::EndOldest, now)).await;
        assert_eq!(created, Create::Done);
        expected.drain(..ended);
        expected.push(new.handle);
        let mut found = listed(&store, &owner, now).await;
        found.sort_by_key(|handle| expected.iter().position(|other| other == handle));
        assert_eq!(found, expected, "of at most {max}");
        // So that it is the newest for the next.
        store.delete_by_handle(&owner, new.handle, now).await.expect("delete_by_handle answers");
        let again = SessionRecord { handle: new.handle, ..session_of(&owner, now) };
        create(&store, &again).await;
    }
}

/// The session that the new one replaces is not counted, and does not end for it.
pub async fn a_limit_does_not_count_the_session_that_is_replaced(store: Store) {
    let now = start();
    let owner = user("1");
    for full in [WhenFull::Refuse, WhenFull::EndOldest] {
        store.delete_by_user(&owner, None, now).await.expect("delete_by_user answers");
        let (old, other) = (session_of(&owner, now - TimeDelta::hours(2)), session_of(&owner, now));
        // Idle for two hours, by what `session_of` sets.
        let old = SessionRecord { last_active_at: now, ..old };
        let replaced = create(&store, &old).await;
        create(&store, &other).await;
        let limit = SessionLimit { except: Some(replaced), ..limit(2, full, now) };
        let new = session_of(&owner, now + TimeDelta::minutes(1));
        assert_eq!(log_in(&store, &new, limit).await, Create::Done, "{full:?}");
        let expected = [old.handle, other.handle, new.handle];
        assert_eq!(listed(&store, &owner, now).await, expected, "{full:?}");
        // A key that is nobody's, or somebody else's, excepts nothing.
        let except = Some(create(&store, &session_of(&user("2"), now)).await);
        let foreign = SessionLimit { except, ..limit };
        if full == WhenFull::Refuse {
            let refused = log_in(&store, &session_of(&owner, now), foreign).await;
            assert_eq!(refused, Create::LimitReached);
        }
    }
}

/// Expired sessions, anonymous ones and those of others are not counted, and do not end for it.
pub async fn a_limit_counts_what_is_alive_and_the_users(store: Store) {
    let now = start();
    let owner = user("1");
    for full in [WhenFull::Refuse, WhenFull::EndOldest] {
        let mut kept: Vec<SessionKey> = Vec::new();
        for other in [session_of(&user("2"), now), session_of(&user("11"), now), session(now)] {
            kept.push(create(&store, &other).await);
        }
        store.delete_by_user(&owner, None, now).await.expect("delete_by_user answers");
        let absolute = SessionRecord { expires_at: now, ..session_of(&owner, now - MS) };
        let idle = SessionRecord { idle_timeout: MS, ..session_of(&owner, now - MS) };
        create(&store, &absolute).await;
        create(&store, &idle).await;
        let new = session_of(&owner, now);
        assert_eq!(log_in(&store, &new, limit(1, full, now)).await, Create::Done, "{full:?}");
        assert_eq!(listed(&store, &owner, now).await, [new.handle], "{full:?}");
        for key in &kept {
            assert!(load(&store, key, now).await.is_some(), "others go on");
        }
    }
}

/// A session in which nobody is logged in has nobody whose sessions could be counted.
pub async fn a_limit_says_nothing_of_anonymous_sessions(store: Store) {
    let now = start();
    for full in [WhenFull::Refuse, WhenFull::EndOldest] {
        for _ in 0..3 {
            assert_eq!(log_in(&store, &session(now), limit(1, full, now)).await, Create::Done);
        }
    }
}

/// A session that is not stored because its key is taken costs nobody else's end.
pub async fn a_taken_key_ends_nothing_for_a_limit(store: Store) {
    let now = start();
    let owner = user("1");
    let expected = some(&store, &owner, 2, now).await;
    let taken = create(&store, &session(now)).await;
    let limit = Some(limit(1, WhenFull::EndOldest, now));
    let created = store.create(&taken, Arc::new(session_of(&owner, now)), limit).await;
    assert_eq!(created.expect("create answers"), Create::Taken);
    assert_eq!(listed(&store, &owner, now).await, expected);
}

/// Of so many logins of one user at the same moment, how many sessions were stored, and how many of
/// them are alive afterwards.
async fn race(store: &Store, logins: usize, max: u32, full: WhenFull) -> (usize, usize) {
    let now = start();
    let owner = user(&Uuid::new_v4().to_string());
    let together = Arc::new(Barrier::new(logins));
    let mut tasks = JoinSet::new();
    for _ in 0..logins {
        let (store, together) = (Arc::clone(store), Arc::clone(&together));
        let record = session_of(&owner, now);
        tasks.spawn(async move {
            together.wait().await;
            log_in(&store, &record, limit(max, full, now)).await
        });
    }
    let answers = tasks.join_all().await;
    let done = answers.iter().filter(|answer| **answer == Create::Done).count();
    let expected = if full == WhenFull::Refuse { Create::LimitReached } else { Create::Done };
    assert!(answers.iter().all(|answer| [Create::Done, expected].contains(answer)), "{answers:?}");
    (done, listed(store, &owner, now).await.len())
}

/// Of two logins at the same moment, one gets in where there is room for one; or both, and one of
/// the sessions has ended.
pub async fn two_logins_at_once_under_a_limit_of_one(store: Store) {
    for _ in 0..10 {
        assert_eq!(race(&store, 2, 1, WhenFull::Refuse).await, (1, 1));
        assert_eq!(race(&store, 2, 1, WhenFull::EndOldest).await, (2, 1));
    }
}

/// The same with more logins and more room.
pub async fn sixteen_logins_at_once_under_a_limit_of_three(store: Store) {
    for _ in 0..3 {
        assert_eq!(race(&store, 16, 3, WhenFull::Refuse).await, (3, 3));
        assert_eq!(race(&store, 16, 3, WhenFull::EndOldest).await, (16, 3));
    }
}
