//! One database, twice: for the example's own tables, and for those that the framework reads.

mod migrate;
mod mysql;
mod pool;
#[cfg(test)]
mod tests;

use std::{
    num::NonZero,
    sync::atomic::{AtomicUsize, Ordering},
    thread::available_parallelism,
    time::Duration,
};

use auth_poem::sql::SqlPool;
use sqlx::{
    Executor,
    any::{AnyPoolOptions, install_default_drivers},
};

pub use self::{
    migrate::MigrationError,
    mysql::question_marks,
    pool::{Pool, Transaction},
};
use crate::BoxError;

/// How long a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// An open database.
///
/// The example's own statements run on [`Database::pool`], whichever engine the URL names. They
/// write parameters as `$1`, `$2`, and use columns of the types `VARCHAR(n)`, `TEXT` and `BIGINT`
/// only, of which MySQL has no `TEXT` in a key: that is what every engine and its driver have in
/// common. What they cannot use is `RETURNING` and `ON CONFLICT`, which MySQL does not know: they
/// read within the transaction what they have written, and insert by [`Transaction::insert`].
///
/// [`Database::auth`] is what the framework's stores take.
#[derive(Debug, Clone)]
pub struct Database {
    pool: Pool,
    auth: SqlPool,
}

/// What runs a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    MySql,
}

impl Database {
    /// Opens the database that a URL names: `sqlite://shop.db` (made if it is not there),
    /// `postgres://user:password@host/database` or `mysql://user:password@host/database`.
    /// `sqlite::memory:` is [`Database::in_memory`].
    ///
    /// # Errors
    ///
    /// - the URL names no such engine
    /// - the database cannot be opened
    pub async fn connect(url: &str) -> Result<Self, BoxError> {
        if url == "sqlite::memory:" {
            return Self::in_memory().await;
        }
        Self::open(url).await
    }

    /// A database of its own in memory; it is gone with its last clone.
    ///
    /// # Errors
    ///
    /// - there is no memory for it
    pub async fn in_memory() -> Result<Self, BoxError> {
        static DATABASES: AtomicUsize = AtomicUsize::new(0);
        // Not `:memory:`, which both pools would have one of.
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let url = format!("sqlite:///example-kit-{number}?vfs=memdb&mode=rwc");
        Self::open(&url).await
    }

    async fn open(url: &str) -> Result<Self, BoxError> {
        // First, because it makes the file of SQLite and puts it into WAL mode.
        let auth = SqlPool::connect(url).await?;
        let engine = match auth {
            SqlPool::Sqlite(_) => Engine::Sqlite,
            SqlPool::Postgres(_) => Engine::Postgres,
            SqlPool::MySql(_) => Engine::MySql,
            _ => return Err("the statements of the examples are for other engines".into()),
        };
        install_default_drivers();
        let cores = available_parallelism().map_or(1, NonZero::get);
        let options = AnyPoolOptions::new()
            .acquire_timeout(ACQUIRE_TIMEOUT)
            // One stays open, or a database in memory would end with it.
            .min_connections(1)
            .max_connections(cores.clamp(4, 16) as u32)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    match engine.settings() {
                        Some(settings) => {
                            connection.execute(sqlx::raw_sql(settings)).await.map(drop)
                        }
                        None => Ok(()),
                    }
                })
            });
        let pool = Pool::new(options.connect(url).await?, engine);
        Ok(Self { pool, auth })
    }

    /// The pool for the example's own statements.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The pool for the framework's stores.
    #[must_use]
    pub fn auth(&self) -> SqlPool {
        self.auth.clone()
    }

    /// What runs this database.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.pool.engine()
    }
}

impl Engine {
    /// What a connection begins with.
    fn settings(self) -> Option<&'static str> {
        match self {
            // Foreign keys are enforced and WAL is a property of the file; these two are not.
            Self::Sqlite => Some("PRAGMA busy_timeout = 2000; PRAGMA synchronous = NORMAL"),
            Self::Postgres => None,
            Self::MySql => Some(mysql::SETTINGS),
        }
    }
}
