//! Where refresh tokens are kept: [`TokenStore`] and its implementation in memory.

use std::{fmt::Debug, net::IpAddr, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{
    error::Error,
    secret::{RefreshKey, SecurityStamp},
    user::UserKey,
};

#[cfg(feature = "testing")]
pub mod conformance;
mod memory;

pub use self::memory::MemoryTokens;

/// A login that is kept alive by refresh tokens: the first one, and all that came out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFamily {
    /// The name to list it and to end it by; no credential.
    pub handle: Uuid,
    /// Whose it is.
    pub user: UserKey,
    /// The user's security stamp at the login. The family ends when it is another one.
    pub stamp: SecurityStamp,
    /// When the user proved who he is.
    pub login_at: DateTime<Utc>,
    /// When the first token was issued.
    pub created_at: DateTime<Utc>,
    /// When a token was last exchanged.
    pub last_used_at: DateTime<Utc>,
    /// How long a token may lie unused.
    pub idle_timeout: TimeDelta,
    /// When the family ends, however much it is used.
    pub expires_at: DateTime<Utc>,
    /// How long the access tokens live, where the login said so.
    pub token_lifetime: Option<TimeDelta>,
    /// The application's own claims, which every access token repeats, as a JSON object.
    pub claims: Option<String>,
    /// The client's address at the login.
    pub ip: Option<IpAddr>,
    /// What the client called itself at the login.
    pub user_agent: Option<String>,
}

impl TokenFamily {
    /// When the family ends if nobody uses it after this time.
    #[must_use]
    pub fn ends_at(&self, last_used_at: DateTime<Utc>) -> DateTime<Utc> {
        let idle = last_used_at.checked_add_signed(self.idle_timeout);
        idle.map_or(self.expires_at, |idle| idle.min(self.expires_at))
    }
}

/// A live family, and what the presented token is to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFamily {
    /// The family.
    pub family: Arc<TokenFamily>,
    /// The presented token.
    pub presented: Presented,
}

/// What a token is to its family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// The one that may be exchanged.
    Current,
    /// The one that was exchanged for the current one.
    Previous {
        /// When that was.
        rotated_at: DateTime<Utc>,
    },
    /// An older one, or one that never was.
    Older,
}

impl Presented {
    /// Compares a token with what a store keeps of its family: the digest of the current token, and
    /// that of the one before it with the time of its exchange.
    #[must_use]
    pub fn of(key: &RefreshKey, current: &[u8], previous: Option<(&[u8], DateTime<Utc>)>) -> Self {
        // Digests of secrets: the time that it takes to compare them tells nothing of the token.
        match previous {
            _ if key.token()[..] == *current => Self::Current,
            Some((previous, rotated_at)) if key.token()[..] == *previous => {
                Self::Previous { rotated_at }
            }
            _ => Self::Older,
        }
    }
}

/// Keeps families of refresh tokens: one entry for each family, with the digests of its current
/// token and of the one before.
///
/// The obligations, which the suite in [`conformance`](crate::store::token_conformance) (feature
/// `testing`) checks:
///
/// - an expired family is no family, whether or not it was purged;
/// - a deleted family never comes back: `rotate` does not insert;
/// - of any number of `rotate` with one token, from any number of processes, one succeeds;
/// - what was acknowledged is there.
///
/// The caller passes the time, in whole milliseconds; a store has no clock of its own.
///
/// # Errors
///
/// Every method: the store cannot answer → [`Error::Store`]. A fault is never reported as "no such
/// family".
#[async_trait]
pub trait TokenStore: Debug + Send + Sync + 'static {
    /// Inserts a new family with its first token. `false`, and no change, if the key is taken.
    async fn create(&self, key: &RefreshKey, family: Arc<TokenFamily>) -> Result<bool, Error>;

    /// The live family of this token, whichever of its tokens that is.
    async fn find(
        &self,
        key: &RefreshKey,
        now: DateTime<Utc>,
    ) -> Result<Option<FoundFamily>, Error>;

    /// Puts `next` in the place of the current token, in one atomic step, if the family is alive and
    /// this is its current token; `false`, and no change, if not. The family then was used `now`
    /// and lives until `ends_at`.
    async fn rotate(
        &self,
        key: &RefreshKey,
        next: &RefreshKey,
        now: DateTime<Utc>,
        ends_at: DateTime<Utc>,
    ) -> Result<bool, Error>;

    /// Ends the family of this token, whichever of its tokens that is, alive or not. `false` if
    /// there was none.
    async fn delete(&self, key: &RefreshKey) -> Result<bool, Error>;

    /// The live families of this user, oldest first.
    async fn list_by_user(
        &self,
        user: &UserKey,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<TokenFamily>>, Error>;

    /// Ends the family of this handle, if it is this user's, and says whether there was one, alive
    /// or not.
    async fn delete_by_handle(&self, user: &UserKey, handle: Uuid) -> Result<bool, Error>;

    /// Ends all families of this user, and says how many there were, alive or not.
    async fn delete_by_user(&self, user: &UserKey) -> Result<u64, Error>;

    /// Removes what has expired, and says how many families that was. Run it now and then.
    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error>;
}
