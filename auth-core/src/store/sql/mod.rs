//! Sessions in an SQL database: [`SqlSessions`].

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use self::{
    columns::{Columns, found, millis, record},
    ended::{ENDED, ending},
    own_columns::{bind_own, bound},
    statements::Statements,
};
use super::{Create, SessionLimit, SessionStore, Update};
use crate::{
    error::Error,
    secret::SessionKey,
    session::record::{ColumnType, SessionColumn, SessionRecord},
    sql::{
        SqlPool,
        dialect::{Dialect, check_column, check_table},
        migrate::{Column, add_columns, migrate},
        on_engine,
    },
    user::UserKey,
};

mod columns;
mod create;
mod deny;
mod ended;
mod own_columns;
#[cfg(all(test, feature = "postgres"))]
mod plans;
mod schema;
mod statements;
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;
mod tokens;

pub use self::{
    deny::SqlDenyList,
    ended::{EndedBy, EndedSession},
    tokens::SqlTokens,
};

/// How many sessions [`purge_expired`](SessionStore::purge_expired) removes in one statement. SQLite
/// has one writer; with a few milliseconds for each statement, logins get their turn in between.
const PURGE_AT_ONCE: u64 = 500;

/// Keeps sessions in a table of an SQL database, which any number of processes may share.
///
/// Each call is one statement, or two where the second answers a rare question (was it a conflict,
/// or is the session gone?); a login within a limit is one short transaction. No transaction stays
/// open over a wait for anything else; what an engine undoes for a deadlock is tried again.
///
/// [`migrate`](Self::migrate) makes the table. Open the database with
/// [`SqlPool::connect`](crate::sql::SqlPool::connect), or with the settings that stand beside it for
/// each engine. Times are whole milliseconds: `timestamptz` in PostgreSQL, `datetime(3)` in UTC in
/// MySQL; in SQLite, which has no such type, they are milliseconds since 1970.
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
    columns: Vec<SessionColumn>,
    /// How long the rows of ended sessions are kept, if at all.
    keep: Option<TimeDelta>,
    sql: Arc<Statements>,
}

impl SqlSessions {
    /// A store in the table `auth_sessions`.
    pub fn new(pool: impl Into<SqlPool>) -> Self {
        let (pool, table, columns) = (pool.into(), "auth_sessions", Vec::new());
        let sql = Arc::new(Statements::new(Dialect::of(&pool), table, &columns, false));
        Self { pool, table: table.into(), columns, keep: None, sql }
    }

    /// Chooses another table.
    ///
    /// # Errors
    ///
    /// - the name is not made of ASCII letters, digits and underscores, begins with a digit, or is
    ///   longer than 40: [`Error::Misconfigured`]
    pub fn table(mut self, name: &str) -> Result<Self, Error> {
        check_table(name)?;
        self.table = name.into();
        Ok(self.prepared())
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
    /// | type | SQLite | PostgreSQL | MySQL |
    /// |---|---|---|---|
    /// | `Bool` | `BOOLEAN` | `BOOLEAN` | `TINYINT(1)` |
    /// | `Integer` | `INTEGER` | `BIGINT` | `BIGINT` |
    /// | `Text` | `TEXT` | `TEXT` | `MEDIUMTEXT` |
    /// | `Time` | `INTEGER`, milliseconds since 1970 | `TIMESTAMPTZ` | `DATETIME(3)`, UTC |
    /// | `Uuid` | `BLOB` | `UUID` | `BINARY(16)` |
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
        self.columns.push(SessionColumn { name, kind });
        Ok(self.prepared())
    }

    /// Writes the statements anew, after something that they depend on.
    fn prepared(mut self) -> Self {
        let (dialect, keep) = (Dialect::of(&self.pool), self.keep.is_some());
        self.sql = Arc::new(Statements::new(dialect, &self.table, &self.columns, keep));
        self
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
        let own = schema::own_columns(dialect, &self.columns);
        self.migrate_to(&migrations[..schema::BEFORE_COLUMNS]).await?;
        self.add_columns(&schema::columns(dialect)).await?;
        self.migrate_to(&migrations).await?;
        self.add_columns(&own).await
    }

    async fn migrate_to(&self, migrations: &[Vec<String>]) -> Result<(), Error> {
        migrate(&self.pool, &self.table, migrations).await.map_err(Error::session_store)
    }

    async fn add_columns(&self, columns: &[Column]) -> Result<(), Error> {
        let problem = add_columns(&self.pool, &self.table, columns).await;
        problem.map_err(Error::session_store)?.map_or(Ok(()), |it| Err(Error::Misconfigured(it)))
    }

    /// The statements that [`migrate`](Self::migrate) runs on an empty database, in order.
    #[must_use]
    pub fn schema(&self) -> Vec<String> {
        let dialect = Dialect::of(&self.pool);
        let add = |column: &Column| column.add(dialect, &self.table);
        let mut migrations = schema::migrations(dialect, &self.table);
        let later = migrations.split_off(schema::BEFORE_COLUMNS);
        let mut statements = migrations.concat();
        statements.extend(schema::columns(dialect).iter().map(add));
        statements.extend(later.concat());
        statements.extend(schema::own_columns(dialect, &self.columns).iter().map(add));
        statements
    }
}

