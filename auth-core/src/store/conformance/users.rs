//! The sessions of one user.

use std::sync::Arc;

use chrono::TimeDelta;

use super::{
    super::Update, ABSOLUTE, IDLE, MS, Store, assert_same, create, listed, load, next, session,
    session_of, start, user,
};
use crate::{
    secret::{SecurityStamp, SessionKey},
    session::record::{SessionLogin, SessionRecord},
    user::UserKey,
};

async fn end_all(store: &Store, user: &UserKey, except: Option<&SessionKey>) -> u64 {
    store.delete_by_user(user, except, start()).await.expect("delete_by_user answers")
}

/// `list_by_user` gives the live sessions of one user in the order in which they began.
pub async fn lists_the_sessions_of_a_user_oldest_first(store: Store) {
    let now = start();
    let owner = user("1");
    let mut expected = Vec::new();
    for minutes in [3, 1, 2, 5, 4] {
        let record = session_of(&owner, now + TimeDelta::minutes(minutes));
        create(&store, &record).await;
        expected.push((record.created_at, record.handle));
    }
    create(&store, &session(now)).await;
    create(&store, &session_of(&user("2"), now)).await;
    let dead = SessionRecord { expires_at: now + MS, ..session_of(&owner, now) };
    create(&store, &dead).await;

    expected.sort();
    let handles: Vec<_> = expected.into_iter().map(|(_, handle)| handle).collect();
    assert_eq!(listed(&store, &owner, now + TimeDelta::minutes(5)).await, handles);
    assert!(listed(&store, &user("3"), now).await.is_empty(), "a user without sessions");
}

/// `list` gives the live sessions of all users in the order in which they began, as many as asked
/// for, and no anonymous ones.
pub async fn lists_everybodys_sessions_in_parts(store: Store) {
    let now = start();
    let mut expected = Vec::new();
    for (minutes, owner) in [(3, "1"), (1, "2"), (2, "1"), (5, "3"), (4, "2")] {
        let record = session_of(&user(owner), now + TimeDelta::minutes(minutes));
        create(&store, &record).await;
        expected.push((record.created_at, record.handle));
    }
    create(&store, &session(now)).await;
    let dead = SessionRecord { expires_at: now + MS, ..session_of(&user("1"), now) };
    create(&store, &dead).await;

    expected.sort();
    let handles: Vec<_> = expected.into_iter().map(|(_, handle)| handle).collect();
    let now = now + TimeDelta::minutes(5);
    for (skip, take) in [(0, 100), (0, 2), (2, 2), (4, 2), (5, 2), (0, 0), (u32::MAX, u32::MAX)] {
        let part = store.list(skip, take, now).await.expect("list answers");
        let part: Vec<_> = part.iter().map(|record| record.handle).collect();
        let expected: Vec<_> =
            handles.iter().skip(skip as usize).take(take as usize).copied().collect();
        assert_eq!(part, expected, "{take} after {skip}");
    }
}

/// User keys are compared as they are: no pattern, no prefix, no case, no trimming.
pub async fn tells_similar_user_names_apart(store: Store) {
    let now = start();
    let names = [
        "users:1",
        "users:10",
        "users:1%",
        "users:%",
        "users:_",
        "users:",
        "users:1 ",
        " users:1",
        "users:a",
        "users:A",
        "Users:1",
        "users:1'",
        "users:1\"",
        "users:1\\",
        "users:1*",
        "users:[1]",
        "users:?",
        "users:e\u{301}",
        "users:\u{e9}",
        "users:e",
        "user:1",
        "admins:1",
    ];
    let mut sessions = Vec::new();
    for name in names {
        let user = UserKey::from(name.to_owned());
        let record = session_of(&user, now);
        sessions.push((user, create(&store, &record).await, record.handle));
    }
    for (user, _, handle) in &sessions {
        assert_eq!(listed(&store, user, now).await, [*handle], "the sessions of {user:?}");
    }
    for (ended, (user, key, _)) in sessions.iter().enumerate() {
        assert_eq!(end_all(&store, user, None).await, 1, "the sessions of {user:?}");
        assert!(load(&store, key, now).await.is_none());
        for (other, key, _) in &sessions[ended + 1..] {
            assert!(load(&store, key, now).await.is_some(), "{user:?} is not {other:?}");
        }
    }
}

