//! Keys of programs that sign their requests, and where they are kept.
//!
//! An access key is an id and a secret or a public key; see [`signature`](crate::signature) for what
//! is done with it.

use std::{fmt, fmt::Debug};

#[cfg(feature = "redis")]
pub use crate::store::redis::RedisNonces;
use crate::{
    keys::{KeyRecord, MemoryKeys, Verifier},
    signature::SignatureAlgorithm,
};

mod nonces;
mod settings;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod sql;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod sql_nonces;

pub use nonces::{MemoryNonces, NonceHash, NonceStore};
pub use settings::Signatures;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use sql::SqlAccessKeys;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use sql_nonces::SqlNonces;

/// An access key as a store keeps it. Its [`id`](KeyRecord::id) is `keyid` in signatures.
pub type AccessKeyRecord = KeyRecord<KeyMaterial>;

/// Keeps access keys in the memory of this process: for tests, and for keys that need not outlive it.
pub type MemoryAccessKeys = MemoryKeys<KeyMaterial>;

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

impl Verifier for KeyMaterial {
    const KIND: &'static str = "access key";
}