impl SqlSessions {
    /// Runs a statement that is about so many rows at most until it finds fewer, and counts them.
    async fn in_parts<F>(&self, mut part: impl FnMut() -> F) -> Result<u64, Error>
    where
        F: Future<Output = Result<u64, sqlx::Error>>,
    {
        let mut all = 0;
        loop {
            let rows = part().await.map_err(Error::session_store)?;
            all += rows;
            if rows < PURGE_AT_ONCE {
                return Ok(all);
            }
        }
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

    fn columns(&self) -> Option<&[SessionColumn]> {
        Some(&self.columns)
    }

    async fn load(
        &self,
        key: &SessionKey,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<SessionRecord>>, Error> {
        let sql = &self.sql.load;
        let row = on_engine!(&self.pool, connection => {
            let row = sqlx::query(sql.clone())
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
        let sql = &self.sql.update;
        let row = Columns::of(&record)?;
        let own = bound(&self.columns, &record.columns)?;
        let now = millis(now);
        let rows = on_engine!(&self.pool, connection => {
            let query = sqlx::query(sql.clone())
                .bind(row.handle)
                .bind(row.user_key)
                .bind(row.stamp)
                .bind(row.login_at)
                .bind(row.data.as_str())
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
        let sql = &self.sql.version;
        let version: Option<i64> =
            on_engine!(&self.pool, connection => sqlx::query_scalar(sql.clone())
            .bind(&key.as_bytes()[..])
            .bind(now)
            .fetch_optional(connection)
            .await)
            .map_err(Error::session_store)?;
        Ok(if version.is_some() { Update::Conflict } else { Update::Gone })
    }

    async fn touch(&self, key: &SessionKey, now: DateTime<Utc>) -> Result<bool, Error> {
        let sql = &self.sql.touch;
        let now = millis(now);
        let rows = on_engine!(&self.pool, connection => sqlx::query(sql.clone())
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
        let (sql, now) = (&self.sql.delete, millis(now));
        // What is alive, or else what is dead by our clock and perhaps alive by that of another
        // process.
        for since in [now, ENDED] {
            let rows = on_engine!(&self.pool, connection => ending!(self, sql, now)
                .bind(&key.as_bytes()[..])
                .bind(since)
                .execute(connection)
                .await
                .map(|done| done.rows_affected()))
            .map_err(Error::session_store)?;
            if rows == 1 {
                return Ok(since.0 == now.0);
            }
        }
        Ok(false)
    }

    async fn list_by_user(
        &self,
        user: &UserKey,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error> {
        let sql = &self.sql.list_by_user;
        let rows = on_engine!(&self.pool, connection => {
            let rows = sqlx::query(sql.clone())
                .bind(user.as_str())
                .bind(millis(now))
                .fetch_all(connection)
                .await?;
            rows.iter().map(|row| found(row, &self.columns)).collect::<Result<Vec<_>, _>>()
        });
        rows.map_err(Error::session_store)?.into_iter().map(record).collect()
    }

    async fn keys_by_user(&self, user: &UserKey) -> Result<Vec<(SessionKey, Uuid)>, Error> {
        let sql = &self.sql.keys_by_user;
        let rows: Vec<(Vec<u8>, Uuid)> = on_engine!(&self.pool, connection => {
            sqlx::query_as(sql.clone()).bind(user.as_str()).fetch_all(connection).await
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
        let sql = &self.sql.list;
        let rows = on_engine!(&self.pool, connection => {
            let rows = sqlx::query(sql.clone())
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
        // As in `delete_by_user`.
        let sql = &self.sql.delete_dead_by_handle;
        on_engine!(&self.pool, connection => ending!(self, sql, now)
            .bind(user.as_str())
            .bind(handle)
            .bind(now)
            .execute(connection)
            .await
            .map(drop))
        .map_err(Error::session_store)?;
        let sql = &self.sql.delete_live_by_handle;
        let ended = on_engine!(&self.pool, connection => ending!(self, sql, now)
            .bind(user.as_str())
            .bind(handle)
            .bind(now)
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
        .map_err(Error::session_store)?;
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
        // The dead ones first, because another process's clock may be behind and a touch there can
        // make a dead one live but never a live one dead. They are not counted.
        let sql = &self.sql.delete_dead_by_user;
        on_engine!(&self.pool, connection => ending!(self, sql, now)
            .bind(user.as_str())
            .bind(except)
            .bind(now)
            .execute(connection)
            .await
            .map(drop))
        .map_err(Error::session_store)?;
        let sql = &self.sql.delete_live_by_user;
        on_engine!(&self.pool, connection => ending!(self, sql, now)
            .bind(user.as_str())
            .bind(except)
            .bind(now)
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
        .map_err(Error::session_store)
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        self.purge_ended(now).await?;
        let now = millis(now);
        let sql = &self.sql.purge;
        let mut purged = self
            .in_parts(|| async {
                on_engine!(&self.pool, connection => sqlx::query(sql.clone())
                    .bind(ENDED)
                    .bind(now)
                    .execute(connection)
                    .await
                    .map(|done| done.rows_affected()))
            })
            .await?;
        if self.keep.is_some() {
            let sql = &self.sql.note_expiry;
            purged += self
                .in_parts(|| async {
                    on_engine!(&self.pool, connection => sqlx::query(sql.clone())
                        .bind(ENDED)
                        .bind(ENDED)
                        .bind(now)
                        .execute(connection)
                        .await
                        .map(|done| done.rows_affected()))
                })
                .await?;
        }
        Ok(purged)
    }
}
