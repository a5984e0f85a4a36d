//! Users in an SQL database: [`SqlUsers`].
//!
//! The table is the application's own: it makes it, inserts into it and deletes from it with its
//! own SQL, and reads users with `sqlx::query_as`, since `#[derive(AuthUser)]` makes `FromRow` too.
//! The framework selects users and updates the columns that the derive marks.
//!
//! An insert binds a password by [`PasswordHash::expose`](crate::password::PasswordHash::expose)
//! and roles by [`roles_to_text`].

use std::{fmt, marker::PhantomData, net::IpAddr, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use self::statements::Statements;
use super::{Lookup, PasswordChange, UserStore, no_epoch};
use crate::{
    error::Error,
    sql::{SqlPool, dialect::Dialect, on_engine},
    user::AuthUser,
};

mod columns;
mod statements;
#[cfg(all(test, feature = "sqlite"))]
mod tests;

pub use columns::{AddressColumn, RoleColumn, list_from_text, roles_to_text};

/// What a type of user needs to be read from the enabled engines, and its id to be written. The
/// derive sees to the first; integers, strings and uuids fulfil the second.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept in an SQL database",
    note = "its id must be an integer, a string or a uuid, and every field a column"
)]
pub trait SqlUser: AuthUser + OnSqlite {}

impl<U: AuthUser + OnSqlite> SqlUser for U {}

/// What SQLite needs of a user.
#[cfg(feature = "sqlite")]
pub trait OnSqlite:
    AuthUser<Id: for<'q> sqlx::Encode<'q, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>>
    + for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>
    + Unpin
{
}

#[cfg(feature = "sqlite")]
impl<U> OnSqlite for U where
    U: AuthUser<Id: for<'q> sqlx::Encode<'q, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>>
        + for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>
        + Unpin
{
}

/// What SQLite needs of a user: nothing, where it is not enabled.
#[cfg(not(feature = "sqlite"))]
pub trait OnSqlite {}

#[cfg(not(feature = "sqlite"))]
impl<U> OnSqlite for U {}

/// Keeps users in the table that `#[auth(table = "…")]` names.
///
/// # Security
///
/// Names of table and columns come from the derive, which takes identifiers only; every value is a
/// parameter.
pub struct SqlUsers<U> {
    pool: SqlPool,
    sql: Arc<Statements>,
    user: PhantomData<fn() -> U>,
}

impl<U: SqlUser> SqlUsers<U> {
    /// The users in a database.
    pub fn new(pool: impl Into<SqlPool>) -> Self {
        let pool = pool.into();
        let sql = Arc::new(Statements::new(Dialect::of(&pool), U::META));
        Self { pool, sql, user: PhantomData }
    }
}

impl<U> Clone for SqlUsers<U> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), sql: self.sql.clone(), user: PhantomData }
    }
}

impl<U: AuthUser> fmt::Debug for SqlUsers<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlUsers").field("table", &U::META.table).finish_non_exhaustive()
    }
}

#[async_trait]
impl<U: SqlUser> UserStore<U> for SqlUsers<U> {
    async fn by_id(&self, id: &U::Id) -> Result<Option<Arc<U>>, Error> {
        let sql = self.sql.by_id.clone();
        let user: Option<U> = on_engine!(&self.pool, pool =>
            sqlx::query_as(sql).bind(id.clone()).fetch_optional(pool).await)
        .map_err(Error::user_store)?;
        Ok(user.map(Arc::new))
    }

    async fn by_login(&self, name: &str) -> Result<Lookup<U>, Error> {
        let Some(sql) = self.sql.by_login.clone() else { return Ok(Lookup::None) };
        let users: Vec<U> = on_engine!(&self.pool, pool => {
            let mut query = sqlx::query_as(sql);
            for _ in U::META.login {
                query = query.bind(name);
            }
            query.fetch_all(pool).await
        })
        .map_err(Error::user_store)?;
        let mut users = users.into_iter();
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
            let mut query = sqlx::query(sql);
            if U::META.login_time.is_some() {
                query = query.bind(at);
            }
            if U::META.login_ip.is_some() {
                query = query.bind(ip.map(|ip| ip.to_string()));
            }
            query.bind(id.clone()).execute(pool).await.map(drop)
        })
        .map_err(Error::user_store)
    }

    async fn set_password(
        &self,
        id: &U::Id,
        change: PasswordChange<'_>,
    ) -> Result<Option<Arc<U>>, Error> {
        let Some(sql) = self.sql.set_password(&change) else {
            let name = U::META.name;
            return Err(Error::Misconfigured(format!("{name} has no #[auth(password)] column")));
        };
        let rows = on_engine!(&self.pool, pool => {
            let mut query = sqlx::query(sql).bind(change.hash.expose()).bind(id.clone());
            if let Some(old) = change.replaces {
                query = query.bind(old.expose());
            }
            query.execute(pool).await.map(|done| done.rows_affected())
        })
        .map_err(Error::user_store)?;
        if rows == 0 { Ok(None) } else { self.by_id(id).await }
    }

    async fn raise_epoch(&self, id: &U::Id) -> Result<Option<i64>, Error> {
        let sql = self.sql.raise_epoch.clone().ok_or_else(no_epoch::<U>)?;
        on_engine!(&self.pool, pool => sqlx::query(sql).bind(id.clone()).execute(pool).await.map(drop))
            .map_err(Error::user_store)?;
        // A rise that happens in between only makes the number greater, which ends no less.
        Ok(self.by_id(id).await?.and_then(|user| user.epoch()))
    }
}
