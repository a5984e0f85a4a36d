//! A deny list in Redis: [`RedisDenyList`].

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Redis, until::Until};
use crate::{error::Error, secret::TokenId, store::DenyList};

/// Keeps the names of ended tokens in Redis or Valkey, for any number of processes.
///
/// Each question is one `GET`, each denial one script. A name is one key,
/// `<prefix>d:<digest of issuer and jti>`. The server removes it a minute after its token has expired,
/// so there is hardly anything for [`purge_expired`](DenyList::purge_expired) to do, which walks
/// through the database with `SCAN`.
///
/// # Security
///
/// A server that may evict (`maxmemory-policy` other than `noeviction`), that keeps nothing on disk,
/// or that fails over to a replica which had not heard of it may forget a name: its token holds again
/// until it expires by itself, ten minutes by default.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), auth_core::error::Error> {
/// use auth_core::store::{Redis, RedisDenyList};
///
/// let denied = RedisDenyList::new(Redis::open("redis://localhost")?).prefix("shop:")?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RedisDenyList(Until);

impl RedisDenyList {
    /// A list whose keys begin with `auth:`.
    #[must_use]
    pub fn new(redis: Redis) -> Self {
        Self(Until::new(redis, "d:", "deny list"))
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
impl DenyList for RedisDenyList {
    async fn deny(
        &self,
        id: &TokenId,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        self.0.note(id.as_bytes(), until, now, true).await.map(drop)
    }

    async fn is_denied(&self, id: &TokenId, now: DateTime<Utc>) -> Result<bool, Error> {
        self.0.holds(id.as_bytes(), now).await
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        self.0.purge(now).await
    }
}
