//! What keeps a signed request from being sent twice: [`NonceStore`].

use std::{
    collections::HashMap,
    fmt::{self, Debug},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{error::Error, secret::sha256};

/// Stands for one signed request: the SHA-256 of its key and nonce, or of its key and what was
/// signed, if the client sent no nonce.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NonceHash([u8; 32]);

impl NonceHash {
    pub(crate) fn of(kind: &str, key_id: &str, nonce: &[u8]) -> Self {
        // The lengths keep the parts apart.
        let head = format!("{kind}:{}:{key_id}:", key_id.len());
        Self(sha256(&[head.as_bytes(), nonce].concat()))
    }

    /// The bytes, as a store keeps them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Debug for NonceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NonceHash(…)")
    }
}

/// Remembers signed requests as long as they would be accepted again.
///
/// Only requests with a valid signature get here, so strangers cannot fill it.
///
/// # Errors
///
/// Every method: the store cannot answer → [`Error::Store`], or has no room → [`Error::Overloaded`].
/// Then the request is refused; it is never taken for a new one.
#[async_trait]
pub trait NonceStore: Debug + Send + Sync + 'static {
    /// Notes a request until this time. `false` if it was noted already, by any process. Of two
    /// calls at once, one gets `true`.
    async fn note(
        &self,
        nonce: &NonceHash,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, Error>;
}

/// How many requests a [`MemoryNonces`] remembers at most.
const ROOM: usize = 1_000_000;

/// Remembers signed requests in the memory of this process.
///
/// # Security
///
/// Another process does not know of them: where several serve one application, a request could be
/// sent once to each of them. Those share a store in a database, as `SqlNonces` is. After a restart
/// nothing is remembered either, for as long as a signature lives.
#[derive(Clone, Default)]
pub struct MemoryNonces {
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    nonces: HashMap<NonceHash, DateTime<Utc>>,
    /// When it is worth looking for what has ended.
    purge_at: usize,
}

impl MemoryNonces {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Debug for MemoryNonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryNonces")
    }
}

#[async_trait]
impl NonceStore for MemoryNonces {
    async fn note(
        &self,
        nonce: &NonceHash,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        // Every section under this lock makes one change; a panic in one leaves nothing half done.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.nonces.get(nonce).is_some_and(|end| *end > now) {
            return Ok(false);
        }
        if seen.nonces.len() >= seen.purge_at {
            seen.nonces.retain(|_, end| *end > now);
            // Twice what is left, so that each entry is looked at a few times only.
            seen.purge_at = (seen.nonces.len() * 2).clamp(1024, ROOM);
        }
        if seen.nonces.len() >= ROOM {
            return Err(Error::Overloaded {
                resource: "the memory of signed requests",
                retry_after: Duration::from_secs(10),
            });
        }
        seen.nonces.insert(*nonce, until);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[tokio::test]
    async fn a_request_is_new_once_until_it_would_be_refused_anyway() {
        let store = MemoryNonces::new();
        let now = DateTime::UNIX_EPOCH;
        let until = now + TimeDelta::seconds(61);
        let nonce = NonceHash::of("nonce", "key", b"1");
        assert!(store.note(&nonce, until, now).await.unwrap());
        for seconds in [0, 60] {
            let later = now + TimeDelta::seconds(seconds);
            assert!(!store.note(&nonce, until, later).await.unwrap(), "{seconds}");
        }
        assert!(store.note(&nonce, until, until).await.unwrap());
        for other in [
            NonceHash::of("nonce", "key", b"2"),
            NonceHash::of("nonce", "key1", b""),
            NonceHash::of("base", "key", b"1"),
        ] {
            assert!(store.note(&other, until, now).await.unwrap());
        }
    }

    #[tokio::test]
    async fn what_has_ended_is_forgotten() {
        let store = MemoryNonces::new();
        let start = DateTime::UNIX_EPOCH;
        for n in 0..10_000_i64 {
            let now = start + TimeDelta::seconds(n);
            let nonce = NonceHash::of("nonce", "key", &n.to_be_bytes());
            assert!(store.note(&nonce, now + TimeDelta::seconds(10), now).await.unwrap());
        }
        assert!(store.seen.lock().unwrap().nonces.len() <= 1024);
    }
}
