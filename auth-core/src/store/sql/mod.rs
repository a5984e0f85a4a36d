//! Sessions in an SQL database: [`SqlSessions`].

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use self::{
    columns::{Columns, found, millis, record},
    own_columns::{OwnColumn, bind_own, bound},
    statements::Statements,
};
use super::{Create, SessionLimit, SessionStore, Update};
use crate::{
    error::Error,
    secret::SessionKey,
    session::record::{ColumnType, SessionRecord},
    sql::{
        SqlPool,
        dialect::{Dialect, check_column, check_table},
        migrate::{add_columns, migrate},
        on_engine,
    },
    user::UserKey,
};

mod columns;
mod create;
mod deny;
mod own_columns;
#[cfg(all(test, feature = "postgres"))]
mod plans;
mod schema;
mod statements;
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;
mod tokens;

pub use self::{deny::SqlDenyList, tokens::SqlTokens};

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
    columns: Vec<OwnColumn>,
    sql: Arc<Statements>,
}

impl SqlSessions {
    /// A store in the table `auth_sessions`.
    pub fn new(pool: impl Into<SqlPool>) -> Self {
        Self::with(pool.into(), "auth_sessions", Vec::new())
    }

    /// Chooses another table.
    ///
    /// # Errors
    ///
    /// - the name is not made of ASCII letters, digits and underscores, begins with a digit, or is
    ///   longer than 40: [`Error::Misconfigured`]
    pub fn table(self, name: &str) -> Result<Self, Error> {
        check_table(name)?;
        Ok(Self::with(self.pool, name, self.columns))
    }

    /// Adds a column of the application's own, which [`migrate`](Self::migrate) makes, also in a
    /// table that is there already.
    ///
    /// The framework writes into it what
    /// [`SessionRecord::columns`](crate::session::record::SessionRecord::columns) has under the
    /// name. The application asks about it in SQL of its own, as in
    /// `SELECT handle FROM auth_sessions WHERE device = ?`, and adds the indexes that this needs.
    /// Where there is no value, the column is NULL.
    ///
    /// | type | SQLite | PostgreSQL |
    /// |---|---|---|
    /// | `Bool` | `BOOLEAN` | `BOOLEAN` |
    /// | `Integer` | `INTEGER` | `BIGINT` |
    /// | `Text` | `TEXT` | `TEXT` |
    /// | `Time` | `INTEGER`, milliseconds since 1970 | `TIMESTAMPTZ` |
    /// | `Uuid` | `BLOB` | `UUID` |
    ///
    /// # Errors
    ///
    /// - the name is not made of ASCII letters, digits and underscores, begins with a digit, or is
    ///   longer than 40; or there is a column of that name: [`Error::Misconfigured`]
    ///
    /// # Examples
    ///
    /// ```
    /// # async fn start() -> Result<(), auth_core::error::Error> {
    /// use auth_core::{session::record::ColumnType, sql::SqlPool, store::SqlSessions};
    ///
    /// let pool = SqlPool::connect("sqlite::memory:").await?;
    /// let sessions = SqlSessions::new(pool).column("device", ColumnType::Text)?;
    /// sessions.migrate().await?;
    /// # Ok(())
    /// # }
    /// # #[cfg(feature = "sqlite")]
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(start()).unwrap();
    /// ```
    pub fn column(mut self, name: &'static str, kind: ColumnType) -> Result<Self, Error> {
        check_column(name)?;
        if let Some(problem) = own_columns::problem(&self.columns, name) {
            return Err(Error::Misconfigured(format!(
                "SqlSessions::column was called with `{name}`, and {problem}"
            )));
        }
        self.columns.push(OwnColumn { name, kind });
        Ok(Self::with(self.pool, &self.table, self.columns))
    }

    fn with(pool: SqlPool, table: &str, columns: Vec<OwnColumn>) -> Self {
        let sql = Arc::new(Statements::new(Dialect::of(&pool), table, &columns));
        Self { pool, table: table.into(), columns, sql }
    }

