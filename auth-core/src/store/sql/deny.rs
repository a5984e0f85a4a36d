//! The deny list in an SQL database: [`SqlDenyList`].

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::{PURGE_AT_ONCE, columns::millis};
use crate::{
    error::Error,
    secret::TokenId,
    sql::{
        SqlPool,
        dialect::{Dialect, check_table},
        migrate::migrate,
        on_engine,
    },
    store::DenyList,
};

/// Keeps the deny list in a table of an SQL database, which any number of processes may share.
///
/// A request with a token costs one SELECT on the primary key. [`migrate`](Self::migrate) makes the
/// table.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # async fn start() -> Result<(), auth_core::error::Error> {
/// use auth_core::{sql::open_sqlite, store::SqlDenyList};
///
/// let denied = SqlDenyList::new(open_sqlite("sqlite::memory:").await?);
/// denied.migrate().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqlDenyList {
    pool: SqlPool,
    table: Arc<str>,
    sql: Arc<Statements>,
}

struct Statements {
    insert: SqlStr,
    extend: SqlStr,
    is_denied: SqlStr,
    purge: SqlStr,
}

impl SqlDenyList {
    /// A list in the table `auth_denied_tokens`.
    pub fn new(pool: impl Into<SqlPool>) -> Self {
        Self::in_table(pool.into(), "auth_denied_tokens")
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
        let migrations = [self.schema()];
        migrate(&self.pool, &self.table, &migrations).await.map_err(Error::deny_list)
    }

    /// The statements that [`migrate`](Self::migrate) runs on an empty database, in order.
    #[must_use]
    pub fn schema(&self) -> Vec<String> {
        let dialect = Dialect::of(&self.pool);
        let Dialect { bytes, time, unless_there, table_options, .. } = dialect;
        let name = |ending| dialect.name(&self.table, ending);
        vec![
            format!(
                "CREATE TABLE IF NOT EXISTS {} (
    token_id {bytes} NOT NULL PRIMARY KEY,
    denied_until {time} NOT NULL
){table_options}",
                name("")
            ),
            format!(
                "CREATE INDEX {unless_there}{} ON {} (denied_until)",
                name("_denied_until"),
                name("")
            ),
        ]
    }
}

impl Statements {
    fn new(dialect: &Dialect, table: &str) -> Self {
        let table = dialect.name(table, "");
        let greatest = dialect.greatest;
        let sql = |sql: &str| AssertSqlSafe(Arc::<str>::from(dialect.sql(sql))).into_sql_str();
        Self {
            insert: sql(&format!("INSERT INTO {table} (token_id, denied_until) VALUES (?, ?)")),
            extend: sql(&format!(
                "UPDATE {table} SET denied_until = {greatest}(denied_until, ?) WHERE token_id = ?"
            )),
            is_denied: sql(&format!(
                "SELECT token_id FROM {table} WHERE token_id = ? AND denied_until > ?"
            )),
            purge: sql(&dialect.some(
                &format!("DELETE FROM {table}"),
                &table,
                "token_id",
                "denied_until <= ?",
                PURGE_AT_ONCE,
            )),
        }
    }
}

impl fmt::Debug for SqlDenyList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlDenyList").field("table", &self.table).finish_non_exhaustive()
    }
}

#[async_trait]
impl DenyList for SqlDenyList {
    async fn deny(
        &self,
        id: &TokenId,
        until: DateTime<Utc>,
        _: DateTime<Utc>,
    ) -> Result<(), Error> {
        let sql = &self.sql.insert;
        let inserted = on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(&id.as_bytes()[..])
            .bind(millis(until))
            .execute(connection)
            .await
            .map(drop));
        match inserted {
            // It is there already: an INSERT that updates is written differently by each engine.
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {}
            other => return other.map_err(Error::deny_list),
        }
        let sql = &self.sql.extend;
        on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(millis(until))
            .bind(&id.as_bytes()[..])
            .execute(connection)
            .await
            .map(drop))
        .map_err(Error::deny_list)
    }

    async fn is_denied(&self, id: &TokenId, now: DateTime<Utc>) -> Result<bool, Error> {
        let sql = &self.sql.is_denied;
        let found: Option<Vec<u8>> =
            on_engine!(&self.pool, connection => sqlx::query_scalar(sql.clone())
            .bind(&id.as_bytes()[..])
            .bind(millis(now))
            .fetch_optional(connection)
            .await)
            .map_err(Error::deny_list)?;
        Ok(found.is_some())
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
            .map_err(Error::deny_list)?;
            purged += rows;
            if rows < PURGE_AT_ONCE {
                return Ok(purged);
            }
        }
    }
}
