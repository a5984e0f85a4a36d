//! A session store around another one: it keeps what the other one needs, counts what reaches it,
//! and holds reads back where a test wants it.

use std::{
    any::Any,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use async_trait::async_trait;
use auth_core::{
    error::Error,
    secret::SessionKey,
    session::record::{SessionColumn, SessionRecord},
    store::{Create, SessionLimit, SessionStore, Update},
    user::UserKey,
};
use auth_poem::prelude::{DateTime, Utc, Uuid};

use crate::gates::Gates;

/// A store around another one. Clones are the same store.
#[derive(Clone)]
pub struct Around {
    inner: Arc<dyn SessionStore>,
    kept: Arc<dyn Any + Send + Sync>,
    loads: Arc<AtomicUsize>,
    held: Arc<AtomicBool>,
    fails: Arc<AtomicBool>,
    gates: Gates,
}

impl Around {
    /// Around this store, and keeps something as long as it lives.
    pub fn new(inner: impl SessionStore, kept: impl Any + Send + Sync) -> Self {
        Self {
            inner: Arc::new(inner),
            kept: Arc::new(kept),
            loads: Arc::default(),
            held: Arc::default(),
            fails: Arc::default(),
            gates: Gates::default(),
        }
    }

    /// How many reads have reached the store.
    #[must_use]
    pub fn loads(&self) -> usize {
        self.loads.load(SeqCst)
    }

    /// Holds every answer of `load` back, from now on or no more, until it is let through the
    /// [`gates`](Self::gates): what it says is what the store said before.
    pub fn hold(&self, held: bool) {
        self.held.store(held, SeqCst);
    }

    /// Where answers are held back.
    #[must_use]
    pub fn gates(&self) -> &Gates {
        &self.gates
    }

    /// Whether every call fails.
    pub fn fail(&self, fails: bool) {
        self.fails.store(fails, SeqCst);
    }

    fn inner(&self) -> Result<&dyn SessionStore, Error> {
        if self.fails.load(SeqCst) {
            return Err(Error::session_store("it is away"));
        }
        Ok(&*self.inner)
    }
}

impl fmt::Debug for Around {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _ = &self.kept;
        f.debug_tuple("Around").field(&self.inner).finish()
    }
}

#[async_trait]
impl SessionStore for Around {
    async fn create(
        &self,
        key: &SessionKey,
        record: Arc<SessionRecord>,
        limit: Option<SessionLimit>,
    ) -> Result<Create, Error> {
        self.inner()?.create(key, record, limit).await
    }

    fn columns(&self) -> Option<&[SessionColumn]> {
        self.inner.columns()
    }

    async fn load(
        &self,
        key: &SessionKey,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<SessionRecord>>, Error> {
        self.loads.fetch_add(1, SeqCst);
        let answer = self.inner()?.load(key, now).await;
        if self.held.load(SeqCst) {
            self.gates.pass().await;
        }
        answer
    }

    async fn update(
        &self,
        key: &SessionKey,
        record: Arc<SessionRecord>,
        now: DateTime<Utc>,
    ) -> Result<Update, Error> {
        self.inner()?.update(key, record, now).await
    }

    async fn touch(&self, key: &SessionKey, now: DateTime<Utc>) -> Result<bool, Error> {
        self.inner()?.touch(key, now).await
    }

    async fn delete(&self, key: &SessionKey, now: DateTime<Utc>) -> Result<bool, Error> {
        self.inner()?.delete(key, now).await
    }

    async fn list_by_user(
        &self,
        user: &UserKey,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error> {
        self.inner()?.list_by_user(user, now).await
    }

    async fn keys_by_user(&self, user: &UserKey) -> Result<Vec<(SessionKey, Uuid)>, Error> {
        self.inner()?.keys_by_user(user).await
    }

    async fn list(
        &self,
        skip: u32,
        take: u32,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error> {
        self.inner()?.list(skip, take, now).await
    }

    async fn delete_by_handle(
        &self,
        user: &UserKey,
        handle: Uuid,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        self.inner()?.delete_by_handle(user, handle, now).await
    }

    async fn delete_by_user(
        &self,
        user: &UserKey,
        except: Option<&SessionKey>,
        now: DateTime<Utc>,
    ) -> Result<u64, Error> {
        self.inner()?.delete_by_user(user, except, now).await
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        self.inner()?.purge_expired(now).await
    }
}
