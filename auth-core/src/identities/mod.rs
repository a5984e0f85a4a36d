//! Whose the identities of other providers are: [`IdentityStore`] and its implementations.
//!
//! An identity is a pair of issuer and subject, [`ExternalId`], and never an address: addresses
//! change hands, and every provider may claim any of them (OWASP ASVS 6.8.1).

use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{error::Error, user::AuthUser};

mod memory;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod sql;

pub use self::memory::MemoryIdentities;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use self::sql::SqlIdentities;

/// Somebody, as a provider knows him: the issuer, and the subject that this issuer never gives to
/// anybody else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalId {
    /// The issuer, as in `https://accounts.google.com`.
    pub issuer: String,
    /// The subject: the issuer's name for the person.
    pub subject: String,
}

/// An identity that belongs to a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedIdentity {
    /// The identity.
    pub id: ExternalId,
    /// Since when.
    pub linked_at: DateTime<Utc>,
}

/// Keeps whose an identity is. One identity belongs to one user at most; a user may have several.
///
/// Issuer and subject are compared byte by byte.
///
/// # Errors
///
/// Every method: the store cannot answer → [`Error::Store`]. A fault is never reported as "nobody's".
#[async_trait]
pub trait IdentityStore<U: AuthUser>: Debug + Send + Sync + 'static {
    /// The id of the user to whom the identity belongs.
    async fn owner(&self, id: &ExternalId) -> Result<Option<U::Id>, Error>;

    /// Gives an identity to a user, and says whether it is his now. `false`, and no change, if it is
    /// another user's. Atomic: of two who want it at once, one gets it.
    async fn link(&self, id: &ExternalId, user: &U::Id, at: DateTime<Utc>) -> Result<bool, Error>;

    /// Takes an identity from a user. `false` if it was not his.
    async fn unlink(&self, id: &ExternalId, user: &U::Id) -> Result<bool, Error>;

    /// The identities of a user, the oldest link first.
    async fn of(&self, user: &U::Id) -> Result<Vec<LinkedIdentity>, Error>;

    /// Takes all identities from a user, as when he is deleted, and says how many there were.
    async fn unlink_all(&self, user: &U::Id) -> Result<u64, Error>;
}
