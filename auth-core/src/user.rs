//! What the framework knows of a user: [`AuthUser`], its columns, its roles.
//!
//! Applications derive these traits; nothing here is written by hand except in tests of the
//! framework itself.

use std::{
    fmt::{self, Debug, Display},
    hash::Hash,
    net::IpAddr,
    str::FromStr,
    sync::Arc,
};

use chrono::{DateTime, Utc};

use crate::{password::PasswordHash, secret::TokenId};

mod scoped;

pub use scoped::{ScopeError, Scoped};

/// A type of user: what `#[derive(AuthUser)]` implements.
///
/// A value comes only from a [`UserStore`](crate::users::UserStore), by way of a verified
/// credential. The derive writes no constructor, `Default` or `Deserialize` for that reason, and
/// you should not either.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a user",
    label = "not a user",
    note = "write `#[derive(AuthUser)]` on the struct that is the user"
)]
pub trait AuthUser: Clone + Send + Sync + 'static {
    /// The type of the `#[auth(id)]` field.
    type Id: UserId;
    /// The roles that `#[require(role = "…")]` may name, [`NoRole`] where there are none.
    type Role: AuthRole;
    /// Table, columns, schemes.
    const META: &'static UserMeta;
    /// Whether the roles may be [`Scoped`], so that `#[require(role = "{site_id}:…")]` can be met.
    const SCOPED_ROLES: bool = false;
    /// Whether users are made of the claims of a token, and there is no table of them.
    const FROM_CLAIMS: bool = false;

    /// The user's id.
    fn id(&self) -> &Self::Id;

    /// The hash of the password, `None` for a user without one.
    fn password(&self) -> Option<&PasswordHash> {
        None
    }

    /// The value of the login column with this index in [`UserMeta::login`].
    fn login_name(&self, index: usize) -> Option<&str>;

    /// Whether the user has the role, in no scope.
    fn has_role(&self, role: &str) -> bool {
        let _ = role;
        false
    }

    /// Whether the user has the role in this very scope. A role in no scope is not meant.
    fn has_role_in(&self, scope: &str, role: &str) -> bool {
        let _ = (scope, role);
        false
    }

    /// Whether the user has the permission, by its own column or through a role.
    fn has_permission(&self, permission: &str) -> bool {
        let _ = permission;
        false
    }

    /// Whether the account may be used. An inactive user's credentials are invalid.
    fn is_active(&self) -> bool {
        true
    }

    /// The number that is raised to end every session and token of the user, `None` without an
    /// `#[auth(epoch)]` column.
    fn epoch(&self) -> Option<i64> {
        None
    }

    /// The name of the newest token, which is the only one that holds, where the type has an
    /// `#[auth(token)]` column.
    fn token(&self) -> Option<&TokenId> {
        None
    }

    /// Sets the name of the newest token of this value, after the store has done so.
    fn set_token(&mut self, token: Option<TokenId>) {
        let _ = token;
    }

    /// Sets the login columns of this value, after the store has done so.
    fn set_login(&mut self, at: DateTime<Utc>, ip: Option<IpAddr>) {
        let _ = (at, ip);
    }

    /// Sets the roles of this value to those that a [`RoleStore`](crate::users::RoleStore) has.
    fn set_roles(&mut self, roles: Vec<Scoped<Self::Role>>) {
        let _ = roles;
    }

    /// Sets the password of this value, after the store has done so.
    fn set_password(&mut self, hash: PasswordHash) {
        let _ = hash;
    }

    /// Sets the epoch of this value, after the store has done so.
    fn set_epoch(&mut self, epoch: i64) {
        let _ = epoch;
    }
}

/// What can be a user's id: an integer, a uuid, a string.
pub trait UserId: Clone + Eq + Hash + Debug + Display + FromStr + Send + Sync + 'static {}

impl<T> UserId for T where T: Clone + Eq + Hash + Debug + Display + FromStr + Send + Sync + 'static {}

/// The roles of a type of user: what `#[derive(AuthRole)]` implements on an enum.
///
/// A role's name is the variant in `snake_case`, or what `#[role(name = "…")]` says.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a role",
    label = "not a role",
    note = "write `#[derive(AuthRole)]` on the enum that lists the roles"
)]
pub trait AuthRole: Sized + Send + Sync + 'static {
    /// The names of all roles, in the order of the variants.
    const NAMES: &'static [&'static str];

    /// The name of this role.
    fn name(&self) -> &'static str;

    /// The role of that name.
    fn from_name(name: &str) -> Option<Self>;

    /// The permissions that this role grants: `#[role(permissions("users:delete"))]`.
    fn permissions(&self) -> &'static [&'static str] {
        &[]
    }
}

/// The role type of users without roles. It has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRole {}

impl AuthRole for NoRole {
    const NAMES: &'static [&'static str] = &[];

    fn name(&self) -> &'static str {
        match *self {}
    }

    fn from_name(_: &str) -> Option<Self> {
        None
    }
}

/// A text that is the name of no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such role")]
pub struct UnknownRole;

