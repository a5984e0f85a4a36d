//! Users who are loaded once for a while: [`CachedUsers`].

use std::{fmt, net::IpAddr, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub(super) use self::everywhere::Changing;
use self::{copies::Copies, everywhere::known};
use super::{Lookup, PasswordChange, UserStore};
use crate::{
    clock::{Clock, SystemClock},
    error::Error,
    secret::TokenId,
    user::AuthUser,
};

mod copies;
mod everywhere;

/// How many users are kept: a few megabytes of them.
const USERS: usize = 10_000;

/// Nobody wants to wait longer than this until somebody who was shut out is out everywhere.
const LONGEST: TimeDelta = TimeDelta::minutes(5);

/// A user store that keeps users in this process for a while after it has loaded them;
/// [`UserStore::cached`] makes it. Clones share what is kept.
///
/// A request then costs no call of the user store as long as the copy lives. That pays where the
/// users are far away and few of them send many requests; nothing is kept unless this is asked for.
///
/// | what happens | when it counts |
/// |---|---|
/// | a write through this store: login, new password, raised epoch | at once in this process |
/// | a role given or taken with `SqlRoles` | at once in this process, in every such store of it |
/// | [`forget`](Self::forget) after a write of the application's own | at once in this process |
/// | any change made by another process, a role taken away there included | when the copy's life is over, at the latest |
/// | a change that the application makes without [`forget`](Self::forget), such as a user deactivated | when the copy's life is over, at the latest |
/// | a credential that is newer than the copy, as after a new password on another node | at once: the user is loaded anew before it is refused |
/// | the store fails | when the copy's life is over; a copy never outlives it |
///
/// # Security
///
/// Until its life is over, a copy may let an old credential of a user live on whose password was
/// changed by *another* process. Sessions are not among them where the processes share their
/// session store, because that change deletes them there; tokens are. The same goes for the
/// `#[auth(active)]` column, and for roles: one that is taken away by one process is held in another
/// one for the rest of the copy's life, counted from the moment at which the copy was asked for. So
/// the life is the time within which a revocation counts everywhere: choose it in seconds.
///
/// # Examples
///
/// ```
/// # use auth_core::{config::AuthConfig, store::MemorySessions, user::{AuthUser, NoRole, RoleSource, UserMeta}, users::MemoryUsers};
/// use auth_core::users::UserStore;
/// use chrono::TimeDelta;
/// # #[derive(Clone, Debug)]
/// # struct User { id: i64 }
/// # impl AuthUser for User {
/// #     type Id = i64;
/// #     type Role = NoRole;
/// #     const META: &'static UserMeta = &UserMeta {
/// #         name: "User", path: "User", table: "users", columns: &["id"], id: "id", login: &[],
/// #         password: None, login_time: None, login_ip: None, epoch: None, active: None, token: None,
/// #         roles: RoleSource::Column, schemes: &["session"],
/// #     };
/// #     fn id(&self) -> &i64 { &self.id }
/// #     fn login_name(&self, _: usize) -> Option<&str> { None }
/// # }
/// # let store = MemoryUsers::<User>::new();
/// # let sessions = MemorySessions::default();
///
/// let users = store.cached(TimeDelta::seconds(5));
/// let auth = AuthConfig::new().user::<User>(users.clone()).sessions(sessions).build()?;
/// // Where the application itself changes a user:
/// users.forget(&7);
/// # Ok::<(), auth_core::config::ConfigError>(())
/// ```
pub struct CachedUsers<U: AuthUser, S> {
    store: Arc<S>,
    copies: Arc<Copies<U>>,
    life: TimeDelta,
    clock: Arc<dyn Clock>,
}

impl<U: AuthUser, S> CachedUsers<U, S> {
    pub(super) fn new(store: S, life: TimeDelta) -> Self {
        let (copies, clock) = (known(Copies::new(USERS)), Arc::new(SystemClock));
        Self { store: Arc::new(store), copies, life, clock }
    }

    /// Keeps about so many users; of more, those stay who were loaded last. Default: 10 000.
    #[must_use]
    pub fn capacity(mut self, users: usize) -> Self {
        self.copies = known(Copies::new(users));
        self
    }

    /// The clock by which copies age. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Forgets the copy of a user, so that the next request loads him: for the application's own
    /// changes of users.
    ///
    /// Call it after the change. A load that has begun before leaves no copy either.
    pub fn forget(&self, id: &U::Id) {
        self.copies.forget(id);
    }

    /// Forgets the copy when it goes, also when the caller does not wait for the write to end.
    fn writing<'a>(&'a self, id: &'a U::Id) -> Writing<'a, U> {
        Writing { copies: &self.copies, id }
    }

    fn copy(&self, id: &U::Id) -> Option<Arc<U>> {
        self.copies.get(id, self.clock.now(), self.life)
    }
}

impl<U: AuthUser, S> Clone for CachedUsers<U, S> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            copies: self.copies.clone(),
            life: self.life,
            clock: self.clock.clone(),
        }
    }
}

