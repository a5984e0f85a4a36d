//! Keys of programs that sign their requests, and where they are kept.
//!
//! An access key is an id and a secret or a public key; see [`signature`](crate::signature) for what
//! is done with it.

use std::{fmt, fmt::Debug, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

#[cfg(feature = "redis")]
pub use crate::store::redis::RedisNonces;
use crate::{error::Error, scopes::Scopes, signature::SignatureAlgorithm, user::UserKey};

mod memory;
mod nonces;
mod settings;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod sql;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod sql_nonces;

pub use memory::MemoryAccessKeys;
pub use nonces::{MemoryNonces, NonceHash, NonceStore};
pub use settings::Signatures;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use sql::SqlAccessKeys;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use sql_nonces::SqlNonces;

/// An access key as a store keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessKeyRecord {
    /// The public name of the key: `keyid` in signatures.
    pub id: String,
    /// Whose it is.
    pub user: UserKey,
    /// With what signatures are verified.
    pub material: KeyMaterial,
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

/// With what signatures of a key are verified.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyMaterial {
    /// A secret that both sides know, encrypted with
    /// [`SealingKeys`](crate::sealing::SealingKeys).
    HmacSha256 {
        /// The encrypted secret.
        sealed: String,
    },
    /// A public key.
    Ed25519 {
        /// The key.
        public_key: [u8; 32],
    },
}

impl KeyMaterial {
    /// How the key signs.
    #[must_use]
    pub fn algorithm(&self) -> SignatureAlgorithm {
        match self {
            Self::HmacSha256 { .. } => SignatureAlgorithm::HmacSha256,
            Self::Ed25519 { .. } => SignatureAlgorithm::Ed25519,
        }
    }
}

impl Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyMaterial({})", self.algorithm().name())
    }
}

impl AccessKeyRecord {
    /// Whether the key has not ended yet.
    #[must_use]
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// Keeps access keys.
///
/// What one method has acknowledged, the next one sees, from any process.
///
/// # Errors
///
/// Every method: the store cannot answer → [`Error::Store`]. A fault is never reported as "no such
/// key".
#[async_trait]
pub trait AccessKeyStore: Debug + Send + Sync + 'static {
    /// Inserts a new key. `false`, and no change, if the id is taken.
    async fn create(&self, record: &AccessKeyRecord) -> Result<bool, Error>;

    /// The key of this id, also one that has ended.
    async fn load(&self, id: &str) -> Result<Option<Arc<AccessKeyRecord>>, Error>;

    /// The keys of a user, oldest first, also those that have ended.
    async fn list_by_user(&self, user: &UserKey) -> Result<Vec<Arc<AccessKeyRecord>>, Error>;

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
