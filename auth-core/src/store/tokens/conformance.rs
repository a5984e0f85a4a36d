//! What every store of refresh tokens and every deny list must do, as tests that a store author
//! runs against his own.
//!
//! # Examples
//!
//! ```no_run
//! # fn main() {}
//! # mod tests {
//! use std::sync::Arc;
//!
//! use auth_core::store::{DenyList, MemoryDenyList, MemoryTokens, TokenStore};
//!
//! async fn empty_store() -> Arc<dyn TokenStore> {
//!     Arc::new(MemoryTokens::new())
//! }
//! auth_core::token_store_conformance!(memory_tokens, empty_store);
//!
//! async fn empty_list() -> Arc<dyn DenyList> {
//!     Arc::new(MemoryDenyList::new())
//! }
//! auth_core::deny_list_conformance!(memory_deny_list, empty_list);
//! # }
//! ```
#![expect(clippy::missing_panics_doc, reason = "a case panics where the store is wrong")]

use std::{net::IpAddr, sync::Arc};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{FoundFamily, Presented, TokenFamily, TokenStore};
use crate::{
    secret::{RefreshKey, RefreshToken, SecurityStamp, TokenId},
    store::DenyList,
    user::UserKey,
};

/// Makes one `#[tokio::test]` of each case for a [`TokenStore`].
///
/// The first argument names the module of the tests. The second is an `async fn()` that returns an
/// empty store which no other test sees, as an `Arc<dyn TokenStore>`, or an `Option` of one: at
/// `None`, as when the server of that store is not there, the case is skipped.
///
/// The calling crate needs `tokio` with the features `macros` and `rt-multi-thread`.
#[macro_export]
macro_rules! token_store_conformance {
    ($suite:ident, $make:expr) => {
        $crate::__store_cases! { $suite, $make;
            creates_only_where_the_key_is_free
            gives_back_every_field
            tells_the_tokens_of_a_family_apart
            rotates_the_current_token_only
            one_of_many_rotations_succeeds
            an_expired_family_is_none
            a_rotation_moves_the_end
            a_deleted_family_never_comes_back
            lists_and_ends_the_families_of_a_user
            purges_what_has_expired
        }
    };
}

