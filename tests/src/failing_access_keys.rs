//! Stores of access keys and nonces that fail on demand.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
};

use async_trait::async_trait;
use auth_core::{
    access_keys::{
        AccessKeyRecord, AccessKeyStore, MemoryAccessKeys, MemoryNonces, NonceHash, NonceStore,
    },
    error::Error,
    user::UserKey,
};
use chrono::{DateTime, Utc};

/// Passes everything on to stores in memory until it is told to fail, and counts. Clones share all
/// of it.
#[derive(Debug, Clone, Default)]
pub struct FailingAccessKeys {
    keys: MemoryAccessKeys,
    nonces: MemoryNonces,
    keys_fail: Arc<AtomicBool>,
    nonces_fail: Arc<AtomicBool>,
    noted: Arc<AtomicUsize>,
}

impl FailingAccessKeys {
    /// Makes every question about keys fail, or none.
    pub fn fail(&self, fails: bool) {
        self.keys_fail.store(fails, SeqCst);
    }

    /// Makes every question about nonces fail, or none.
    pub fn fail_nonces(&self, fails: bool) {
        self.nonces_fail.store(fails, SeqCst);
    }

    /// How many requests were noted, or tried to be.
    #[must_use]
    pub fn noted(&self) -> usize {
        self.noted.load(SeqCst)
    }

    fn ask(&self) -> Result<&MemoryAccessKeys, Error> {
        if self.keys_fail.load(SeqCst) {
            return Err(Error::Store { store: "access key", source: "switched to fail".into() });
        }
        Ok(&self.keys)
    }
}

#[async_trait]
impl AccessKeyStore for FailingAccessKeys {
    async fn create(&self, record: &AccessKeyRecord) -> Result<bool, Error> {
        self.ask()?.create(record).await
    }

    async fn load(&self, id: &str) -> Result<Option<Arc<AccessKeyRecord>>, Error> {
        self.ask()?.load(id).await
    }

    async fn list_by_user(&self, user: &UserKey) -> Result<Vec<Arc<AccessKeyRecord>>, Error> {
        self.ask()?.list_by_user(user).await
    }

    async fn touch(&self, id: &str, now: DateTime<Utc>) -> Result<(), Error> {
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

#[async_trait]
impl NonceStore for FailingAccessKeys {
    async fn note(
        &self,
        nonce: &NonceHash,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        self.noted.fetch_add(1, SeqCst);
        if self.nonces_fail.load(SeqCst) {
            return Err(Error::Store { store: "nonce", source: "switched to fail".into() });
        }
        self.nonces.note(nonce, until, now).await
    }
}
