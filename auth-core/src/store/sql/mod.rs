//! Sessions in an SQL database: [`SqlSessions`].

use std::{fmt, sync::Arc};

use chrono::TimeDelta;

use self::statements::Statements;
use crate::{
    error::Error,
    session::record::{ColumnType, SessionColumn},
    sql::{
        SqlPool,
        dialect::{Dialect, check_column, check_table},
        migrate::{Column, add_columns, migrate},
    },
};

mod columns;
mod create;
mod deny;
mod ended;
mod own_columns;
#[cfg(all(test, feature = "postgres"))]
mod plans;
mod schema;
mod sessions;
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

/// How many sessions [`purge_expired`](super::SessionStore::purge_expired) removes in one statement. SQLite
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