impl<U: AuthUser, S: fmt::Debug> fmt::Debug for CachedUsers<U, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedUsers")
            .field("store", &self.store)
            .field("life", &self.life)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl<U: AuthUser, S: UserStore<U>> UserStore<U> for CachedUsers<U, S> {
    async fn by_id(&self, id: &U::Id) -> Result<Option<Arc<U>>, Error> {
        match self.copy(id) {
            Some(user) => Ok(Some(user)),
            None => self.reload(id).await,
        }
    }

    fn by_id_now(&self, id: &U::Id) -> Option<Result<Option<Arc<U>>, Error>> {
        match self.copy(id) {
            Some(user) => Some(Ok(Some(user))),
            None => self.store.by_id_now(id),
        }
    }

    async fn by_login(&self, name: &str) -> Result<Lookup<U>, Error> {
        self.store.by_login(name).await
    }

    async fn set_login(
        &self,
        id: &U::Id,
        at: DateTime<Utc>,
        ip: Option<IpAddr>,
    ) -> Result<(), Error> {
        let _writing = self.writing(id);
        self.store.set_login(id, at, ip).await
    }

    async fn set_password(
        &self,
        id: &U::Id,
        change: PasswordChange<'_>,
    ) -> Result<Option<Arc<U>>, Error> {
        let _writing = self.writing(id);
        self.store.set_password(id, change).await
    }

    async fn raise_epoch(&self, id: &U::Id) -> Result<Option<i64>, Error> {
        let _writing = self.writing(id);
        self.store.raise_epoch(id).await
    }

    async fn set_token(&self, id: &U::Id, token: &TokenId) -> Result<(), Error> {
        let _writing = self.writing(id);
        self.store.set_token(id, token).await
    }

    async fn clear_token(&self, id: &U::Id, token: &TokenId) -> Result<bool, Error> {
        let _writing = self.writing(id);
        self.store.clear_token(id, token).await
    }

    fn brings_roles(&self) -> bool {
        self.store.brings_roles()
    }

    fn keeps_copies(&self) -> bool {
        true
    }

    async fn reload(&self, id: &U::Id) -> Result<Option<Arc<U>>, Error> {
        // The copy is as old as the question, not as the answer.
        let (asked, writes) = (self.clock.now(), self.copies.writes(id));
        let user = self.store.reload(id).await?;
        match &user {
            Some(user) => self.copies.keep(user, asked, writes),
            None => self.copies.forget(id),
        }
        Ok(user)
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = self.store.problems();
        if self.life <= TimeDelta::zero() || self.life > LONGEST {
            let name = U::META.name;
            problems.push(format!(
                "the copies of {name} shall live for {} seconds; `cached` takes more than none and \
                 5 minutes at most, because that long a revocation may not count on other nodes",
                self.life.num_seconds()
            ));
        }
        problems
    }
}

struct Writing<'a, U: AuthUser> {
    copies: &'a Copies<U>,
    id: &'a U::Id,
}

impl<U: AuthUser> Drop for Writing<'_, U> {
    fn drop(&mut self) {
        self.copies.forget(self.id);
    }
}
