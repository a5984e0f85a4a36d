//! Sessions in an SQL database: [`SqlSessions`].

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use self::{
    columns::{Columns, Row, millis, record},
    statements::Statements,
};
use super::{SessionStore, Update};
use crate::{
    error::Error,
    secret::SessionKey,
    session::record::SessionRecord,
    sql::{
        SqlPool,
        dialect::{Dialect, check_table},
        migrate::migrate,
        on_engine,
    },
    user::UserKey,
};

mod columns;
#[cfg(all(test, feature = "postgres"))]
mod plans;
mod schema;
mod statements;
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;

/// How many sessions [`purge_expired`](SessionStore::purge_expired) removes in one statement. SQLite
/// has one writer; with a few milliseconds for each statement, logins get their turn in between.
const PURGE_AT_ONCE: u64 = 500;

/// Keeps sessions in a table of an SQL database, which any number of processes may share.
///
/// Each call is one statement, or two where the second answers a rare question (was it a conflict,
/// or is the session gone?). No transaction stays open over a wait for anything else, so nothing
/// has to be retried.
///
/// [`migrate`](Self::migrate) makes the table. Open the database with
/// [`SqlPool::connect`](crate::sql::SqlPool::connect), or with the settings that stand beside it for
/// each engine. In PostgreSQL, times are `timestamptz` in whole milliseconds; in SQLite, which has
/// no such type, they are milliseconds since 1970.
///
/// # Security
///
/// The table holds digests of the cookies' tokens and not the tokens: who reads it cannot take over
/// a session. It does hold what the application puts into sessions, addresses, and user agents.
///
/// # Examples
///
/// ```
/// # async fn start() -> Result<(), auth_core::error::Error> {
/// use auth_core::{sql::open_sqlite, store::SqlSessions};
///
/// let pool = open_sqlite("sqlite::memory:").await?;
/// let sessions = SqlSessions::new(pool).table("shop_sessions")?;
/// sessions.migrate().await?;
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(start()).unwrap();
/// ```
#[derive(Clone)]
pub struct SqlSessions {
    pool: SqlPool,
    table: Arc<str>,
    sql: Arc<Statements>,
}

impl SqlSessions {
    /// A store in the table `auth_sessions`.
    pub fn new(pool: impl Into<SqlPool>) -> Self {
        Self::in_table(pool.into(), "auth_sessions")
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

    /// Makes the table, or brings it up to date. Run it when the application starts.
    ///
    /// Several processes may do so at once. What was done is noted in the table `auth_migrations`.
    /// Where the application may not make tables, run [`schema`](Self::schema) with your own tools
    /// and leave this out.
    ///
    /// # Errors
    ///
    /// - the database does not do it: [`Error::Store`]
    pub async fn migrate(&self) -> Result<(), Error> {
        let migrations = schema::migrations(Dialect::of(&self.pool), &self.table);
        migrate(&self.pool, &self.table, &migrations).await.map_err(Error::session_store)
    }

    /// The statements that [`migrate`](Self::migrate) runs on an empty database, in order.
    #[must_use]
    pub fn schema(&self) -> Vec<String> {
        schema::migrations(Dialect::of(&self.pool), &self.table).concat()
    }
}

impl fmt::Debug for SqlSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlSessions").field("table", &self.table).finish_non_exhaustive()
    }
}

#[async_trait]
impl SessionStore for SqlSessions {
    async fn create(&self, key: &SessionKey, record: Arc<SessionRecord>) -> Result<bool, Error> {
        let sql = self.sql.create.clone();
        let row = Columns::of(&record)?;
        let created = on_engine!(&self.pool, connection => sqlx::query(sql)
            .bind(&key.as_bytes()[..])
            .bind(row.handle)
            .bind(row.user_key)
            .bind(row.stamp)
            .bind(row.login_at)
            .bind(row.data)
            .bind(row.created_at)
            .bind(row.last_active_at)
            .bind(row.idle_timeout)
            .bind(row.idle_expires_at)
            .bind(row.expires_at)
            .bind(row.persistent)
            .bind(row.ip)
            .bind(row.user_agent)
            .bind(row.version)
            .execute(connection)
            .await
            .map(|done| done.rows_affected()));
        match created {
            Ok(rows) => Ok(rows == 1),
            // The key is the only unique column.
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
            Err(error) => Err(Error::session_store(error)),
        }
    }

