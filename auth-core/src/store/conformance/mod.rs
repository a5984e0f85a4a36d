//! What every session store must do, as tests that a store author runs against his own.
//!
//! [`session_store_conformance!`](crate::session_store_conformance) makes one test of each case
//! here, so that a failure names the obligation that was broken.
//!
//! # Examples
//!
//! ```no_run
//! # fn main() {}
//! # mod tests {
//! use std::sync::Arc;
//!
//! use auth_core::store::{MemorySessions, SessionStore};
//!
//! async fn empty_store() -> Arc<dyn SessionStore> {
//!     Arc::new(MemorySessions::new())
//! }
//!
//! auth_core::session_store_conformance!(memory_sessions, empty_store);
//! # }
//! ```
#![expect(clippy::missing_panics_doc, reason = "a case panics where the store is wrong")]

use std::{net::IpAddr, sync::Arc};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde_json::{Value, value::to_raw_value};
use uuid::Uuid;

use super::{Create, SessionStore};
use crate::{
    secret::{SecurityStamp, SessionKey, SessionToken},
    session::record::{DataSlot, SessionData, SessionLogin, SessionRecord},
    user::UserKey,
};

mod columns;
mod crowds;
mod expiry;
mod lifecycle;
mod limit;
mod update;
mod users;

pub use self::{columns::*, crowds::*, expiry::*, lifecycle::*, limit::*, update::*, users::*};

/// Makes one `#[tokio::test]` of each case in [`store::conformance`](crate::store::conformance).
///
/// The first argument names the module of the tests. The second is an `async fn()` that returns an
/// empty store which no other test sees, as an `Arc<dyn SessionStore>`. It may return an
/// `Option` of one: at `None`, as when the server of that store is not there, the case is skipped.
///
/// The calling crate needs `tokio` with the features `macros` and `rt-multi-thread`.
///
/// A store whose columns must be declared declares [`COLUMNS`](crate::store::conformance::COLUMNS).
///
/// The cases use times about one hour ahead, so that a store that also lets entries expire by a
/// clock of its own does not remove them early.
#[macro_export]
macro_rules! session_store_conformance {
    ($suite:ident, $make:expr) => {
        mod $suite {
            #[allow(unused_imports)]
            use super::*;

            $crate::session_store_conformance! { @one $make;
                creates_only_where_the_key_is_free
                creates_once_from_many_tasks
                gives_back_every_field
                gives_back_a_session_without_optional_fields
                keeps_times_to_the_millisecond
                finds_nothing_under_a_similar_key
                keeps_two_sessions_of_one_handle
                a_deleted_session_is_gone
                dies_of_idleness_at_the_instant
                dies_at_the_absolute_limit
                an_endless_idle_timeout_ends_at_the_absolute_limit
                an_expired_session_is_invisible
                a_deleted_session_is_gone_for_slower_clocks_too
                a_touch_moves_the_last_activity_forward_only
                a_touch_extends_within_the_absolute_limit
                a_touch_changes_nothing_else
                a_touch_of_nothing_makes_nothing
                purging_removes_what_has_expired_and_counts_it
                an_update_replaces_every_field
                an_update_wants_the_version_before_its_own
                an_update_of_nothing_makes_nothing
                an_update_never_moves_the_last_activity_back
                an_update_moves_the_expiry
                no_update_is_lost
                no_part_of_the_data_is_lost
                no_update_revives_a_deleted_session
                no_touch_revives_a_deleted_session
                nothing_revives_the_sessions_of_a_user
                a_clock_that_is_behind_sees_what_was_just_stored
                a_clock_that_is_ahead_ends_nothing_by_looking
                lists_the_sessions_of_a_user_oldest_first
                lists_everybodys_sessions_in_parts
                tells_similar_user_names_apart
                ends_one_session_of_a_user_by_its_handle
                ends_all_sessions_of_a_user
                ends_all_sessions_of_a_user_but_one
                a_change_of_the_user_moves_the_session
                a_listed_session_is_as_fresh_as_a_loaded_one
                names_the_keys_of_a_user
                keeps_the_columns_of_the_application
                a_limit_refuses_a_session_too_many
                a_limit_ends_the_oldest_sessions
                a_limit_does_not_count_the_session_that_is_replaced
                a_limit_counts_what_is_alive_and_the_users
                a_limit_says_nothing_of_anonymous_sessions
                a_taken_key_ends_nothing_for_a_limit
                two_logins_at_once_under_a_limit_of_one
                sixteen_logins_at_once_under_a_limit_of_three
            }
            $crate::session_store_conformance! { @two $make; two_stores_share_nothing }
        }
    };
    (@one $make:expr; $($case:ident)*) => {$(
        #[::tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $case() {
            let store: ::core::option::Option<_> = ($make)().await.into();
            if let ::core::option::Option::Some(store) = store {
                $crate::store::conformance::$case(store).await;
            }
        }
    )*};
    (@two $make:expr; $($case:ident)*) => {$(
        #[::tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $case() {
            let one: ::core::option::Option<_> = ($make)().await.into();
            let two: ::core::option::Option<_> = ($make)().await.into();
            if let (::core::option::Option::Some(one), ::core::option::Option::Some(two)) =
                (one, two)
            {
                $crate::store::conformance::$case(one, two).await;
            }
        }
    )*};
}

