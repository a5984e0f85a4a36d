//! What API keys and access keys have in common: a key belongs to a user, reaches as far as its
//! scopes, may end, and is verified. They differ in what they are verified with, the [`Verifier`].
//!
//! [`api_keys`](crate::api_keys) and [`access_keys`](crate::access_keys) name the types of either
//! kind.

use std::{fmt::Debug, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::{error::Error, scopes::Scopes, user::UserKey};

mod memory;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod sql;

pub use self::memory::MemoryKeys;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use self::sql::{SqlKeys, SqlVerifier, VerifierColumn};

/// With what it is verified that whoever comes has the key.
pub trait Verifier: Debug + Clone + PartialEq + Send + Sync + 'static {
    /// What such a key is called in faults, as in `API key`.
    const KIND: &'static str;
}

/// A key as a store keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyRecord<V> {
    /// The public name of the key.
    pub id: String,
    /// Whose it is.
    pub user: UserKey,
    /// With what it is verified.
    pub verifier: V,
    /// What the user calls it.
    pub name: String,
    /// How far it reaches.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends, `None` for one that does not.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl<V> KeyRecord<V> {
    /// Whether the key has not ended yet.
    #[must_use]
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// Keeps keys of one kind.
///
/// What one method has acknowledged, the next one sees, from any process: a revoked key is gone, and
/// the old verifier of a rotated one too.
///
/// # Errors
///
/// Every method: the store cannot answer → [`Error::Store`]. A fault is never reported as "no such
/// key".
#[async_trait]
pub trait KeyStore<V: Verifier>: Debug + Send + Sync + 'static {
    /// Inserts a new key. `false`, and no change, if the id is taken.
    async fn create(&self, record: &KeyRecord<V>) -> Result<bool, Error>;

    /// The key of this id, also one that has ended.
    async fn load(&self, id: &str) -> Result<Option<Arc<KeyRecord<V>>>, Error>;

    /// The keys of a user, oldest first, also those that have ended.
    async fn list_by_user(&self, user: &UserKey) -> Result<Vec<Arc<KeyRecord<V>>>, Error>;

    /// Replaces the verifier of a key of this user that is live now, and says whether it was there.
    async fn rotate(
        &self,
        user: &UserKey,
        id: &str,
        verifier: &V,
        now: DateTime<Utc>,
    ) -> Result<bool, Error>;

    /// Notes that a key was used. The time never moves backwards, and a key that is gone stays so.
    async fn touch(&self, id: &str, now: DateTime<Utc>) -> Result<(), Error>;

    /// Removes a key of this user, and says whether it was there.
    async fn delete(&self, user: &UserKey, id: &str) -> Result<bool, Error>;

    /// Removes all keys of a user, and says how many there were.
    async fn delete_by_user(&self, user: &UserKey) -> Result<u64, Error>;

    /// Removes the keys that have ended, and says how many there were. Run it now and then: they
    /// are dead without it but take up room.
    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error>;
}

/// How exactly the last use of a key is known: each key costs one write in this time.
const LAST_USE: TimeDelta = TimeDelta::minutes(1);

/// Notes that a key is used now, if that was not noted a moment ago. Who is let in does not depend on
/// it.
pub(crate) async fn note_use<V: Verifier>(
    store: &dyn KeyStore<V>,
    record: &KeyRecord<V>,
    now: DateTime<Utc>,
) {
    if record.last_used_at.is_none_or(|last| last + LAST_USE <= now)
        && let Err(error) = store.touch(&record.id, now).await
    {
        tracing::warn!(%error, kind = V::KIND, "the last use of a key could not be noted");
    }
}
