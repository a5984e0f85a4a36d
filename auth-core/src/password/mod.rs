//! Passwords: hashes, the hasher, the policy.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use crate::secret::SecurityStamp;

mod common;
mod cost;
mod hasher;
mod legacy;
mod phc;
mod policy;
mod pool;

pub use cost::Argon2Cost;
pub use hasher::{PasswordHasher, Verdict};
pub use legacy::LegacyHash;
pub use policy::{PasswordPolicy, WeakPassword};

/// The longest password that can be set or verified: 1024 bytes.
///
/// NIST SP 800-63B-4 asks for 64 characters at least; the limit is there so that nobody makes a
/// server copy and hash megabytes.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// A password hash in the PHC string format, as the `#[auth(password)]` column keeps it.
///
/// Made by a [`PasswordHasher`], or read from a store. Clones share the text.
///
/// # Security
///
/// `Debug` shows nothing of it; there is no `Display`, `Serialize` or `Deserialize`.
#[derive(Clone)]
pub struct PasswordHash(Arc<Inner>);

struct Inner {
    phc: Box<str>,
    stamp: OnceLock<SecurityStamp>,
}

impl PasswordHash {
    /// A hash that a store or another system kept. A [`PasswordHasher`] verifies argon2 hashes, and
    /// others that [`PasswordHasher::accept`] makes known to it.
    pub fn from_stored(phc: impl Into<Box<str>>) -> Self {
        Self(Arc::new(Inner { phc: phc.into(), stamp: OnceLock::new() }))
    }

    /// The hash as text, for a store.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0.phc
    }

    /// The fingerprint of this hash; computed once however often the hash is cloned.
    #[must_use]
    pub fn stamp(&self) -> SecurityStamp {
        *self.0.stamp.get_or_init(|| SecurityStamp::of_secret(self.0.phc.as_bytes()))
    }
}

impl PartialEq for PasswordHash {
    fn eq(&self, other: &Self) -> bool {
        subtle::ConstantTimeEq::ct_eq(self.0.phc.as_bytes(), other.0.phc.as_bytes()).into()
    }
}

impl Eq for PasswordHash {}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}