/// The store under test.
type Store = Arc<dyn SessionStore>;

const MS: TimeDelta = TimeDelta::milliseconds(1);
const IDLE: TimeDelta = TimeDelta::minutes(30);
const ABSOLUTE: TimeDelta = TimeDelta::hours(12);

/// The moment at which a case begins, in whole milliseconds.
fn start() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3) + TimeDelta::hours(1)
}

fn key() -> SessionKey {
    SessionToken::generate().expect("random numbers").key()
}

/// An anonymous session that begins at that time.
fn session(at: DateTime<Utc>) -> SessionRecord {
    SessionRecord {
        handle: Uuid::new_v4(),
        login: None,
        data: SessionData::default(),
        created_at: at,
        last_active_at: at,
        idle_timeout: IDLE,
        expires_at: at + ABSOLUTE,
        persistent: false,
        ip: None,
        user_agent: None,
        columns: Default::default(),
        version: 1,
    }
}

/// A session in which that user logged in at that time.
fn session_of(user: &UserKey, at: DateTime<Utc>) -> SessionRecord {
    let login = SessionLogin { user: user.clone(), stamp: SecurityStamp::of_epoch(1), at };
    SessionRecord { login: Some(login), ..session(at) }
}

/// A session with a value in every field, and text of several scripts.
fn full_session(at: DateTime<Utc>) -> SessionRecord {
    let mut data = SessionData::default();
    let cart =
        r#"{"items":[{"n":1,"π":3.25}],"note":"日本語 \"quoted\" 'single' 🦀 %_?$1 \u0000"}"#;
    data.0.insert(String::new(), slot(r#"{"big":9007199254740993,"none":null}"#, None));
    data.0.insert("Cart".into(), slot(cart, Some(at + TimeDelta::minutes(5))));
    SessionRecord {
        login: Some(SessionLogin {
            user: user("Zoë 'Łukasz' 🦀"),
            stamp: SecurityStamp::from_bytes([
                0xff, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 255,
            ]),
            at: at - TimeDelta::minutes(7),
        }),
        data,
        created_at: at - TimeDelta::minutes(9),
        persistent: true,
        ip: Some(IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0xff, 0, 1])),
        user_agent: Some("Mozilla/5.0 (X11; \u{fc}\u{4e2d}; rv:1)".into()),
        version: 41,
        ..session(at)
    }
}

fn slot(json: &str, expires_at: Option<DateTime<Utc>>) -> DataSlot {
    let value = serde_json::from_str::<Value>(json).expect("a test writes JSON");
    DataSlot { value: to_raw_value(&value).expect("a test writes JSON"), expires_at }
}

fn user(id: &str) -> UserKey {
    UserKey::from(format!("users:{id}"))
}

/// The record that follows this one.
fn next(record: &SessionRecord) -> SessionRecord {
    SessionRecord { version: record.version + 1, ..record.clone() }
}

async fn create(store: &Store, record: &SessionRecord) -> SessionKey {
    let key = key();
    let created = store.create(&key, Arc::new(record.clone()), None).await;
    let created = created.expect("create answers");
    assert_eq!(created, Create::Done, "a session is created under a new key");
    key
}

/// Loads a session both ways.
async fn load(store: &Store, key: &SessionKey, now: DateTime<Utc>) -> Option<Arc<SessionRecord>> {
    let loaded = store.load(key, now).await.expect("load answers");
    if let Some(at_once) = store.load_now(key, now) {
        let at_once = at_once.expect("load_now answers");
        assert_eq!(
            loaded.as_ref().map(|record| (record.handle, record.last_active_at)),
            at_once.as_ref().map(|record| (record.handle, record.last_active_at)),
            "load_now sees what load sees"
        );
    }
    loaded
}

async fn listed(store: &Store, user: &UserKey, now: DateTime<Utc>) -> Vec<Uuid> {
    let records = store.list_by_user(user, now).await.expect("list_by_user answers");
    records.iter().map(|record| record.handle).collect()
}

/// Compares field by field. Data is compared as JSON: a store may keep it in a JSON column, which
/// keeps the meaning and not the spaces.
#[track_caller]
fn assert_same(stored: &SessionRecord, expected: &SessionRecord) {
    let json = |record: &SessionRecord| -> Value {
        let text = record.data.to_json().expect("data is JSON");
        serde_json::from_str(&text).expect("data is JSON")
    };
    assert_eq!(stored.handle, expected.handle, "handle");
    assert_eq!(stored.login, expected.login, "login (the stamp is not shown)");
    assert_eq!(json(stored), json(expected), "data");
    assert_eq!(stored.created_at, expected.created_at, "created_at");
    assert_eq!(stored.last_active_at, expected.last_active_at, "last_active_at");
    assert_eq!(stored.idle_timeout, expected.idle_timeout, "idle_timeout");
    assert_eq!(stored.expires_at, expected.expires_at, "expires_at");
    assert_eq!(stored.persistent, expected.persistent, "persistent");
    assert_eq!(stored.ip, expected.ip, "ip");
    assert_eq!(stored.user_agent, expected.user_agent, "user_agent");
    assert_eq!(
        stored.columns.iter().collect::<Vec<_>>(),
        expected.columns.iter().collect::<Vec<_>>(),
        "columns"
    );
    assert_eq!(stored.version, expected.version, "version");
}