/// Makes one `#[tokio::test]` of each case for a [`DenyList`], as
/// [`token_store_conformance!`](crate::token_store_conformance) does.
#[macro_export]
macro_rules! deny_list_conformance {
    ($suite:ident, $make:expr) => {
        $crate::__store_cases! { $suite, $make;
            knows_what_was_denied
            denies_in_parallel
            the_later_end_counts
            forgets_what_has_expired
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __store_cases {
    ($suite:ident, $make:expr; $($case:ident)*) => {
        mod $suite {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[::tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $case() {
                    let store: ::core::option::Option<_> = ($make)().await.into();
                    if let ::core::option::Option::Some(store) = store {
                        $crate::store::token_conformance::$case(store).await;
                    }
                }
            )*
        }
    };
}

type Store = Arc<dyn TokenStore>;
type List = Arc<dyn DenyList>;

const MS: TimeDelta = TimeDelta::milliseconds(1);
const IDLE: TimeDelta = TimeDelta::days(14);
const ABSOLUTE: TimeDelta = TimeDelta::days(30);

/// Ahead of the clock, for stores that also let entries expire by a clock of their own.
fn start() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3) + TimeDelta::hours(1)
}

fn token() -> RefreshToken {
    RefreshToken::generate().expect("random numbers")
}

fn after(token: &RefreshToken) -> RefreshToken {
    token.successor().expect("random numbers")
}

fn user(id: &str) -> UserKey {
    UserKey::from(format!("users:{id}"))
}

fn family(user: &UserKey, at: DateTime<Utc>) -> TokenFamily {
    TokenFamily {
        handle: Uuid::new_v4(),
        user: user.clone(),
        stamp: SecurityStamp::of_epoch(7),
        login_at: at,
        created_at: at,
        last_used_at: at,
        idle_timeout: IDLE,
        expires_at: at + ABSOLUTE,
        token_lifetime: None,
        claims: None,
        ip: None,
        user_agent: None,
    }
}

async fn create(store: &Store, family: &TokenFamily) -> RefreshToken {
    let token = token();
    let created = store.create(&token.key(), Arc::new(family.clone())).await;
    assert!(created.expect("create answers"), "a family is created under a new key");
    token
}

async fn find(store: &Store, key: &RefreshKey, now: DateTime<Utc>) -> Option<FoundFamily> {
    store.find(key, now).await.expect("find answers")
}

async fn presented(store: &Store, token: &RefreshToken, now: DateTime<Utc>) -> Option<Presented> {
    find(store, &token.key(), now).await.map(|found| found.presented)
}

/// Exchanges a token as the framework does.
async fn rotate(
    store: &Store,
    token: &RefreshToken,
    next: &RefreshToken,
    now: DateTime<Utc>,
) -> bool {
    store.rotate(&token.key(), &next.key(), now, now + IDLE).await.expect("rotate answers")
}

/// `create` inserts and never replaces.
pub async fn creates_only_where_the_key_is_free(store: Store) {
    let now = start();
    let first = family(&user("1"), now);
    let token = create(&store, &first).await;
    let other = Arc::new(family(&user("2"), now));
    let again = store.create(&token.key(), other.clone()).await.expect("create answers");
    assert!(!again, "the key is taken");
    // The family is the key: another token of it is no new one.
    let again = store.create(&after(&token).key(), other).await.expect("create answers");
    assert!(!again, "the family is taken");
    let found = find(&store, &token.key(), now).await.expect("the first one is there");
    assert_eq!(*found.family, first);
}

/// What was stored is what is found.
pub async fn gives_back_every_field(store: Store) {
    let now = start();
    let full = TokenFamily {
        stamp: SecurityStamp::from_bytes([0xff, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 255]),
        login_at: now - TimeDelta::minutes(7),
        created_at: now - TimeDelta::minutes(5),
        token_lifetime: Some(TimeDelta::seconds(90)),
        claims: Some(r#"{"tenant":"日本語 \"quoted\" 'single' 🦀","n":[1,2.5]}"#.into()),
        ip: Some(IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0xff, 0, 1])),
        user_agent: Some("Mozilla/5.0 (X11; \u{fc}\u{4e2d}; rv:1)".into()),
        ..family(&user("Zoë 'Łukasz' 🦀"), now)
    };
    for expected in [full, family(&user("1"), now)] {
        let token = create(&store, &expected).await;
        let found = find(&store, &token.key(), now).await.expect("the family is there");
        assert_eq!(*found.family, expected);
        assert_eq!(found.presented, Presented::Current);
        let listed = store.list_by_user(&expected.user, now).await.expect("list answers");
        assert_eq!(listed.iter().map(|family| &**family).collect::<Vec<_>>(), [&expected]);
    }
}

/// The current token, the one before with its time, and all others.
pub async fn tells_the_tokens_of_a_family_apart(store: Store) {
    let now = start();
    let first = create(&store, &family(&user("1"), now)).await;
    let (second, third) = (after(&first), after(&first));
    assert_eq!(presented(&store, &second, now).await, Some(Presented::Older), "never issued");
    let rotated_at = now + TimeDelta::seconds(1);
    assert!(rotate(&store, &first, &second, rotated_at).await);
    let at = rotated_at + MS;
    assert_eq!(presented(&store, &first, at).await, Some(Presented::Previous { rotated_at }));
    assert_eq!(presented(&store, &second, at).await, Some(Presented::Current));
    let again = rotated_at + TimeDelta::seconds(1);
    assert!(rotate(&store, &second, &third, again).await);
    assert_eq!(presented(&store, &first, again).await, Some(Presented::Older));
    let previous = Presented::Previous { rotated_at: again };
    assert_eq!(presented(&store, &second, again).await, Some(previous));
    assert_eq!(presented(&store, &token(), again).await, None, "of no family");
}

