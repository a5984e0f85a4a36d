//! Users in a table of the application: [`SqlUsers`].
//!
//! The application creates the table, inserts its users and owns all columns. The framework reads
//! the columns that the type names, and changes those that are marked `password`, `login_time`,
//! `login_ip`, `epoch` and `token`.
//!
//! | field | column |
//! |---|---|
//! | without a mark | what `sqlx` decodes to its type |
//! | `id` | `Uuid`: a blob in SQLite, `uuid` in PostgreSQL, `binary(16)` in MySQL; `i64`: an integer of 64 bits; `String`: text |
//! | `password` | text, at least 128 characters; NULL where the field is an `Option` |
//! | `roles` | text: the name of the role, NULL for `None`, a JSON array of names for a `Vec`; `1:manager` for a role in a scope; in PostgreSQL `json` or `jsonb`, in MySQL `json` too |
//! | `permissions` | text: a JSON array; `json` and `jsonb` as for roles |
//! | `login_time` | the engine's time: text in SQLite, `timestamptz` in PostgreSQL, `datetime(6)` in UTC in MySQL; nullable |
//! | `login_ip` | text in SQLite and MySQL, `inet` in PostgreSQL; nullable, because the address may be unknown |
//! | `epoch` | an integer of 64 bits, not null |
//! | `token` | text of 43 characters, nullable |
//!
//! Roles with scopes may have a table of their own, which [`SqlRoles`] makes and changes:
//! `#[auth(roles(table = "user_roles"))]`. They are read together with the user, so a role that is
//! taken away is gone with the next request of every session and token.
//!
//! Every login column needs a unique index. One that ignores case needs it on `lower(column)`, in
//! PostgreSQL on `lower(column COLLATE "C")`: without that, `lower` follows the database's language
//! and not ASCII. In MySQL it needs a collation that ignores case, as those are that columns have by
//! default, and a plain unique index. Whatever else such a collation takes for equal (accents, spaces
//! at the end) is told apart all the same.
//!
//! # Inserting a user
//!
//! INSERT is the application's own SQL, with all its columns. [`PasswordHash`] binds as it is;
//! [`roles_to_text`] and [`list_to_text`] write what the columns of roles and permissions hold
//! (into a `jsonb` column as `CAST($4 AS jsonb)`):
//!
//! ```
//! # use auth_core::{password::PasswordHash, user::AuthRole, users::sql::roles_to_text};
//! # #[derive(Debug, PartialEq)] enum Role { Admin }
//! # impl AuthRole for Role {
//! #     const NAMES: &'static [&'static str] = &["admin"];
//! #     fn name(&self) -> &'static str { "admin" }
//! #     fn from_name(name: &str) -> Option<Self> { (name == "admin").then_some(Self::Admin) }
//! # }
//! # struct User { id: i64, email: String, password: PasswordHash, roles: Vec<Role> }
//! # #[cfg(feature = "sqlite")]
//! async fn insert(pool: &sqlx::SqlitePool, user: &User) -> Result<(), sqlx::Error> {
//!     sqlx::query("INSERT INTO users (id, email, password, roles) VALUES (?, ?, ?, ?)")
//!         .bind(user.id)
//!         .bind(&user.email)
//!         .bind(&user.password)
//!         .bind(roles_to_text(&user.roles))
//!         .execute(pool)
//!         .await?;
//!     Ok(())
//! }
//! ```
//!
//! [`PasswordHash`]: crate::password::PasswordHash

mod columns;
#[cfg(all(test, feature = "postgres"))]
mod plans;
mod roles;
mod statements;

use std::{fmt, marker::PhantomData, net::IpAddr, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use self::columns::{ColumnError, IpColumn, RoleColumn, list_to_text, roles_to_text};
#[doc(hidden)]
pub use self::columns::{read_ip, read_list, read_role_table, read_roles};
pub use self::roles::SqlRoles;
use self::statements::Statements;
use super::{Lookup, PasswordChange, UserStore, no_column};
#[doc(hidden)]
pub use crate::sql::value::TextColumn;
use crate::{
    error::Error,
    secret::TokenId,
    sql::{SqlPool, SqlRow, SqlValue, bind_key, dialect::Dialect, on_engine, value::Address},
    user::AuthUser,
};

/// A user that can be kept in a table of every enabled engine.
///
/// Implemented for every [`AuthUser`] whose id and fields those engines know.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept in a table of every enabled SQL engine"
)]
pub trait SqlUser: AuthUser<Id: SqlValue> + SqlRow {}

impl<U: AuthUser<Id: SqlValue> + SqlRow> SqlUser for U {}

/// Keeps users in a table of an SQL database.
///
/// # Security
///
/// Names of the table and of columns come from the type and are quoted; everything else is bound.
/// A login name is looked up in all login columns at once and refused if two users have it.
#[derive(Clone)]
pub struct SqlUsers<U> {
    pool: SqlPool,
    sql: Arc<Statements>,
    user: PhantomData<fn() -> U>,
}

impl<U: SqlUser> SqlUsers<U> {
    /// A store on this pool. The table must exist; this does not look.
    pub fn new(pool: impl Into<SqlPool>) -> Self {
        let pool = pool.into();
        let sql = Arc::new(Statements::new(Dialect::of(&pool), U::META));
        Self { pool, sql, user: PhantomData }
    }

