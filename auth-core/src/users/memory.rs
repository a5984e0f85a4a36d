//! Users in memory: [`MemoryUsers`].

use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Lookup, PasswordChange, UserStore, no_column};
use crate::{error::Error, secret::TokenId, user::AuthUser};

/// Keeps users in memory: for tests, and for users that come from a configuration file.
///
/// Clones share the users. [`by_id_now`](UserStore::by_id_now) always answers.
///
/// # Examples
///
/// ```
/// # use auth_core::{user::{AuthUser, LoginColumn, NoRole, RoleSource, UserMeta}, users::MemoryUsers};
/// # #[derive(Clone, Debug, PartialEq)]
/// # struct User { id: i64, name: String }
/// # impl AuthUser for User {
/// #     type Id = i64;
/// #     type Role = NoRole;
/// #     const META: &'static UserMeta = &UserMeta {
/// #         name: "User", path: "User", table: "users", columns: &["id", "name"], id: "id",
/// #         login: &[LoginColumn { column: "name", ignore_case: true }], password: None,
/// #         login_time: None, login_ip: None, epoch: None, active: None, token: None, roles: RoleSource::Column,
/// #         schemes: &[],
/// #     };
/// #     fn id(&self) -> &i64 { &self.id }
/// #     fn login_name(&self, _: usize) -> Option<&str> { Some(&self.name) }
/// # }
/// let users = MemoryUsers::new();
/// users.insert(User { id: 1, name: "alice".into() })?;
/// // The login column of this type ignores case.
/// assert!(users.insert(User { id: 2, name: "Alice".into() }).is_err());
/// # Ok::<(), auth_core::users::Taken>(())
/// ```
pub struct MemoryUsers<U: AuthUser>(Arc<RwLock<Table<U>>>);

struct Table<U: AuthUser> {
    by_id: HashMap<U::Id, Arc<U>>,
    /// One index for each login column, by the name as [`key`] writes it.
    by_login: Vec<HashMap<Box<str>, U::Id>>,
}

/// Why a user was not inserted or changed: another user has the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Taken {
    /// The id.
    #[error("there is a user with this id")]
    Id,
    /// The value of this login column.
    #[error("there is a user with this `{0}`")]
    Login(&'static str),
}

/// The name by which a login column finds a user.
fn key<U: AuthUser>(column: usize, name: &str) -> Box<str> {
    match U::META.login.get(column) {
        Some(column) if column.ignore_case => name.to_ascii_lowercase().into(),
        _ => name.into(),
    }
}

impl<U: AuthUser> Table<U> {
    /// The login names of a user, each with its column's index.
    fn names(user: &U) -> impl Iterator<Item = (usize, Box<str>)> + '_ {
        (0..U::META.login.len())
            .filter_map(|index| Some((index, key::<U>(index, user.login_name(index)?))))
    }

    /// Whether another user than the one with that id has a login name of this user.
    fn check_names(&self, user: &U, own: Option<&U::Id>) -> Result<(), Taken> {
        for (index, name) in Self::names(user) {
            if self.by_login[index].get(&name).is_some_and(|id| Some(id) != own) {
                return Err(Taken::Login(U::META.login[index].column));
            }
        }
        Ok(())
    }

    fn add(&mut self, user: U) {
        for (index, name) in Self::names(&user) {
            self.by_login[index].insert(name, user.id().clone());
        }
        self.by_id.insert(user.id().clone(), Arc::new(user));
    }

    fn take(&mut self, id: &U::Id) -> Option<Arc<U>> {
        let user = self.by_id.remove(id)?;
        for (index, name) in Self::names(&user) {
            self.by_login[index].remove(&name);
        }
        Some(user)
    }
}

impl<U: AuthUser> MemoryUsers<U> {
    /// A store without users.
    #[must_use]
    pub fn new() -> Self {
        let by_login = U::META.login.iter().map(|_| HashMap::new()).collect();
        Self(Arc::new(RwLock::new(Table { by_id: HashMap::new(), by_login })))
    }

    /// Adds a user.
    ///
    /// # Errors
    ///
    /// - another user has the id: [`Taken::Id`]
    /// - another user has the same name in the same login column: [`Taken::Login`]
    pub fn insert(&self, user: U) -> Result<(), Taken> {
        let mut table = self.write();
        if table.by_id.contains_key(user.id()) {
            return Err(Taken::Id);
        }
        table.check_names(&user, None)?;
        table.add(user);
        Ok(())
    }

