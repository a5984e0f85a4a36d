//! Refresh tokens in an SQL database: [`SqlTokens`].

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use self::statements::Statements;
use super::{
    PURGE_AT_ONCE,
    columns::{millis, time},
};
use crate::{
    error::{BoxError, Error},
    secret::{RefreshKey, SecurityStamp},
    sql::{
        SqlPool,
        dialect::{Dialect, check_table},
        migrate::migrate,
        on_engine,
        value::{Address, TextColumn, Time},
    },
    store::{FoundFamily, Presented, TokenFamily, TokenStore},
    user::UserKey,
};

mod schema;
mod statements;
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;

/// Keeps refresh tokens in a table of an SQL database, which any number of processes may share.
///
/// A family is one row, and an exchange one UPDATE that names the token which it replaces: of two
/// at once, one finds it gone. [`migrate`](Self::migrate) makes the table.
///
/// # Security
///
/// The table holds digests and not tokens: who reads it can neither exchange a token nor end a
/// family. It does hold addresses, user agents, and the application's own claims.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # async fn start() -> Result<(), auth_core::error::Error> {
/// use auth_core::{sql::open_sqlite, store::SqlTokens};
///
/// let tokens = SqlTokens::new(open_sqlite("sqlite::memory:").await?);
/// tokens.migrate().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqlTokens {
    pool: SqlPool,
    table: Arc<str>,
    sql: Arc<Statements>,
}

impl SqlTokens {
    /// A store in the table `auth_refresh_tokens`.
    pub fn new(pool: impl Into<SqlPool>) -> Self {
        Self::in_table(pool.into(), "auth_refresh_tokens")
    }

    /// Chooses another table.
    ///
    /// # Errors
    ///
    /// - the name is not made of ASCII letters, digits and underscores, begins with a digit, or is
    ///   longer than 40: [`Error::Misconfigured`]
    pub fn table(self, name: &str) -> Result<Self, Error> {
        check_table(name)?;
        Ok(Self::in_table(self.pool, name))
    }

    fn in_table(pool: SqlPool, table: &str) -> Self {
        let sql = Arc::new(Statements::new(Dialect::of(&pool), table));
        Self { pool, table: table.into(), sql }
    }

    /// Makes the table, or brings it up to date. Run it when the application starts; several
    /// processes may do so at once.
    ///
    /// # Errors
    ///
    /// - the database does not do it: [`Error::Store`]
    pub async fn migrate(&self) -> Result<(), Error> {
        let migrations = schema::migrations(Dialect::of(&self.pool), &self.table);
        migrate(&self.pool, &self.table, &migrations).await.map_err(Error::token_store)
    }

    /// The statements that [`migrate`](Self::migrate) runs on an empty database, in order.
    #[must_use]
    pub fn schema(&self) -> Vec<String> {
        schema::migrations(Dialect::of(&self.pool), &self.table).concat()
    }
}

impl fmt::Debug for SqlTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlTokens").field("table", &self.table).finish_non_exhaustive()
    }
}

/// A family as it is selected.
type Row = (
    Uuid,
    TextColumn,
    Vec<u8>,
    Time,
    Time,
    Time,
    i64,
    Time,
    Option<i64>,
    Option<TextColumn>,
    Option<Address>,
    Option<String>,
    Vec<u8>,
    Option<Vec<u8>>,
    Option<Time>,
);

/// Reads a row; what the presented token is to the family, if there is one.
fn found(row: Row, key: Option<&RefreshKey>) -> Result<FoundFamily, Error> {
    let handle = row.0;
    read(row, key).map_err(|error| {
        Error::token_store(format!("token family {handle} cannot be read: {error}"))
    })
}

fn read(row: Row, key: Option<&RefreshKey>) -> Result<FoundFamily, BoxError> {
    let (
        handle,
        user,
        stamp,
        login_at,
        created_at,
        last_used_at,
        idle_timeout,
        expires_at,
        token_lifetime,
        claims,
        ip,
        user_agent,
        current,
        previous,
        rotated_at,
    ) = row;
    let span = |millis| TimeDelta::try_milliseconds(millis).ok_or("a span is out of range");
    let previous = match (&previous, rotated_at) {
        (Some(token), Some(at)) => Some((&token[..], time(at)?)),
        (None, None) => None,
        // Half of it must not pass for a token that was never used.
        _ => return Err("it has a part of the previous token only".into()),
    };
    let presented = key.map_or(Presented::Older, |key| Presented::of(key, &current, previous));
    let family = TokenFamily {
        handle,
        user: UserKey::from(user.0),
        stamp: SecurityStamp::from_bytes(
            stamp.try_into().map_err(|_| "its stamp is not 16 bytes long")?,
        ),
        login_at: time(login_at)?,
        created_at: time(created_at)?,
        last_used_at: time(last_used_at)?,
        idle_timeout: span(idle_timeout)?,
        expires_at: time(expires_at)?,
        token_lifetime: token_lifetime.map(span).transpose()?,
        claims: claims.map(|claims| claims.0),
        ip: ip.map(|ip| ip.0),
        user_agent,
    };
    Ok(FoundFamily { family: Arc::new(family), presented })
}