    async fn load(
        &self,
        key: &SessionKey,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<SessionRecord>>, Error> {
        let sql = self.sql.load.clone();
        let row: Option<Row> = on_engine!(&self.pool, connection => sqlx::query_as(sql)
            .bind(&key.as_bytes()[..])
            .bind(millis(now))
            .fetch_optional(connection)
            .await)
        .map_err(Error::session_store)?;
        row.map(record).transpose()
    }

    async fn update(
        &self,
        key: &SessionKey,
        record: Arc<SessionRecord>,
        now: DateTime<Utc>,
    ) -> Result<Update, Error> {
        let sql = self.sql.update.clone();
        let row = Columns::of(&record)?;
        let now = millis(now);
        let rows = on_engine!(&self.pool, connection => sqlx::query(sql)
            .bind(row.handle)
            .bind(row.user_key)
            .bind(row.stamp)
            .bind(row.login_at)
            .bind(row.data)
            .bind(row.created_at)
            .bind(row.last_active_at)
            .bind(row.idle_timeout)
            .bind(row.last_active_at)
            .bind(row.idle_timeout)
            .bind(row.expires_at)
            .bind(row.expires_at)
            .bind(row.persistent)
            .bind(row.ip)
            .bind(row.user_agent)
            .bind(row.version)
            .bind(&key.as_bytes()[..])
            .bind(row.version - 1)
            .bind(now)
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
        .map_err(Error::session_store)?;
        if rows == 1 {
            return Ok(Update::Done);
        }
        let sql = self.sql.version.clone();
        let version: Option<i64> = on_engine!(&self.pool, connection => sqlx::query_scalar(sql)
            .bind(&key.as_bytes()[..])
            .bind(now)
            .fetch_optional(connection)
            .await)
        .map_err(Error::session_store)?;
        Ok(if version.is_some() { Update::Conflict } else { Update::Gone })
    }

    async fn touch(&self, key: &SessionKey, now: DateTime<Utc>) -> Result<bool, Error> {
        let sql = self.sql.touch.clone();
        let now = millis(now);
        let rows = on_engine!(&self.pool, connection => sqlx::query(sql)
            .bind(now)
            .bind(now)
            .bind(&key.as_bytes()[..])
            .bind(now)
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
        .map_err(Error::session_store)?;
        Ok(rows == 1)
    }

    async fn delete(&self, key: &SessionKey, now: DateTime<Utc>) -> Result<bool, Error> {
        let sql = self.sql.delete_live.clone();
        let rows = on_engine!(&self.pool, connection => sqlx::query(sql)
            .bind(&key.as_bytes()[..])
            .bind(millis(now))
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
        .map_err(Error::session_store)?;
        if rows == 1 {
            return Ok(true);
        }
        // Dead by our clock, and perhaps alive by that of another process.
        let sql = self.sql.delete.clone();
        on_engine!(&self.pool, connection => sqlx::query(sql)
            .bind(&key.as_bytes()[..])
            .execute(connection)
            .await
            .map(|_| false))
        .map_err(Error::session_store)
    }

    async fn list_by_user(
        &self,
        user: &UserKey,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error> {
        let sql = self.sql.list_by_user.clone();
        let rows: Vec<Row> = on_engine!(&self.pool, connection => sqlx::query_as(sql)
            .bind(user.as_str())
            .bind(millis(now))
            .fetch_all(connection)
            .await)
        .map_err(Error::session_store)?;
        rows.into_iter().map(record).collect()
    }

    async fn list(
        &self,
        skip: u32,
        take: u32,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error> {
        let sql = self.sql.list.clone();
        let rows: Vec<Row> = on_engine!(&self.pool, pool => sqlx::query_as(sql)
            .bind(millis(now))
            .bind(i64::from(take))
            .bind(i64::from(skip))
            .fetch_all(pool)
            .await)
        .map_err(Error::session_store)?;
        rows.into_iter().map(record).collect()
    }

    async fn delete_by_handle(
        &self,
        user: &UserKey,
        handle: Uuid,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        let now = millis(now);
        let mut ended = 0;
        // As in `delete_by_user`.
        for sql in [&self.sql.delete_dead_by_handle, &self.sql.delete_live_by_handle] {
            let sql = sql.clone();
            ended = on_engine!(&self.pool, connection => sqlx::query(sql)
                .bind(user.as_str())
                .bind(handle)
                .bind(now)
                .execute(connection)
                .await
                .map(|done| done.rows_affected()))
            .map_err(Error::session_store)?;
        }
        Ok(ended > 0)
    }

    async fn delete_by_user(
        &self,
        user: &UserKey,
        except: Option<&SessionKey>,
        now: DateTime<Utc>,
    ) -> Result<u64, Error> {
        // No key is empty, so the empty one spares nothing.
        let except = except.map_or(&[][..], |key| key.as_bytes());
        let now = millis(now);
        let mut ended = 0;
        // The dead ones first, because another process's clock may be behind and a touch there can
        // make a dead one live but never a live one dead. They are not counted.
        for sql in [&self.sql.delete_dead_by_user, &self.sql.delete_live_by_user] {
            let sql = sql.clone();
            ended = on_engine!(&self.pool, connection => sqlx::query(sql)
                .bind(user.as_str())
                .bind(except)
                .bind(now)
                .execute(connection)
                .await
                .map(|done| done.rows_affected()))
            .map_err(Error::session_store)?;
        }
        Ok(ended)
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        let now = millis(now);
        let mut purged = 0;
        loop {
            let sql = self.sql.purge.clone();
            let rows = on_engine!(&self.pool, connection => sqlx::query(sql)
                .bind(now)
                .execute(connection)
                .await
                .map(|done| done.rows_affected()))
            .map_err(Error::session_store)?;
            purged += rows;
            if rows < PURGE_AT_ONCE {
                return Ok(purged);
            }
        }
    }
}
