//! Where users are kept: [`UserStore`] and its implementations.

use std::{net::IpAddr, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::{error::Error, password::PasswordHash, secret::TokenId, user::AuthUser};

mod cached;
mod claims;
mod macros;
mod memory;
mod roles;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub mod sql;
#[cfg(test)]
mod tests;

pub use cached::CachedUsers;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
use cached::Changing;
pub use claims::{ClaimsUser, ClaimsUsers, GrantedScopes, Subject};
pub use memory::{MemoryUsers, Taken};
pub use roles::{RoleStore, WithRoles};
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use sql::{SqlRoles, SqlUsers};

/// Keeps users. The application owns the table; the framework reads users and changes the few
/// columns that the derive marks.
///
/// # Errors
///
/// Every method: the store cannot answer → [`Error::Store`]. A fault is never reported as "no such
/// user".
#[async_trait]
pub trait UserStore<U: AuthUser>: Send + Sync + 'static {
    /// The user with this id.
    async fn by_id(&self, id: &U::Id) -> Result<Option<Arc<U>>, Error>;

    /// Answers [`by_id`](Self::by_id) without waiting, where that is possible. `None` means "ask
    /// `by_id`".
    fn by_id_now(&self, id: &U::Id) -> Option<Result<Option<Arc<U>>, Error>> {
        let _ = id;
        None
    }

    /// The user whom one of the login columns names.
    async fn by_login(&self, name: &str) -> Result<Lookup<U>, Error>;

    /// Sets the login columns, where the type has them.
    async fn set_login(
        &self,
        id: &U::Id,
        at: DateTime<Utc>,
        ip: Option<IpAddr>,
    ) -> Result<(), Error>;

    /// Replaces the password hash if it is still `change.replaces`, in one atomic step with the
    /// epoch. `None`, and no change, if it is not, or if there is no such user; else the user as he
    /// is now.
    async fn set_password(
        &self,
        id: &U::Id,
        change: PasswordChange<'_>,
    ) -> Result<Option<Arc<U>>, Error>;

    /// Raises the epoch, which ends every session and token of the user. `None` without such a
    /// user; an error for a type without an `#[auth(epoch)]` column.
    async fn raise_epoch(&self, id: &U::Id) -> Result<Option<i64>, Error>;

    /// Makes this the user's only token, where the type has an `#[auth(token)]` column. No change if
    /// there is no such user; an error for a type without the column.
    async fn set_token(&self, id: &U::Id, token: &TokenId) -> Result<(), Error> {
        let _ = (id, token);
        Err(no_column::<U>("token"))
    }

    /// Leaves the user without a token, if it is still this one, in one atomic step. `false`, and no
    /// change, if it is not.
    async fn clear_token(&self, id: &U::Id, token: &TokenId) -> Result<bool, Error> {
        let _ = (id, token);
        Err(no_column::<U>("token"))
    }

    /// Makes a user of the claims of a verified token, a JSON object: only for types without a
    /// table, see [`ClaimsUsers`]. `None` if this store cannot.
    ///
    /// It is asked once for each token, for as long as the token is remembered: what it makes of the
    /// same claims has to stay the same.
    fn by_claims(&self, claims: &str) -> Option<Result<Arc<U>, serde_json::Error>> {
        let _ = claims;
        None
    }

    /// Whether the users of this store have the roles that `#[auth(roles(external))]` promises:
    /// [`with_roles`](Self::with_roles) says so.
    fn brings_roles(&self) -> bool {
        false
    }

    /// Whether [`by_id`](Self::by_id) may answer with a copy that is older than the store: no.
    fn keeps_copies(&self) -> bool {
        false
    }

    /// The user with this id as the store has him now, whatever copies there are. Asked before a
    /// credential is refused that does not fit a copy.
    async fn reload(&self, id: &U::Id) -> Result<Option<Arc<U>>, Error> {
        self.by_id(id).await
    }

    /// What cannot be meant about how the store was set up, one sentence each. They are errors of
    /// [`AuthConfig::build`](crate::config::AuthConfig::build).
    fn problems(&self) -> Vec<String> {
        Vec::new()
    }

    /// This store, with users kept in this process for so long after they were loaded; see
    /// [`CachedUsers`] for what that changes. Up to 5 minutes; choose seconds.
    fn cached(self, life: TimeDelta) -> CachedUsers<U, Self>
    where
        Self: Sized,
    {
        CachedUsers::new(self, life)
    }

    /// This store, with the roles from another one, for a type with `#[auth(roles(external))]`.
    fn with_roles<R: RoleStore<U>>(self, roles: R) -> WithRoles<Self, R>
    where
        Self: Sized,
    {
        WithRoles::new(self, roles)
    }
}

/// What a login name resolves to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup<U> {
    /// Nobody.
    None,
    /// One user.
    One(Arc<U>),
    /// Several, as when one user's name is another one's e-mail address. Refused, not guessed.
    Ambiguous,
}

/// A change of a password hash.
#[derive(Debug, Clone, Copy)]
pub struct PasswordChange<'a> {
    /// The hash that must still be there, `None` for a user without a password.
    pub replaces: Option<&'a PasswordHash>,
    /// The new hash.
    pub hash: &'a PasswordHash,
    /// Whether to raise the epoch too, where the type has one: yes for a new password, no for a
    /// new hash of the old one.
    pub raise_epoch: bool,
}

/// A change was asked for that the type of user has no column for.
fn no_column<U: AuthUser>(mark: &str) -> Error {
    Error::Misconfigured(format!("{} has no `#[auth({mark})]` field", U::META.path))
}
