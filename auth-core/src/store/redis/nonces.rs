//! Nonces in Redis: [`RedisNonces`].

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Redis, until::Until};
use crate::{
    access_keys::{NonceHash, NonceStore},
    error::Error,
};

/// Remembers signed requests in Redis or Valkey, so that none is accepted twice by any of the
/// processes that share it.
///
/// Each request costs one script. A request is one key, `<prefix>n:<digest of key and nonce>`; the
/// server removes it a minute after its signature has ended.
///
/// # Security
///
/// A server that may evict (`maxmemory-policy` other than `noeviction`), that keeps nothing on disk,
/// or that fails over to a replica which had not heard of it may forget a request, which can then be
/// sent once more within its window. A request whose answer from the server was lost is refused.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), auth_core::error::Error> {
/// use auth_core::{access_keys::RedisNonces, store::Redis};
///
/// let nonces = RedisNonces::new(Redis::open("redis://localhost")?).prefix("shop:")?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RedisNonces(Until);

impl RedisNonces {
    /// A store whose keys begin with `auth:`.
    #[must_use]
    pub fn new(redis: Redis) -> Self {
        Self(Until::new(redis, "n:", "nonce"))
    }

    /// Chooses what the keys begin with.
    ///
    /// # Errors
    ///
    /// - it is not made of ASCII letters, digits and `_-.:`: [`Error::Misconfigured`]
    pub fn prefix(self, prefix: &str) -> Result<Self, Error> {
        self.0.prefix(prefix).map(Self)
    }
}

#[async_trait]
impl NonceStore for RedisNonces {
    async fn note(
        &self,
        nonce: &NonceHash,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        self.0.note(nonce.as_bytes(), until, now, false).await
    }
}