    /// Changes a user, as an administrator does who takes a role away. `false` without such a user.
    ///
    /// `change` must not use this store.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert); the user is then unchanged.
    pub fn update(&self, id: &U::Id, change: impl FnOnce(&mut U)) -> Result<bool, Taken> {
        let mut table = self.write();
        let Some(user) = table.by_id.get(id) else { return Ok(false) };
        let mut user = U::clone(user);
        change(&mut user);
        if user.id() != id && table.by_id.contains_key(user.id()) {
            return Err(Taken::Id);
        }
        table.check_names(&user, Some(id))?;
        table.take(id);
        table.add(user);
        Ok(true)
    }

    /// Removes a user, and returns him if he was there.
    pub fn remove(&self, id: &U::Id) -> Option<Arc<U>> {
        self.write().take(id)
    }

    /// All users, in no order.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<U>> {
        self.read().by_id.values().cloned().collect()
    }

    // The table is whole even after a panic: only the `change` of `update` may panic, and it works
    // on a copy.

    fn read(&self) -> RwLockReadGuard<'_, Table<U>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Table<U>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<U: AuthUser> Default for MemoryUsers<U> {
    fn default() -> Self {
        Self::new()
    }
}

impl<U: AuthUser> Clone for MemoryUsers<U> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<U: AuthUser> fmt::Debug for MemoryUsers<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryUsers").field("users", &self.read().by_id.len()).finish()
    }
}

#[async_trait]
impl<U: AuthUser> UserStore<U> for MemoryUsers<U> {
    async fn by_id(&self, id: &U::Id) -> Result<Option<Arc<U>>, Error> {
        Ok(self.read().by_id.get(id).cloned())
    }

    fn by_id_now(&self, id: &U::Id) -> Option<Result<Option<Arc<U>>, Error>> {
        Some(Ok(self.read().by_id.get(id).cloned()))
    }

    async fn by_login(&self, name: &str) -> Result<Lookup<U>, Error> {
        let table = self.read();
        let mut ids = (table.by_login.iter().enumerate())
            .filter_map(|(index, column)| column.get(&key::<U>(index, name)));
        let Some(id) = ids.next() else { return Ok(Lookup::None) };
        if ids.any(|other| other != id) {
            return Ok(Lookup::Ambiguous);
        }
        Ok(table.by_id.get(id).cloned().map_or(Lookup::None, Lookup::One))
    }

    async fn set_login(
        &self,
        id: &U::Id,
        at: DateTime<Utc>,
        ip: Option<IpAddr>,
    ) -> Result<(), Error> {
        if let Some(user) = self.write().by_id.get_mut(id) {
            Arc::make_mut(user).set_login(at, ip);
        }
        Ok(())
    }

    async fn set_password(
        &self,
        id: &U::Id,
        change: PasswordChange<'_>,
    ) -> Result<Option<Arc<U>>, Error> {
        if U::META.password.is_none() {
            return Err(no_column::<U>("password"));
        }
        let mut table = self.write();
        let user = table.by_id.get_mut(id).filter(|user| user.password() == change.replaces);
        let Some(user) = user else { return Ok(None) };
        let fresh = Arc::make_mut(user);
        fresh.set_password(change.hash.clone());
        if let Some(epoch) = fresh.epoch().filter(|_| change.raise_epoch) {
            fresh.set_epoch(epoch + 1);
        }
        Ok(Some(user.clone()))
    }

    async fn set_token(&self, id: &U::Id, token: &TokenId) -> Result<(), Error> {
        if U::META.token.is_none() {
            return Err(no_column::<U>("token"));
        }
        if let Some(user) = self.write().by_id.get_mut(id) {
            Arc::make_mut(user).set_token(Some(*token));
        }
        Ok(())
    }

    async fn clear_token(&self, id: &U::Id, token: &TokenId) -> Result<bool, Error> {
        if U::META.token.is_none() {
            return Err(no_column::<U>("token"));
        }
        let mut table = self.write();
        let user = table.by_id.get_mut(id).filter(|user| user.token() == Some(token));
        Ok(user.map(|user| Arc::make_mut(user).set_token(None)).is_some())
    }

    async fn raise_epoch(&self, id: &U::Id) -> Result<Option<i64>, Error> {
        if U::META.epoch.is_none() {
            return Err(no_column::<U>("epoch"));
        }
        let mut table = self.write();
        let Some(user) = table.by_id.get_mut(id) else { return Ok(None) };
        let fresh = Arc::make_mut(user);
        if let Some(epoch) = fresh.epoch() {
            fresh.set_epoch(epoch + 1);
        }
        Ok(fresh.epoch())
    }
}