/// `delete_by_handle` ends the session of that handle, and only if it is the user's.
pub async fn ends_one_session_of_a_user_by_its_handle(store: Store) {
    let now = start();
    let (owner, other) = (user("1"), user("2"));
    let end = async |user: &UserKey, handle, at| {
        store.delete_by_handle(user, handle, at).await.expect("delete_by_handle answers")
    };
    let (one, two) = (session_of(&owner, now), session_of(&owner, now));
    let (one_key, two_key) = (create(&store, &one).await, create(&store, &two).await);
    let anonymous = session(now);
    let anonymous_key = create(&store, &anonymous).await;

    assert!(!end(&other, one.handle, now).await, "somebody else's handle");
    assert!(!end(&owner, anonymous.handle, now).await, "nobody's handle");
    assert!(load(&store, &one_key, now).await.is_some());
    assert!(load(&store, &anonymous_key, now).await.is_some());

    assert!(end(&owner, one.handle, now).await);
    assert!(!end(&owner, one.handle, now).await, "once");
    assert!(load(&store, &one_key, now).await.is_none());
    assert_eq!(listed(&store, &owner, now).await, [two.handle], "the other one goes on");

    // An expired session is no session to end, and is gone for slower clocks too.
    assert!(!end(&owner, two.handle, now + ABSOLUTE).await);
    assert!(load(&store, &two_key, now).await.is_none());
}

/// `delete_by_user` ends every session of the user, counts them, and touches no other.
pub async fn ends_all_sessions_of_a_user(store: Store) {
    let now = start();
    let (owner, other) = (user("1"), user("2"));
    let mut theirs = Vec::new();
    for _ in 0..3 {
        theirs.push(create(&store, &session_of(&owner, now)).await);
    }
    let kept =
        [create(&store, &session_of(&other, now)).await, create(&store, &session(now)).await];
    assert_eq!(end_all(&store, &owner, None).await, 3);
    assert_eq!(end_all(&store, &owner, None).await, 0, "once");
    for key in &theirs {
        assert!(load(&store, key, now).await.is_none());
    }
    for key in &kept {
        assert!(load(&store, key, now).await.is_some(), "others go on");
    }
    assert!(listed(&store, &owner, now).await.is_empty());
}

/// `delete_by_user` can spare one session, and a session that is not the user's spares nothing.
pub async fn ends_all_sessions_of_a_user_but_one(store: Store) {
    let now = start();
    let owner = user("1");
    let current = session_of(&owner, now);
    let current_key = create(&store, &current).await;
    let others = [
        create(&store, &session_of(&owner, now)).await,
        create(&store, &session_of(&owner, now)).await,
    ];
    let foreign = create(&store, &session_of(&user("2"), now)).await;

    assert_eq!(end_all(&store, &owner, Some(&current_key)).await, 2);
    for key in &others {
        assert!(load(&store, key, now).await.is_none());
    }
    assert_eq!(listed(&store, &owner, now).await, [current.handle]);

    assert_eq!(end_all(&store, &owner, Some(&foreign)).await, 1);
    assert!(load(&store, &current_key, now).await.is_none());
    assert!(load(&store, &foreign, now).await.is_some());
}

/// After an `update` that changes the user, the session is the new user's and no longer the old
/// one's.
pub async fn a_change_of_the_user_moves_the_session(store: Store) {
    let now = start();
    let login = |user: &UserKey| SessionLogin {
        user: user.clone(),
        stamp: SecurityStamp::of_epoch(1),
        at: now,
    };
    let (a, b) = (user("a"), user("b"));
    let mut record = session(now);
    let key = create(&store, &record).await;
    for user in [Some(&a), Some(&b), None, Some(&a)] {
        record = SessionRecord { login: user.map(login), ..next(&record) };
        let update = store.update(&key, Arc::new(record.clone()), now).await;
        assert_eq!(update.expect("update answers"), Update::Done);
        for each in [&a, &b] {
            let expected = if user == Some(each) { vec![record.handle] } else { vec![] };
            assert_eq!(listed(&store, each, now).await, expected, "of {each:?} when {user:?}");
        }
    }
    assert_eq!(end_all(&store, &b, None).await, 0, "a former user's logout is not the session's");
    assert!(load(&store, &key, now).await.is_some());
    assert_eq!(end_all(&store, &a, None).await, 1);
    assert!(load(&store, &key, now).await.is_none());
}

/// A list shows what `load` shows: the last activity and the last update.
pub async fn a_listed_session_is_as_fresh_as_a_loaded_one(store: Store) {
    let now = start();
    let owner = user("1");
    let record = SessionRecord { idle_timeout: ABSOLUTE, ..session_of(&owner, now) };
    let key = create(&store, &record).await;
    let later = now + IDLE;
    let changed = SessionRecord { user_agent: Some("new".into()), ..next(&record) };
    let update = store.update(&key, Arc::new(changed.clone()), now).await;
    assert_eq!(update.expect("update answers"), Update::Done);
    assert!(store.touch(&key, later).await.expect("touch answers"));
    let listed = store.list_by_user(&owner, later).await.expect("list_by_user answers");
    assert_eq!(listed.len(), 1);
    assert_same(&listed[0], &SessionRecord { last_active_at: later, ..changed });
    assert_same(&listed[0], &load(&store, &key, later).await.expect("the session is there"));
}
