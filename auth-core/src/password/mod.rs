//! Passwords: hashes, the hasher, the policy.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use crate::secret::SecurityStamp;

mod policy;

pub use policy::{PasswordPolicy, WeakPassword};

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
    /// A hash that a store or another system kept.
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
