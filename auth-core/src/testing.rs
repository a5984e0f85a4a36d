//! Stores that fail on demand and count their calls, for tests of what stands on them.
//!
//! A fault must never become an access decision, and a request that needs no session must not ask
//! for one; these doubles are how a test shows it.

use std::{
    fmt,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    access_keys::NonceHash,
    error::Error,
    secret::{SessionKey, TokenId},
    session::record::{SessionColumn, SessionRecord},
    store::{Create, SessionLimit, SessionStore, Update},
    user::{AuthUser, UserKey},
    users::{Lookup, PasswordChange, UserStore},
};

/// What a [`NonceStore`](crate::access_keys::NonceStore) sees of a signed request.
#[must_use]
pub fn nonce(nonce: &[u8]) -> NonceHash {
    NonceHash::of("nonce", "key", nonce)
}

/// What a switched store says.
const FAULT: &str = "switched to fail by a test";

/// Declares how often each method was called, as the public snapshot and the counters behind it.
macro_rules! calls {
    ($(#[$meta:meta])* $snapshot:ident, $counters:ident { $($method:ident),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $snapshot {
            $(
                #[doc = concat!("Calls of `", stringify!($method), "`.")]
                pub $method: usize,
            )*
        }

        impl $snapshot {
            /// All calls together.
            #[must_use]
            pub fn total(&self) -> usize {
                0 $(+ self.$method)*
            }
        }

        #[derive(Debug, Default)]
        struct $counters {
            fails: AtomicBool,
            waits: AtomicBool,
            $($method: AtomicUsize,)*
        }

        impl $counters {
            fn snapshot(&self) -> $snapshot {
                $snapshot { $($method: self.$method.load(SeqCst),)* }
            }

            fn reset(&self) {
                $(self.$method.store(0, SeqCst);)*
            }

            fn fails(&self) -> bool {
                self.fails.load(SeqCst)
            }

            fn waits(&self) -> bool {
                self.waits.load(SeqCst)
            }
        }
    };
}

calls! {
    /// How often each method of a [`FailingSessions`] was called, failed calls included.
    SessionCalls, SessionCounters {
        create, load, update, touch, delete, list_by_user, keys_by_user,
        list, delete_by_handle,
        delete_by_user, purge_expired,
    }
}

calls! {
    /// How often each method of a [`FailingUsers`] was called, failed calls included.
    UserCalls, UserCounters {
        by_id, by_login, set_login, set_password, raise_epoch, set_token, clear_token,
    }
}

/// A session store that passes everything on to another one until it is told to fail.
///
/// Clones share the store, the switch and the counters, so that a test keeps one and gives one
/// away. An answer of [`load_now`](SessionStore::load_now) counts as a load and fails like one.
///
/// # Examples
///
/// ```
/// use auth_core::{store::MemorySessions, testing::FailingSessions};
///
/// let sessions = FailingSessions::new(MemorySessions::new());
/// let kept = sessions.clone(); // `sessions` goes into the configuration
/// kept.fail(true);
/// // ... a request to a protected operation is answered 503 ...
/// assert_eq!(kept.calls().total(), 0);
/// ```
#[derive(Debug, Clone)]
pub struct FailingSessions {
    inner: Arc<dyn SessionStore>,
    counters: Arc<SessionCounters>,
}

impl FailingSessions {
    /// Wraps a store. It works until [`fail`](Self::fail) says otherwise.
    pub fn new(inner: impl SessionStore) -> Self {
        Self { inner: Arc::new(inner), counters: Arc::default() }
    }

    /// Makes every call fail with [`Error::Store`], or none.
    pub fn fail(&self, fails: bool) {
        self.counters.fails.store(fails, SeqCst);
    }

    /// Answers nothing at once, as a store behind a network does, or whatever the store inside can.
    pub fn wait(&self, waits: bool) {
        self.counters.waits.store(waits, SeqCst);
    }

    /// The calls since the beginning or the last [`reset_calls`](Self::reset_calls).
    #[must_use]
    pub fn calls(&self) -> SessionCalls {
        self.counters.snapshot()
    }

    /// Counts from zero again.
    pub fn reset_calls(&self) {
        self.counters.reset();
    }

    fn note(&self, method: &AtomicUsize) -> Result<(), Error> {
        method.fetch_add(1, SeqCst);
        if self.counters.fails() { Err(Error::session_store(FAULT)) } else { Ok(()) }
    }
}

#[async_trait]
impl SessionStore for FailingSessions {
    async fn create(
        &self,
        key: &SessionKey,
        record: Arc<SessionRecord>,
        limit: Option<SessionLimit>,
    ) -> Result<Create, Error> {
        self.note(&self.counters.create)?;
        self.inner.create(key, record, limit).await
    }

