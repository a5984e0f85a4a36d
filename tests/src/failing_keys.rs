//! A store of API keys that fails on demand.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
};

use async_trait::async_trait;
use auth_core::{
    api_keys::{ApiKeyRecord, ApiKeyStore, MemoryApiKeys, NewSecret},
    error::Error,
    user::UserKey,
};
use chrono::{DateTime, Utc};

/// Passes everything on to a store in memory until it is told to fail, and counts. Clones share all
/// of it.
#[derive(Debug, Clone, Default)]
pub struct FailingApiKeys {
    inner: MemoryApiKeys,
    fails: Arc<AtomicBool>,
    loads: Arc<AtomicUsize>,
    touches: Arc<AtomicUsize>,
}

impl FailingApiKeys {
    /// Makes every call fail, or none.
    pub fn fail(&self, fails: bool) {
        self.fails.store(fails, SeqCst);
    }

    /// How often a key was loaded.
    #[must_use]
    pub fn loads(&self) -> usize {
        self.loads.load(SeqCst)
    }

    /// How often a use was noted.
    #[must_use]
    pub fn touches(&self) -> usize {
        self.touches.load(SeqCst)
    }

    fn ask(&self) -> Result<&MemoryApiKeys, Error> {
        if self.fails.load(SeqCst) {
            return Err(Error::Store { store: "API key", source: "switched to fail".into() });
        }
        Ok(&self.inner)
    }
}

#[async_trait]
impl ApiKeyStore for FailingApiKeys {
    async fn create(&self, record: &ApiKeyRecord) -> Result<bool, Error> {
        self.ask()?.create(record).await
    }

    async fn load(&self, id: &str) -> Result<Option<Arc<ApiKeyRecord>>, Error> {
        self.loads.fetch_add(1, SeqCst);
        self.ask()?.load(id).await
    }

    async fn list_by_user(&self, user: &UserKey) -> Result<Vec<Arc<ApiKeyRecord>>, Error> {
        self.ask()?.list_by_user(user).await
    }

    async fn rotate(&self, user: &UserKey, id: &str, secret: NewSecret) -> Result<bool, Error> {
        self.ask()?.rotate(user, id, secret).await
    }

    async fn touch(&self, id: &str, now: DateTime<Utc>) -> Result<(), Error> {
        self.touches.fetch_add(1, SeqCst);
        self.ask()?.touch(id, now).await
    }

    async fn delete(&self, user: &UserKey, id: &str) -> Result<bool, Error> {
        self.ask()?.delete(user, id).await
    }

    async fn delete_by_user(&self, user: &UserKey) -> Result<u64, Error> {
        self.ask()?.delete_by_user(user).await
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        self.ask()?.purge_expired(now).await
    }
}
