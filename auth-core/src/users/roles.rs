//! Roles from somewhere else than the users: [`RoleStore`], [`WithRoles`].

use std::{fmt, future::Future, net::IpAddr, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Lookup, PasswordChange, UserStore};
use crate::{
    error::Error,
    secret::TokenId,
    user::{AuthUser, Scoped},
};

/// Where the roles of users are that their own store does not have: another database, a directory,
/// a service. For a type with `#[auth(roles(external))]`, by way of [`UserStore::with_roles`].
///
/// It is asked whenever the user is loaded, so a role that it no longer has is gone with the next
/// request. What it keeps for longer it answers for itself.
///
/// # Errors
///
/// - the store cannot answer: [`Error`]. A fault is 503, never "no roles"
///
/// # Examples
///
/// ```
/// use auth_core::{error::Error, user::{AuthRole, AuthUser, Scoped}, users::RoleStore};
///
/// struct Directory;
///
/// impl<U: AuthUser> RoleStore<U> for Directory {
///     async fn roles(&self, user: &U) -> Result<Vec<Scoped<U::Role>>, Error> {
///         let names = ask_the_directory(&user.id().to_string()).await?;
///         // A name that this application does not know grants nothing here.
///         Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
///     }
/// }
/// # async fn ask_the_directory(_: &str) -> Result<Vec<String>, Error> { Ok(Vec::new()) }
/// ```
pub trait RoleStore<U: AuthUser>: Send + Sync + 'static {
    /// The roles of a user, each with its scope.
    fn roles(&self, user: &U) -> impl Future<Output = Result<Vec<Scoped<U::Role>>, Error>> + Send;
}

/// A store of users whose roles come from another one; [`UserStore::with_roles`] makes it.
///
/// Everything but the roles is the first store's.
#[derive(Clone)]
pub struct WithRoles<S, R> {
    users: S,
    roles: R,
}

impl<S, R> WithRoles<S, R> {
    pub(super) fn new(users: S, roles: R) -> Self {
        Self { users, roles }
    }

    async fn complete<U: AuthUser>(&self, user: Arc<U>) -> Result<Arc<U>, Error>
    where
        R: RoleStore<U>,
    {
        let roles = self.roles.roles(&user).await?;
        let mut user = Arc::unwrap_or_clone(user);
        user.set_roles(roles);
        Ok(Arc::new(user))
    }
}

impl<S: fmt::Debug, R> fmt::Debug for WithRoles<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithRoles").field("users", &self.users).finish_non_exhaustive()
    }
}

#[async_trait]
impl<U: AuthUser, S: UserStore<U>, R: RoleStore<U>> UserStore<U> for WithRoles<S, R> {
    async fn by_id(&self, id: &U::Id) -> Result<Option<Arc<U>>, Error> {
        match self.users.by_id(id).await? {
            Some(user) => self.complete(user).await.map(Some),
            None => Ok(None),
        }
    }

    /// Only that there is nobody is known without the roles.
    fn by_id_now(&self, id: &U::Id) -> Option<Result<Option<Arc<U>>, Error>> {
        self.users.by_id_now(id).filter(|answer| !matches!(answer, Ok(Some(_))))
    }

    async fn by_login(&self, name: &str) -> Result<Lookup<U>, Error> {
        match self.users.by_login(name).await? {
            Lookup::One(user) => self.complete(user).await.map(Lookup::One),
            other @ (Lookup::None | Lookup::Ambiguous) => Ok(other),
        }
    }

    async fn set_login(
        &self,
        id: &U::Id,
        at: DateTime<Utc>,
        ip: Option<IpAddr>,
    ) -> Result<(), Error> {
        self.users.set_login(id, at, ip).await
    }

    async fn set_password(
        &self,
        id: &U::Id,
        change: PasswordChange<'_>,
    ) -> Result<Option<Arc<U>>, Error> {
        match self.users.set_password(id, change).await? {
            Some(user) => self.complete(user).await.map(Some),
            None => Ok(None),
        }
    }

    async fn raise_epoch(&self, id: &U::Id) -> Result<Option<i64>, Error> {
        self.users.raise_epoch(id).await
    }

    async fn set_token(&self, id: &U::Id, token: &TokenId) -> Result<(), Error> {
        self.users.set_token(id, token).await
    }

    async fn clear_token(&self, id: &U::Id, token: &TokenId) -> Result<bool, Error> {
        self.users.clear_token(id, token).await
    }

    fn brings_roles(&self) -> bool {
        true
    }

    fn keeps_copies(&self) -> bool {
        self.users.keeps_copies()
    }

    async fn reload(&self, id: &U::Id) -> Result<Option<Arc<U>>, Error> {
        match self.users.reload(id).await? {
            Some(user) => self.complete(user).await.map(Some),
            None => Ok(None),
        }
    }

    fn problems(&self) -> Vec<String> {
        self.users.problems()
    }
}
