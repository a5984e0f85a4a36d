//! Keys that programs present in place of a login: [`ApiKey`], and where they are kept.
//!
//! ```text
//! key_4fTqLr0yZcV9kE2sWmB7dH0e9Qk1m…Zx3Rt
//! ─┬─ ──────────┬─────────── ───┬──── ─┬─
//!  │            │               │      └ 6 characters: CRC-32 of all that stands before
//!  │            │               └ 43 characters, 256 random bits: the secret
//!  │            └ 22 characters: the id, by which the key is found, listed and revoked
//!  └ the prefix, which the application chooses
//! ```
//!
//! Scanners for secrets in source code find keys by `\b<prefix>_[0-9A-Za-z]{71}\b` and know from the
//! checksum that they have one, without asking anybody.

use std::{fmt, fmt::Debug, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    error::Error,
    scopes::Scopes,
    secret::{SecurityStamp, sha256},
    user::UserKey,
};

mod memory;
mod settings;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod sql;
mod token;

pub use memory::MemoryApiKeys;
pub use settings::ApiKeys;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use sql::SqlApiKeys;
pub use token::ApiKey;
pub(crate) use token::{PresentedKey, is_prefix};

/// An API key as a store keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiKeyRecord {
    /// The public name of the key.
    pub id: String,
    /// Whose it is.
    pub user: UserKey,
    /// What must be the hash of the presented secret.
    pub hash: ApiKeyHash,
    /// What the user calls it.
    pub name: String,
    /// How far it reaches.
    pub scopes: Scopes,
    /// The user's stamp when the secret was made.
    pub stamp: SecurityStamp,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends, `None` for one that does not.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last presented, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl ApiKeyRecord {
    /// Whether the key has not ended yet.
    #[must_use]
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// The SHA-256 of a key's secret.
///
/// # Security
///
/// The secret has 256 random bits, so a fast hash is enough: nobody finds it by trying. Two are
/// compared in constant time.
#[derive(Clone, Copy)]
pub struct ApiKeyHash([u8; 32]);

impl ApiKeyHash {
    pub(crate) fn of(secret: &str) -> Self {
        Self(sha256(secret.as_bytes()))
    }

    /// The bytes, as a store keeps them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A hash from the bytes in a store.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl PartialEq for ApiKeyHash {
    fn eq(&self, other: &Self) -> bool {
        subtle::ConstantTimeEq::ct_eq(&self.0[..], &other.0[..]).into()
    }
}

impl Eq for ApiKeyHash {}

impl Debug for ApiKeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeyHash(…)")
    }
}

/// A new secret for a key, as [`ApiKeyStore::rotate`] takes it.
#[derive(Debug, Clone, Copy)]
pub struct NewSecret {
    /// Its hash.
    pub hash: ApiKeyHash,
    /// The user's stamp.
    pub stamp: SecurityStamp,
    /// The time.
    pub now: DateTime<Utc>,
}

/// Keeps API keys.
///
/// What one method has acknowledged, the next one sees, from any process: a revoked key is gone, and
/// the old secret of a rotated one too.
///
/// # Errors
///
/// Every method: the store cannot answer → [`Error::Store`]. A fault is never reported as "no such
/// key".
#[async_trait]
pub trait ApiKeyStore: Debug + Send + Sync + 'static {
    /// Inserts a new key. `false`, and no change, if the id is taken.
    async fn create(&self, record: &ApiKeyRecord) -> Result<bool, Error>;

    /// The key of this id, also one that has ended.
    async fn load(&self, id: &str) -> Result<Option<Arc<ApiKeyRecord>>, Error>;

    /// The keys of a user, oldest first, also those that have ended.
    async fn list_by_user(&self, user: &UserKey) -> Result<Vec<Arc<ApiKeyRecord>>, Error>;

    /// Replaces the secret of a live key of this user, and says whether it was there.
    async fn rotate(&self, user: &UserKey, id: &str, secret: NewSecret) -> Result<bool, Error>;

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
