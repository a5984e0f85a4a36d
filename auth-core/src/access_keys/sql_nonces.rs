//! Nonces in an SQL database: [`SqlNonces`].

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::{NonceHash, NonceStore};
use crate::{
    error::{BoxError, Error},
    sql::{
        SqlPool,
        dialect::{Dialect, check_table},
        migrate::migrate,
        on_engine,
        value::Time,
    },
};

/// Remembers signed requests in a table of an SQL database, so that none is accepted twice by any of
/// the processes that share it.
///
/// Each request costs one INSERT; what has ended is removed once a minute.
/// [`migrate`](Self::migrate) makes the table.
#[derive(Clone)]
pub struct SqlNonces {
    pool: SqlPool,
    table: Arc<str>,
    sql: Arc<Statements>,
    /// When this process last removed what has ended, in milliseconds.
    purged: Arc<AtomicI64>,
}

struct Statements {
    insert: SqlStr,
    forget: SqlStr,
    purge: SqlStr,
}

/// How often what has ended is removed, in milliseconds.
const PURGE_EVERY: i64 = 60_000;

fn migrations(dialect: &Dialect, table: &str) -> Vec<Vec<String>> {
    let Dialect { bytes, time, unless_there, table_options, .. } = dialect;
    let name = |ending| dialect.name(table, ending);
    vec![vec![
        format!(
            "CREATE TABLE IF NOT EXISTS {nonces} (
    nonce_hash {bytes} NOT NULL PRIMARY KEY,
    expires_at {time} NOT NULL
){table_options}",
            nonces = name(""),
        ),
        format!("CREATE INDEX {unless_there}{} ON {} (expires_at)", name("_expires_at"), name("")),
    ]]
}

impl SqlNonces {
    /// A store in the table `auth_nonces`.
    pub fn new(pool: impl Into<SqlPool>) -> Self {
        Self::in_table(pool.into(), "auth_nonces")
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
        let dialect = Dialect::of(&pool);
        let name = dialect.name(table, "");
        let sql = |sql: String| AssertSqlSafe(Arc::<str>::from(dialect.sql(&sql))).into_sql_str();
        let sql = Arc::new(Statements {
            insert: sql(format!("INSERT INTO {name} (nonce_hash, expires_at) VALUES (?, ?)")),
            forget: sql(format!("DELETE FROM {name} WHERE nonce_hash = ? AND expires_at <= ?")),
            purge: sql(format!("DELETE FROM {name} WHERE expires_at <= ?")),
        });
        Self { pool, table: table.into(), sql, purged: Arc::default() }
    }

    /// Makes the table, or brings it up to date. Run it when the application starts; several
    /// processes may do so at once.
    ///
    /// # Errors
    ///
    /// - the database does not do it: [`Error::Store`]
    pub async fn migrate(&self) -> Result<(), Error> {
        let migrations = migrations(Dialect::of(&self.pool), &self.table);
        migrate(&self.pool, &self.table, &migrations).await.map_err(fault)
    }

    /// The statements that [`migrate`](Self::migrate) runs on an empty database, in order.
    #[must_use]
    pub fn schema(&self) -> Vec<String> {
        migrations(Dialect::of(&self.pool), &self.table).concat()
    }

    async fn insert(&self, nonce: &NonceHash, until: DateTime<Utc>) -> Result<bool, Error> {
        let sql = &self.sql.insert;
        let inserted = on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(&nonce.as_bytes()[..])
            .bind(Time::of(until))
            .execute(connection)
            .await
            .map(drop));
        match inserted {
            Ok(()) => Ok(true),
            // The hash is the only unique column.
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
            Err(error) => Err(fault(error)),
        }
    }

    async fn purge(&self, now: DateTime<Utc>) -> Result<(), Error> {
        let sql = &self.sql.purge;
        on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(Time::of(now))
            .execute(connection)
            .await
            .map(drop))
        .map_err(fault)
    }
}

fn fault(source: impl Into<BoxError>) -> Error {
    Error::Store { store: "nonce", source: source.into() }
}

impl fmt::Debug for SqlNonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlNonces").field("table", &self.table).finish_non_exhaustive()
    }
}

#[async_trait]
impl NonceStore for SqlNonces {
    async fn note(
        &self,
        nonce: &NonceHash,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        let (last, at) = (self.purged.load(Relaxed), now.timestamp_millis());
        if at - last >= PURGE_EVERY
            && self.purged.compare_exchange(last, at, Relaxed, Relaxed).is_ok()
            && let Err(error) = self.purge(now).await
        {
            tracing::warn!(%error, "nonces that have ended could not be removed");
        }
        if self.insert(nonce, until).await? {
            return Ok(true);
        }
        // One that has ended and was not removed yet is no repetition.
        let sql = &self.sql.forget;
        let forgotten = on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(&nonce.as_bytes()[..])
            .bind(Time::of(now))
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
        .map_err(fault)?;
        if forgotten == 0 { Ok(false) } else { self.insert(nonce, until).await }
    }
}