#[async_trait]
impl TokenStore for SqlTokens {
    async fn create(&self, key: &RefreshKey, family: Arc<TokenFamily>) -> Result<bool, Error> {
        let sql = &self.sql.create;
        let family = &*family;
        let created = on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(&key.family()[..])
            .bind(&key.token()[..])
            .bind(family.handle)
            .bind(family.user.as_str())
            .bind(&family.stamp.as_bytes()[..])
            .bind(millis(family.login_at))
            .bind(millis(family.created_at))
            .bind(millis(family.last_used_at))
            .bind(family.idle_timeout.num_milliseconds())
            .bind(millis(family.expires_at))
            .bind(millis(family.ends_at(family.last_used_at)))
            .bind(family.token_lifetime.map(|lifetime| lifetime.num_milliseconds()))
            .bind(family.claims.as_deref())
            .bind(family.ip.map(Address))
            .bind(family.user_agent.as_deref())
            .execute(connection)
            .await
            .map(|done| done.rows_affected()));
        match created {
            Ok(rows) => Ok(rows == 1),
            // The family's key is the only unique column.
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
            Err(error) => Err(Error::token_store(error)),
        }
    }

    async fn find(
        &self,
        key: &RefreshKey,
        now: DateTime<Utc>,
    ) -> Result<Option<FoundFamily>, Error> {
        let sql = &self.sql.find;
        let row: Option<Row> = on_engine!(&self.pool, connection => sqlx::query_as(sql.clone())
            .bind(&key.family()[..])
            .bind(millis(now))
            .fetch_optional(connection)
            .await)
        .map_err(Error::token_store)?;
        row.map(|row| found(row, Some(key))).transpose()
    }

    async fn rotate(
        &self,
        key: &RefreshKey,
        next: &RefreshKey,
        now: DateTime<Utc>,
        ends_at: DateTime<Utc>,
    ) -> Result<bool, Error> {
        let sql = &self.sql.rotate;
        let rows = on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(&next.token()[..])
            .bind(&key.token()[..])
            .bind(millis(now))
            .bind(millis(now))
            .bind(millis(ends_at))
            .bind(&key.family()[..])
            .bind(&key.token()[..])
            .bind(millis(now))
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
        .map_err(Error::token_store)?;
        Ok(rows == 1)
    }

    async fn delete(&self, key: &RefreshKey) -> Result<bool, Error> {
        let sql = &self.sql.delete;
        let rows = on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(&key.family()[..])
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
        .map_err(Error::token_store)?;
        Ok(rows > 0)
    }

    async fn list_by_user(
        &self,
        user: &UserKey,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<TokenFamily>>, Error> {
        let sql = &self.sql.list_by_user;
        let rows: Vec<Row> = on_engine!(&self.pool, connection => sqlx::query_as(sql.clone())
            .bind(user.as_str())
            .bind(millis(now))
            .fetch_all(connection)
            .await)
        .map_err(Error::token_store)?;
        rows.into_iter().map(|row| found(row, None).map(|found| found.family)).collect()
    }

    async fn delete_by_handle(&self, user: &UserKey, handle: Uuid) -> Result<bool, Error> {
        let sql = &self.sql.delete_by_handle;
        let rows = on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(user.as_str())
            .bind(handle)
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
        .map_err(Error::token_store)?;
        Ok(rows > 0)
    }

    async fn delete_by_user(&self, user: &UserKey) -> Result<u64, Error> {
        let sql = &self.sql.delete_by_user;
        on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(user.as_str())
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
        .map_err(Error::token_store)
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        let mut purged = 0;
        loop {
            let sql = &self.sql.purge;
            let rows = on_engine!(&self.pool, connection => sqlx::query(sql.clone())
                .bind(millis(now))
                .execute(connection)
                .await
                .map(|done| done.rows_affected()))
            .map_err(Error::token_store)?;
            purged += rows;
            if rows < PURGE_AT_ONCE {
                return Ok(purged);
            }
        }
    }
}
