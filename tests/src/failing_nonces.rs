//! A store of nonces that fails on demand.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
};

use async_trait::async_trait;
use auth_core::{
    access_keys::{MemoryNonces, NonceHash, NonceStore},
    error::Error,
};
use chrono::{DateTime, Utc};

/// Passes everything on to a store in memory until it is told to fail, and counts. Clones share all
/// of it.
#[derive(Debug, Clone, Default)]
pub struct FailingNonces {
    inner: MemoryNonces,
    fails: Arc<AtomicBool>,
    noted: Arc<AtomicUsize>,
}

impl FailingNonces {
    /// Makes every call fail, or none.
    pub fn fail(&self, fails: bool) {
        self.fails.store(fails, SeqCst);
    }

    /// How many requests were noted, or tried to be.
    #[must_use]
    pub fn noted(&self) -> usize {
        self.noted.load(SeqCst)
    }
}

#[async_trait]
impl NonceStore for FailingNonces {
    async fn note(
        &self,
        nonce: &NonceHash,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        self.noted.fetch_add(1, SeqCst);
        if self.fails.load(SeqCst) {
            return Err(Error::Store { store: "nonce", source: "switched to fail".into() });
        }
        self.inner.note(nonce, until, now).await
    }
}
