//! Stores of keys that fail on demand.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
};

use async_trait::async_trait;
use auth_core::{
    access_keys::KeyMaterial,
    api_keys::ApiKeyVerifier,
    error::Error,
    keys::{KeyRecord, KeyStore, MemoryKeys, Verifier},
    user::UserKey,
};
use chrono::{DateTime, Utc};

/// A store of API keys that fails on demand.
pub type FailingApiKeys = FailingKeys<ApiKeyVerifier>;

/// A store of access keys that fails on demand.
pub type FailingAccessKeys = FailingKeys<KeyMaterial>;

/// Passes everything on to a store in memory until it is told to fail, and counts. Clones share all
/// of it.
#[derive(Debug, Clone)]
pub struct FailingKeys<V> {
    inner: MemoryKeys<V>,
    fails: Arc<AtomicBool>,
    loads: Arc<AtomicUsize>,
    touches: Arc<AtomicUsize>,
}

impl<V> Default for FailingKeys<V> {
    fn default() -> Self {
        Self {
            inner: MemoryKeys::new(),
            fails: Arc::default(),
            loads: Arc::default(),
            touches: Arc::default(),
        }
    }
}

impl<V: Verifier> FailingKeys<V> {
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

    fn ask(&self) -> Result<&MemoryKeys<V>, Error> {
        if self.fails.load(SeqCst) {
            return Err(Error::Store { store: V::KIND, source: "switched to fail".into() });
        }
        Ok(&self.inner)
    }
}

#[async_trait]
impl<V: Verifier> KeyStore<V> for FailingKeys<V> {
    async fn create(&self, record: &KeyRecord<V>) -> Result<bool, Error> {
        self.ask()?.create(record).await
    }

    async fn load(&self, id: &str) -> Result<Option<Arc<KeyRecord<V>>>, Error> {
        self.loads.fetch_add(1, SeqCst);
        self.ask()?.load(id).await
    }

    async fn list_by_user(&self, user: &UserKey) -> Result<Vec<Arc<KeyRecord<V>>>, Error> {
        self.ask()?.list_by_user(user).await
    }

    async fn rotate(
        &self,
        user: &UserKey,
        id: &str,
        verifier: &V,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        self.ask()?.rotate(user, id, verifier, now).await
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