    async fn select(&self, id: &U::Id) -> Result<Option<Arc<U>>, Error> {
        let sql = &self.sql.by_id;
        let user = on_engine!(&self.pool, pool => {
            let query = sqlx::query_as::<_, U>(sql.clone());
            bind_key!(query, id, self.sql.id_binds).fetch_optional(pool).await
        });
        user.map(|user| user.map(Arc::new)).map_err(Error::user_store)
    }
}

/// Whether one of the user's login columns is this name, and not merely equal to it by the rules of
/// a language: to some collations `jose` is `josé`.
fn is_named<U: AuthUser>(user: &U, name: &str) -> bool {
    U::META.login.iter().enumerate().any(|(index, column)| match user.login_name(index) {
        Some(own) if column.ignore_case => own.eq_ignore_ascii_case(name),
        Some(own) => own == name,
        None => false,
    })
}

impl<U> fmt::Debug for SqlUsers<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlUsers").field("select", &self.sql.by_id.as_str()).finish_non_exhaustive()
    }
}

#[async_trait]
impl<U: SqlUser> UserStore<U> for SqlUsers<U> {
    async fn by_id(&self, id: &U::Id) -> Result<Option<Arc<U>>, Error> {
        self.select(id).await
    }

    async fn by_login(&self, name: &str) -> Result<Lookup<U>, Error> {
        // Some engines cannot store a NUL in text and fail on it: a client must not be able to
        // make a fault out of that.
        let Some(sql) = self.sql.by_login.clone().filter(|_| !name.contains('\0')) else {
            return Ok(Lookup::None);
        };
        let folded = name.to_ascii_lowercase();
        let users = on_engine!(&self.pool, pool => {
            let mut query = sqlx::query_as::<_, U>(sql.clone());
            for column in U::META.login {
                query = query.bind(if column.ignore_case { folded.as_str() } else { name });
            }
            query.fetch_all(pool).await
        });
        let users = users.map_err(Error::user_store)?;
        let mut users = users.into_iter().filter(|user| is_named(user, name));
        Ok(match (users.next(), users.next()) {
            (None, _) => Lookup::None,
            (Some(user), None) => Lookup::One(Arc::new(user)),
            (Some(_), Some(_)) => Lookup::Ambiguous,
        })
    }

    async fn set_login(
        &self,
        id: &U::Id,
        at: DateTime<Utc>,
        ip: Option<IpAddr>,
    ) -> Result<(), Error> {
        let Some(sql) = self.sql.set_login.clone() else { return Ok(()) };
        on_engine!(&self.pool, pool => {
            let mut query = sqlx::query(sql.clone());
            if U::META.login_time.is_some() {
                query = query.bind(at);
            }
            if U::META.login_ip.is_some() {
                query = query.bind(ip.map(Address));
            }
            bind_key!(query, id, self.sql.id_binds).execute(pool).await.map(drop)
        })
        .map_err(Error::user_store)
    }

    async fn set_password(
        &self,
        id: &U::Id,
        change: PasswordChange<'_>,
    ) -> Result<Option<Arc<U>>, Error> {
        let sql = self.sql.set_password.clone().ok_or_else(|| no_column::<U>("password"))?;
        let changed = on_engine!(&self.pool, pool => {
            let mut query = sqlx::query(sql.clone()).bind(change.hash);
            if U::META.epoch.is_some() {
                query = query.bind(i64::from(change.raise_epoch));
            }
            let query = bind_key!(query, id, self.sql.id_binds).bind(change.replaces);
            query.execute(pool).await.map(|done| done.rows_affected())
        });
        match changed.map_err(Error::user_store)? {
            0 => Ok(None),
            // Not all engines can return the row from an UPDATE.
            _ => self.select(id).await,
        }
    }

    async fn raise_epoch(&self, id: &U::Id) -> Result<Option<i64>, Error> {
        let sql = self.sql.raise_epoch.clone().ok_or_else(|| no_column::<U>("epoch"))?;
        on_engine!(&self.pool, pool => {
            let query = sqlx::query(sql.clone());
            bind_key!(query, id, self.sql.id_binds).execute(pool).await.map(drop)
        })
        .map_err(Error::user_store)?;
        Ok(self.select(id).await?.and_then(|user| user.epoch()))
    }

    async fn set_token(&self, id: &U::Id, token: &TokenId) -> Result<(), Error> {
        let sql = self.sql.set_token.clone().ok_or_else(|| no_column::<U>("token"))?;
        on_engine!(&self.pool, pool => {
            let query = sqlx::query(sql.clone()).bind(token);
            bind_key!(query, id, self.sql.id_binds).execute(pool).await.map(drop)
        })
        .map_err(Error::user_store)
    }

    async fn clear_token(&self, id: &U::Id, token: &TokenId) -> Result<bool, Error> {
        let sql = self.sql.clear_token.clone().ok_or_else(|| no_column::<U>("token"))?;
        let cleared = on_engine!(&self.pool, pool => {
            let query = bind_key!(sqlx::query(sql.clone()), id, self.sql.id_binds).bind(token);
            query.execute(pool).await.map(|done| done.rows_affected())
        });
        Ok(cleared.map_err(Error::user_store)? > 0)
    }
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;
