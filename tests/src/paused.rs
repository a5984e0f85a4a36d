//! A session store whose callers wait for the test before a session is created.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use async_trait::async_trait;
use auth_core::{
    error::Error,
    secret::SessionKey,
    session::record::SessionRecord,
    store::{Create, MemorySessions, SessionLimit, SessionStore, Update},
    user::UserKey,
};
use auth_poem::prelude::{DateTime, Utc, Uuid};

use crate::gates::Gates;

/// Sessions in memory; [`create`](SessionStore::create) passes a gate once it is told to. Clones
/// are the same store.
#[derive(Debug, Clone)]
pub struct PausedSessions {
    inner: Arc<MemorySessions>,
    paused: Arc<AtomicBool>,
    gates: Gates,
}

impl PausedSessions {
    /// An empty store with this gate, which is open until [`pause`](Self::pause).
    #[must_use]
    pub fn new(gates: Gates) -> Self {
        Self { inner: Arc::new(MemorySessions::new()), paused: Arc::default(), gates }
    }

    /// Sends every `create` through the gate from now on.
    pub fn pause(&self) {
        self.paused.store(true, SeqCst);
    }
}

#[async_trait]
impl SessionStore for PausedSessions {
    async fn create(
        &self,
        key: &SessionKey,
        record: Arc<SessionRecord>,
        limit: Option<SessionLimit>,
    ) -> Result<Create, Error> {
        if self.paused.load(SeqCst) {
            self.gates.pass().await;
        }
        self.inner.create(key, record, limit).await
    }

    async fn load(
        &self,
        key: &SessionKey,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<SessionRecord>>, Error> {
        self.inner.load(key, now).await
    }

    async fn update(
        &self,
        key: &SessionKey,
        record: Arc<SessionRecord>,
        now: DateTime<Utc>,
    ) -> Result<Update, Error> {
        self.inner.update(key, record, now).await
    }

    async fn touch(&self, key: &SessionKey, now: DateTime<Utc>) -> Result<bool, Error> {
        self.inner.touch(key, now).await
    }

    async fn delete(&self, key: &SessionKey, now: DateTime<Utc>) -> Result<bool, Error> {
        self.inner.delete(key, now).await
    }

    async fn list_by_user(
        &self,
        user: &UserKey,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error> {
        self.inner.list_by_user(user, now).await
    }

    async fn keys_by_user(&self, user: &UserKey) -> Result<Vec<(SessionKey, Uuid)>, Error> {
        self.inner.keys_by_user(user).await
    }

    async fn list(
        &self,
        skip: u32,
        take: u32,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error> {
        self.inner.list(skip, take, now).await
    }

    async fn delete_by_handle(
        &self,
        user: &UserKey,
        handle: Uuid,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        self.inner.delete_by_handle(user, handle, now).await
    }

    async fn delete_by_user(
        &self,
        user: &UserKey,
        except: Option<&SessionKey>,
        now: DateTime<Utc>,
    ) -> Result<u64, Error> {
        self.inner.delete_by_user(user, except, now).await
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        self.inner.purge_expired(now).await
    }
}