    /// Makes the table, or brings it up to date. Run it when the application starts.
    ///
    /// Several processes may do so at once. What was done is noted in the table `auth_migrations`.
    /// Where the application may not make tables, run [`schema`](Self::schema) with your own tools
    /// and leave this out.
    ///
    /// # Errors
    ///
    /// - the table has a column already that [`column`](Self::column) declares, and of another
    ///   type: [`Error::Misconfigured`]
    /// - the database does not do it: [`Error::Store`]
    pub async fn migrate(&self) -> Result<(), Error> {
        let dialect = Dialect::of(&self.pool);
        let migrations = schema::migrations(dialect, &self.table);
        migrate(&self.pool, &self.table, &migrations).await.map_err(Error::session_store)?;
        let own = schema::own_columns(dialect, &self.columns);
        match add_columns(&self.pool, &self.table, &own).await.map_err(Error::session_store)? {
            Some(problem) => Err(Error::Misconfigured(problem)),
            None => Ok(()),
        }
    }

    /// The statements that [`migrate`](Self::migrate) runs on an empty database, in order.
    #[must_use]
    pub fn schema(&self) -> Vec<String> {
        let dialect = Dialect::of(&self.pool);
        let mut statements = schema::migrations(dialect, &self.table).concat();
        let own = schema::own_columns(dialect, &self.columns);
        statements.extend(own.iter().map(|column| column.add(dialect, &self.table)));
        statements
    }
}

impl fmt::Debug for SqlSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlSessions").field("table", &self.table).finish_non_exhaustive()
    }
}

#[async_trait]
impl SessionStore for SqlSessions {
    async fn create(
        &self,
        key: &SessionKey,
        record: Arc<SessionRecord>,
        limit: Option<SessionLimit>,
    ) -> Result<Create, Error> {
        match (limit, &record.login) {
            (Some(limit), Some(login)) => {
                self.insert_within(&limit, &login.user, key, &record).await
            }
            _ => self.insert(key, &record).await,
        }
    }

    async fn load(
        &self,
        key: &SessionKey,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<SessionRecord>>, Error> {
        let sql = self.sql.load.clone();
        let row = on_engine!(&self.pool, connection => {
            let row = sqlx::query(sql)
                .bind(&key.as_bytes()[..])
                .bind(millis(now))
                .fetch_optional(connection)
                .await?;
            row.map(|row| found(&row, &self.columns)).transpose()
        });
        row.map_err(Error::session_store)?.map(record).transpose()
    }

    async fn update(
        &self,
        key: &SessionKey,
        record: Arc<SessionRecord>,
        now: DateTime<Utc>,
    ) -> Result<Update, Error> {
        let sql = self.sql.update.clone();
        let row = Columns::of(&record)?;
        let own = bound(&self.columns, &record.columns)?;
        let now = millis(now);
        let rows = on_engine!(&self.pool, connection => {
            let query = sqlx::query(sql)
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
                .bind(row.version);
            bind_own!(query, &own)
                .bind(&key.as_bytes()[..])
                .bind(row.version - 1)
                .bind(now)
                .execute(connection)
                .await
                .map(|done| done.rows_affected())
        })
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
        let rows = on_engine!(&self.pool, connection => {
            let rows = sqlx::query(sql)
                .bind(user.as_str())
                .bind(millis(now))
                .fetch_all(connection)
                .await?;
            rows.iter().map(|row| found(row, &self.columns)).collect::<Result<Vec<_>, _>>()
        });
        rows.map_err(Error::session_store)?.into_iter().map(record).collect()
    }

    async fn keys_by_user(&self, user: &UserKey) -> Result<Vec<(SessionKey, Uuid)>, Error> {
        let sql = self.sql.keys_by_user.clone();
        let rows: Vec<(Vec<u8>, Uuid)> = on_engine!(&self.pool, connection => {
            sqlx::query_as(sql).bind(user.as_str()).fetch_all(connection).await
        })
        .map_err(Error::session_store)?;
        let key = |(key, handle): (Vec<u8>, Uuid)| {
            let key = key.try_into().map_err(|_| "the key of a session is not 32 bytes long");
            Ok((SessionKey::from_bytes(key.map_err(Error::session_store)?), handle))
        };
        rows.into_iter().map(key).collect()
    }

    async fn list(
        &self,
        skip: u32,
        take: u32,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error> {
        let sql = self.sql.list.clone();
        let rows = on_engine!(&self.pool, connection => {
            let rows = sqlx::query(sql)
                .bind(millis(now))
                .bind(i64::from(take))
                .bind(i64::from(skip))
                .fetch_all(connection)
                .await?;
            rows.iter().map(|row| found(row, &self.columns)).collect::<Result<Vec<_>, _>>()
        });
        rows.map_err(Error::session_store)?.into_iter().map(record).collect()
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