/// A used token, one that never was, and one of another family exchange nothing.
pub async fn rotates_the_current_token_only(store: Store) {
    let now = start();
    let first = create(&store, &family(&user("1"), now)).await;
    let stranger = token();
    assert!(!rotate(&store, &stranger, &after(&stranger), now).await, "of no family");
    let second = after(&first);
    assert!(!rotate(&store, &second, &after(&first), now).await, "never issued");
    assert!(rotate(&store, &first, &second, now).await);
    assert!(!rotate(&store, &first, &after(&first), now).await, "used");
    assert_eq!(presented(&store, &second, now).await, Some(Presented::Current));
    let found = find(&store, &second.key(), now).await.expect("the family is there");
    assert_eq!(found.family.last_used_at, now);
}

/// Fifty at once: one exchange, one live token.
pub async fn one_of_many_rotations_succeeds(store: Store) {
    let now = start();
    let first = create(&store, &family(&user("1"), now)).await;
    let mut tasks = JoinSet::new();
    for _ in 0..50 {
        let (store, first) = (store.clone(), first.clone());
        tasks.spawn(async move {
            let next = after(&first);
            rotate(&store, &first, &next, now).await.then_some(next)
        });
    }
    let winners: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1, "one of fifty exchanges the token");
    assert_eq!(presented(&store, &winners[0], now).await, Some(Presented::Current));
}

/// At the instant of its end a family is gone for every method that asks for a live one.
pub async fn an_expired_family_is_none(store: Store) {
    let now = start();
    let owner = user("1");
    let short = TokenFamily { expires_at: now + TimeDelta::hours(1), ..family(&owner, now) };
    for (family, end) in [(family(&owner, now), now + IDLE), (short, now + TimeDelta::hours(1))] {
        let token = create(&store, &family).await;
        assert!(find(&store, &token.key(), end - MS).await.is_some());
        assert!(find(&store, &token.key(), end).await.is_none());
        assert!(!rotate(&store, &token, &after(&token), end).await);
        let listed = store.list_by_user(&owner, end).await.expect("list answers");
        assert!(!listed.iter().any(|listed| listed.handle == family.handle));
        assert!(
            store.delete(&token.key()).await.expect("delete answers"),
            "dead ones can be ended"
        );
    }
}

/// A family lives until the end that the last rotation names.
pub async fn a_rotation_moves_the_end(store: Store) {
    let now = start();
    let first = create(&store, &family(&user("1"), now)).await;
    let second = after(&first);
    let used = now + TimeDelta::days(13);
    assert!(rotate(&store, &first, &second, used).await);
    assert!(find(&store, &second.key(), used + IDLE - MS).await.is_some());
    assert!(find(&store, &second.key(), used + IDLE).await.is_none());
}

/// After a deletion nothing of the family is found or exchanged, also under races.
pub async fn a_deleted_family_never_comes_back(store: Store) {
    let now = start();
    for _ in 0..20 {
        let first = create(&store, &family(&user("1"), now)).await;
        let next = after(&first);
        let racing = {
            let (store, first, next) = (store.clone(), first.clone(), next.clone());
            tokio::spawn(async move { rotate(&store, &first, &next, now).await })
        };
        // Any token of the family ends all of it.
        assert!(store.delete(&after(&first).key()).await.expect("delete answers"));
        racing.await.expect("no panic");
        for token in [&first, &next] {
            assert!(find(&store, &token.key(), now).await.is_none());
            assert!(!rotate(&store, token, &after(token), now).await);
        }
        assert!(!store.delete(&first.key()).await.expect("delete answers"), "it is gone");
    }
}

