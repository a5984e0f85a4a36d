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

use std::{fmt, fmt::Debug};

use crate::{
    keys::{KeyRecord, MemoryKeys, Verifier},
    secret::{SecurityStamp, sha256},
};

mod settings;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod sql;
mod token;

pub use settings::ApiKeys;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use sql::SqlApiKeys;
pub use token::ApiKey;
pub(crate) use token::{PresentedKey, is_prefix};

/// An API key as a store keeps it.
pub type ApiKeyRecord = KeyRecord<ApiKeyVerifier>;

/// Keeps API keys in the memory of this process: for tests, and for keys that need not outlive it.
pub type MemoryApiKeys = MemoryKeys<ApiKeyVerifier>;

/// With what an API key is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiKeyVerifier {
    /// What must be the hash of the presented secret.
    pub hash: ApiKeyHash,
    /// The user's stamp when the secret was made.
    pub stamp: SecurityStamp,
}

impl Verifier for ApiKeyVerifier {
    const KIND: &'static str = "API key";
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
