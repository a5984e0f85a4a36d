//! Users in memory, for tests and for programs that bring their users along: [`MemoryUsers`].

use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Lookup, PasswordChange, UserStore};
use crate::{
    error::Error,
    user::{AuthUser, LoginColumn},
};

/// Keeps users in memory. Clones share them.
///
/// # Examples
///
/// ```text
/// let users = MemoryUsers::default();
/// users.insert(user)?;
/// let auth = AuthConfig::new().user::<User>(users.clone()).sessions(sessions).build()?;
/// ```
pub struct MemoryUsers<U: AuthUser> {
    users: Arc<RwLock<HashMap<U::Id, Arc<U>>>>,
}

/// The id or a login name belongs to another user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another user has this {column}")]
pub struct Taken {
    /// The column.
    pub column: &'static str,
}

impl<U: AuthUser> MemoryUsers<U> {
    /// Adds a user.
    ///
    /// # Errors
    ///
    /// - another user has the id, or one of the login names: [`Taken`]
    pub fn insert(&self, user: U) -> Result<(), Taken> {
        let mut users = self.write();
        if users.contains_key(user.id()) {
            return Err(Taken { column: U::META.id });
        }
        for (index, column) in U::META.login.iter().enumerate() {
            let Some(name) = user.login_name(index) else { continue };
            if users.values().any(|other| named(&**other, index, column, name)) {
                return Err(Taken { column: column.column });
            }
        }
        users.insert(user.id().clone(), Arc::new(user));
        Ok(())
    }

    /// Changes a user, and says whether there was one. The id must stay as it is.
    pub fn update(&self, id: &U::Id, change: impl FnOnce(&mut U)) -> bool {
        let mut users = self.write();
        let Some(user) = users.get_mut(id) else { return false };
        change(Arc::make_mut(user));
        true
    }

    /// Removes a user.
    pub fn remove(&self, id: &U::Id) -> Option<Arc<U>> {
        self.write().remove(id)
    }

    /// All users, in no order.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<U>> {
        self.read().values().cloned().collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<U::Id, Arc<U>>> {
        // A panic in `update` leaves a user as far as he was changed, which is no worse than the
        // panic itself.
        self.users.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<U::Id, Arc<U>>> {
        self.users.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn named<U: AuthUser>(user: &U, index: usize, column: &LoginColumn, name: &str) -> bool {
    user.login_name(index).is_some_and(|own| {
        if column.ignore_case { own.eq_ignore_ascii_case(name) } else { own == name }
    })
}

impl<U: AuthUser> Default for MemoryUsers<U> {
    fn default() -> Self {
        Self { users: Arc::default() }
    }
}

impl<U: AuthUser> Clone for MemoryUsers<U> {
    fn clone(&self) -> Self {
        Self { users: self.users.clone() }
    }
}

impl<U: AuthUser> fmt::Debug for MemoryUsers<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryUsers<{}>({})", U::META.name, self.read().len())
    }
}

#[async_trait]
impl<U: AuthUser> UserStore<U> for MemoryUsers<U> {
    async fn by_id(&self, id: &U::Id) -> Result<Option<Arc<U>>, Error> {
        Ok(self.read().get(id).cloned())
    }

    fn by_id_now(&self, id: &U::Id) -> Option<Result<Option<Arc<U>>, Error>> {
        Some(Ok(self.read().get(id).cloned()))
    }

    async fn by_login(&self, name: &str) -> Result<Lookup<U>, Error> {
        let users = self.read();
        let mut found = users.values().filter(|user| {
            let columns = U::META.login.iter().enumerate();
            columns.into_iter().any(|(index, column)| named(&***user, index, column, name))
        });
        Ok(match (found.next(), found.next()) {
            (None, _) => Lookup::None,
            (Some(user), None) => Lookup::One(user.clone()),
            (Some(_), Some(_)) => Lookup::Ambiguous,
        })
    }

    async fn set_login(
        &self,
        id: &U::Id,
        at: DateTime<Utc>,
        ip: Option<IpAddr>,
    ) -> Result<(), Error> {
        self.update(id, |user| user.set_login(at, ip));
        Ok(())
    }

    async fn set_password(
        &self,
        id: &U::Id,
        change: PasswordChange<'_>,
    ) -> Result<Option<Arc<U>>, Error> {
        let mut users = self.write();
        let Some(user) = users.get_mut(id).filter(|user| user.password() == change.replaces) else {
            return Ok(None);
        };
        let changed = Arc::make_mut(user);
        changed.set_password(change.hash.clone());
        if let Some(epoch) = changed.epoch().filter(|_| change.raise_epoch) {
            changed.set_epoch(epoch + 1);
        }
        Ok(Some(user.clone()))
    }

    async fn raise_epoch(&self, id: &U::Id) -> Result<Option<i64>, Error> {
        let mut users = self.write();
        let Some(user) = users.get_mut(id) else { return Ok(None) };
        let epoch = user.epoch().ok_or_else(super::no_epoch::<U>)? + 1;
        Arc::make_mut(user).set_epoch(epoch);
        Ok(Some(epoch))
    }
}