/// What an `#[auth(roles)]` field may be: one role, an optional one, a list, or a list of roles in
/// scopes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not hold roles of the type `{R}`",
    label = "not a role, an optional role or a list of roles",
    note = "the field under `#[auth(roles)]` holds what `#[auth(role = …)]` names: `{R}`, \
            `Option<{R}>`, `Vec<{R}>` or `Vec<Scoped<{R}>>`"
)]
pub trait RoleSet<R> {
    /// Whether the roles may have a scope.
    const SCOPED: bool = false;
    /// Whether a role of that name is in the set, without a scope.
    fn has_role(&self, name: &str) -> bool;
    /// Whether a role of that name is in the set, with this scope.
    fn has_role_in(&self, scope: &str, name: &str) -> bool {
        let _ = (scope, name);
        false
    }
    /// Whether a role in the set grants the permission.
    fn grants(&self, permission: &str) -> bool;
}

impl<R: AuthRole> RoleSet<R> for R {
    fn has_role(&self, name: &str) -> bool {
        self.name() == name
    }

    fn grants(&self, permission: &str) -> bool {
        self.permissions().contains(&permission)
    }
}

impl<R: AuthRole> RoleSet<R> for Vec<R> {
    fn has_role(&self, name: &str) -> bool {
        self.iter().any(|role| role.name() == name)
    }

    fn grants(&self, permission: &str) -> bool {
        self.iter().any(|role| role.permissions().contains(&permission))
    }
}

impl<R: AuthRole> RoleSet<R> for Option<R> {
    fn has_role(&self, name: &str) -> bool {
        self.as_ref().is_some_and(|role| role.name() == name)
    }

    fn grants(&self, permission: &str) -> bool {
        self.as_ref().is_some_and(|role| role.permissions().contains(&permission))
    }
}

/// What `#[derive(AuthUser)]` writes down about a type of user.
#[derive(Debug, Clone, Copy)]
pub struct UserMeta {
    /// The type's name, as in `User`.
    pub name: &'static str,
    /// The type's full path, as in `shop::users::User`; tells two types of one name apart.
    pub path: &'static str,
    /// The table. Also the realm in [`UserKey`]: two user types never share one.
    pub table: &'static str,
    /// Every column, in the order of the fields.
    pub columns: &'static [&'static str],
    /// The `#[auth(id)]` column.
    pub id: &'static str,
    /// The `#[auth(login)]` columns.
    pub login: &'static [LoginColumn],
    /// The `#[auth(password)]` column.
    pub password: Option<&'static str>,
    /// The `#[auth(login_time)]` column.
    pub login_time: Option<&'static str>,
    /// The `#[auth(login_ip)]` column.
    pub login_ip: Option<&'static str>,
    /// The `#[auth(epoch)]` column.
    pub epoch: Option<&'static str>,
    /// The `#[auth(active)]` column.
    pub active: Option<&'static str>,
    /// The `#[auth(token)]` column.
    pub token: Option<&'static str>,
    /// Where the roles are.
    pub roles: RoleSource,
    /// The schemes by which a user may prove who he is, in the order they are tried.
    pub schemes: &'static [&'static str],
}

/// Where the roles of a type of user are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RoleSource {
    /// In a column of the user's own row, if there are any.
    Column,
    /// In a table of their own, one row for each: `#[auth(roles(table = "user_roles"))]`.
    Table {
        /// The table.
        table: &'static str,
        /// The field, and the name under which a SELECT has the roles.
        field: &'static str,
    },
    /// In a store of the application's own: `#[auth(roles(external))]`.
    External,
}

/// A column that identifies a user at login.
#[derive(Debug, Clone, Copy)]
pub struct LoginColumn {
    /// The column's name.
    pub column: &'static str,
    /// Whether names are compared without regard to ASCII case: `#[auth(login(ignore_case))]`.
    pub ignore_case: bool,
}

/// Names one user among all types of users: `<table>:<id>`.
///
/// This is what sessions and tokens carry. Clones share the text.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserKey(Arc<str>);

impl UserKey {
    /// The key of a user.
    pub fn of<U: AuthUser>(user: &U) -> Self {
        Self::from_id::<U>(user.id())
    }

    /// The key of the user with this id.
    pub fn from_id<U: AuthUser>(id: &U::Id) -> Self {
        Self(format!("{}:{id}", U::META.table).into())
    }

    /// Whether the key is of that type of user.
    #[must_use]
    pub fn is_of<U: AuthUser>(&self) -> bool {
        self.0.strip_prefix(U::META.table).is_some_and(|rest| rest.starts_with(':'))
    }

    /// The key as a store keeps it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id, if this key is of that type of user and the id can be read.
    #[must_use]
    pub fn id<U: AuthUser>(&self) -> Option<U::Id> {
        self.0.strip_prefix(U::META.table)?.strip_prefix(':')?.parse().ok()
    }
}

impl From<String> for UserKey {
    /// Reads a key back from a store.
    fn from(key: String) -> Self {
        Self(key.into())
    }
}

impl Debug for UserKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserKey({})", self.0)
    }
}