    async fn load(
        &self,
        key: &SessionKey,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<SessionRecord>>, Error> {
        self.note(&self.counters.load)?;
        self.inner.load(key, now).await
    }

    fn load_now(
        &self,
        key: &SessionKey,
        now: DateTime<Utc>,
    ) -> Option<Result<Option<Arc<SessionRecord>>, Error>> {
        if self.counters.waits() {
            return None;
        }
        // Where the store does not answer at once, the caller asks `load`, which counts.
        let answer = self.inner.load_now(key, now)?;
        Some(self.note(&self.counters.load).and(answer))
    }

    fn columns(&self) -> Option<&[SessionColumn]> {
        self.inner.columns()
    }

    async fn update(
        &self,
        key: &SessionKey,
        record: Arc<SessionRecord>,
        now: DateTime<Utc>,
    ) -> Result<Update, Error> {
        self.note(&self.counters.update)?;
        self.inner.update(key, record, now).await
    }

    async fn touch(&self, key: &SessionKey, now: DateTime<Utc>) -> Result<bool, Error> {
        self.note(&self.counters.touch)?;
        self.inner.touch(key, now).await
    }

    async fn delete(&self, key: &SessionKey, now: DateTime<Utc>) -> Result<bool, Error> {
        self.note(&self.counters.delete)?;
        self.inner.delete(key, now).await
    }

    async fn list_by_user(
        &self,
        user: &UserKey,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error> {
        self.note(&self.counters.list_by_user)?;
        self.inner.list_by_user(user, now).await
    }

    async fn keys_by_user(&self, user: &UserKey) -> Result<Vec<(SessionKey, Uuid)>, Error> {
        self.note(&self.counters.keys_by_user)?;
        self.inner.keys_by_user(user).await
    }

    async fn list(
        &self,
        skip: u32,
        take: u32,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error> {
        self.note(&self.counters.list)?;
        self.inner.list(skip, take, now).await
    }

    async fn delete_by_handle(
        &self,
        user: &UserKey,
        handle: Uuid,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        self.note(&self.counters.delete_by_handle)?;
        self.inner.delete_by_handle(user, handle, now).await
    }

    async fn delete_by_user(
        &self,
        user: &UserKey,
        except: Option<&SessionKey>,
        now: DateTime<Utc>,
    ) -> Result<u64, Error> {
        self.note(&self.counters.delete_by_user)?;
        self.inner.delete_by_user(user, except, now).await
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        self.note(&self.counters.purge_expired)?;
        self.inner.purge_expired(now).await
    }
}

/// A user store that passes everything on to another one until it is told to fail.
///
/// As [`FailingSessions`]: clones share everything, and an answer of
/// [`by_id_now`](UserStore::by_id_now) counts as a `by_id`, and so does a `reload`.
pub struct FailingUsers<U> {
    inner: Arc<dyn UserStore<U>>,
    counters: Arc<UserCounters>,
}

impl<U: AuthUser> FailingUsers<U> {
    /// Wraps a store. It works until [`fail`](Self::fail) says otherwise.
    #[must_use]
    pub fn new(inner: Arc<dyn UserStore<U>>) -> Self {
        Self { inner, counters: Arc::default() }
    }

    /// Makes every call fail with [`Error::Store`], or none.
    pub fn fail(&self, fails: bool) {
        self.counters.fails.store(fails, SeqCst);
    }

    /// Answers nothing at once, as a store behind a network does, or whatever the store inside can.
    pub fn wait(&self, waits: bool) {
        self.counters.waits.store(waits, SeqCst);
    }

    /// The calls since the beginning or the last [`reset_calls`](Self::reset_calls).
    #[must_use]
    pub fn calls(&self) -> UserCalls {
        self.counters.snapshot()
    }

    /// Counts from zero again.
    pub fn reset_calls(&self) {
        self.counters.reset();
    }

    fn note(&self, method: &AtomicUsize) -> Result<(), Error> {
        method.fetch_add(1, SeqCst);
        if self.counters.fails() { Err(Error::user_store(FAULT)) } else { Ok(()) }
    }
}

impl<U> Clone for FailingUsers<U> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), counters: Arc::clone(&self.counters) }
    }
}

impl<U> fmt::Debug for FailingUsers<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailingUsers").field("counters", &self.counters).finish_non_exhaustive()
    }
}

#[async_trait]
impl<U: AuthUser> UserStore<U> for FailingUsers<U> {
    async fn by_id(&self, id: &U::Id) -> Result<Option<Arc<U>>, Error> {
        self.note(&self.counters.by_id)?;
        self.inner.by_id(id).await
    }

    fn by_id_now(&self, id: &U::Id) -> Option<Result<Option<Arc<U>>, Error>> {
        if self.counters.waits() {
            return None;
        }
        let answer = self.inner.by_id_now(id)?;
        Some(self.note(&self.counters.by_id).and(answer))
    }

    async fn by_login(&self, name: &str) -> Result<Lookup<U>, Error> {
        self.note(&self.counters.by_login)?;
        self.inner.by_login(name).await
    }

    async fn set_login(
        &self,
        id: &U::Id,
        at: DateTime<Utc>,
        ip: Option<IpAddr>,
    ) -> Result<(), Error> {
        self.note(&self.counters.set_login)?;
        self.inner.set_login(id, at, ip).await
    }

    async fn set_password(
        &self,
        id: &U::Id,
        change: PasswordChange<'_>,
    ) -> Result<Option<Arc<U>>, Error> {
        self.note(&self.counters.set_password)?;
        self.inner.set_password(id, change).await
    }

    async fn raise_epoch(&self, id: &U::Id) -> Result<Option<i64>, Error> {
        self.note(&self.counters.raise_epoch)?;
        self.inner.raise_epoch(id).await
    }

    async fn set_token(&self, id: &U::Id, token: &TokenId) -> Result<(), Error> {
        self.note(&self.counters.set_token)?;
        self.inner.set_token(id, token).await
    }

    async fn clear_token(&self, id: &U::Id, token: &TokenId) -> Result<bool, Error> {
        self.note(&self.counters.clear_token)?;
        self.inner.clear_token(id, token).await
    }

    fn brings_roles(&self) -> bool {
        self.inner.brings_roles()
    }

    fn keeps_copies(&self) -> bool {
        self.inner.keeps_copies()
    }

    async fn reload(&self, id: &U::Id) -> Result<Option<Arc<U>>, Error> {
        self.note(&self.counters.by_id)?;
        self.inner.reload(id).await
    }

    fn problems(&self) -> Vec<String> {
        self.inner.problems()
    }
}

#[cfg(test)]
mod tests;