/// Families are listed and ended by user and handle, and only that user's.
pub async fn lists_and_ends_the_families_of_a_user(store: Store) {
    let now = start();
    let (ann, bob) = (user("ann"), user("Ann"));
    let mut handles = Vec::new();
    let mut tokens = Vec::new();
    for minutes in [2, 1, 3] {
        let family = family(&ann, now + TimeDelta::minutes(minutes));
        tokens.push(create(&store, &family).await);
        handles.push((family.created_at, family.handle));
    }
    let others = create(&store, &family(&bob, now)).await;
    handles.sort();
    let handles: Vec<_> = handles.into_iter().map(|(_, handle)| handle).collect();
    let listed = async |user: &UserKey| {
        let families = store.list_by_user(user, now).await.expect("list answers");
        families.iter().map(|family| family.handle).collect::<Vec<_>>()
    };
    assert_eq!(listed(&ann).await, handles, "oldest first");
    let end = async |user: &UserKey, handle| {
        store.delete_by_handle(user, handle).await.expect("delete_by_handle answers")
    };
    assert!(!end(&bob, handles[0]).await, "another user's");
    assert!(end(&ann, handles[0]).await);
    assert!(!end(&ann, handles[0]).await, "it is gone");
    assert_eq!(listed(&ann).await, handles[1..]);
    assert_eq!(store.delete_by_user(&ann).await.expect("delete_by_user answers"), 2);
    for token in &tokens {
        assert!(find(&store, &token.key(), now).await.is_none());
    }
    assert!(find(&store, &others.key(), now).await.is_some(), "another user's");
}

/// `purge_expired` removes the dead and counts them.
pub async fn purges_what_has_expired(store: Store) {
    let now = start();
    let live = create(&store, &family(&user("1"), now)).await;
    for _ in 0..3 {
        create(&store, &TokenFamily { expires_at: now + MS, ..family(&user("1"), now) }).await;
    }
    assert_eq!(store.purge_expired(now).await.expect("purge answers"), 0);
    assert_eq!(store.purge_expired(now + MS).await.expect("purge answers"), 3);
    assert_eq!(store.purge_expired(now + MS).await.expect("purge answers"), 0);
    assert!(find(&store, &live.key(), now + MS).await.is_some());
}

async fn deny(list: &List, id: &TokenId, until: DateTime<Utc>) {
    list.deny(id, until, start()).await.expect("deny answers");
}

async fn is_denied(list: &List, id: &TokenId, now: DateTime<Utc>) -> bool {
    let denied = list.is_denied(id, now).await.expect("is_denied answers");
    if let Some(at_once) = list.is_denied_now(id, now) {
        assert_eq!(at_once.expect("is_denied_now answers"), denied);
    }
    denied
}

/// One token of one issuer is denied, and no other.
pub async fn knows_what_was_denied(list: List) {
    let (now, id) = (start(), TokenId::new("https://a", "1"));
    assert!(!is_denied(&list, &id, now).await);
    deny(&list, &id, now + IDLE).await;
    assert!(is_denied(&list, &id, now).await);
    for other in [TokenId::new("https://b", "1"), TokenId::new("https://a", "2")] {
        assert!(!is_denied(&list, &other, now).await);
    }
}

/// Denying twice is no fault, also at once.
pub async fn denies_in_parallel(list: List) {
    let (now, id) = (start(), TokenId::new("https://a", "1"));
    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        let list = list.clone();
        tasks.spawn(async move { deny(&list, &id, now + IDLE).await });
    }
    tasks.join_all().await;
    assert!(is_denied(&list, &id, now).await);
}

/// An earlier end does not shorten a later one.
pub async fn the_later_end_counts(list: List) {
    let (now, id) = (start(), TokenId::new("https://a", "1"));
    deny(&list, &id, now + TimeDelta::hours(2)).await;
    deny(&list, &id, now + TimeDelta::hours(1)).await;
    assert!(is_denied(&list, &id, now + TimeDelta::hours(2) - MS).await);
}

/// `purge_expired` removes and counts what has ended, and nothing else.
pub async fn forgets_what_has_expired(list: List) {
    let now = start();
    let ids = ["1", "2", "3"].map(|jti| TokenId::new("https://a", jti));
    for (id, hours) in ids.iter().zip(1..) {
        deny(&list, id, now + TimeDelta::hours(hours)).await;
    }
    let at = now + TimeDelta::hours(2);
    assert!(!is_denied(&list, &ids[1], at).await);
    assert_eq!(list.purge_expired(at).await.expect("purge answers"), 2);
    assert_eq!(list.purge_expired(at).await.expect("purge answers"), 0);
    assert!(is_denied(&list, &ids[2], at).await);
}
