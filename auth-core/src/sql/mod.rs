//! What the SQL stores share: [`SqlPool`].
//!
//! An engine is one file here, one constant in the dialect, one variant of the pool, and a feature,
//! which stands where there are stores on any engine; the stores are written once.
//!
#![doc = include_str!("faults.md")]

pub(crate) mod dialect;
pub(crate) mod lease;
pub(crate) mod migrate;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod value;

#[cfg(feature = "mysql")]
pub use self::mysql::{mysql_options, mysql_pool_options, open_mysql};
#[cfg(feature = "postgres")]
pub use self::postgres::{open_postgres, postgres_options, postgres_pool_options};
#[cfg(feature = "sqlite")]
pub(crate) use self::sqlite::is_busy;
#[cfg(feature = "sqlite")]
pub use self::sqlite::{open_sqlite, sqlite_options};
pub use self::value::{SqlRow, SqlValue};
use crate::error::Error;

/// A pool of connections to one of the enabled engines.
///
/// Made by [`connect`](Self::connect), or with `From` from the engine's own pool, so that
/// `SqlUsers::new(pool)` takes either. Clones share the connections.
///
/// Tested with PostgreSQL 15, MariaDB 10.11 and MySQL 9.7.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SqlPool {
    /// SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::SqlitePool),
    /// PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgPool),
    /// MySQL and MariaDB.
    #[cfg(feature = "mysql")]
    MySql(sqlx::MySqlPool),
}

impl SqlPool {
    /// Opens the database of a URL: `sqlite:` as `open_sqlite` does, `postgres:` as `open_postgres`
    /// does, `mysql:` or `mariadb:` as `open_mysql` does, each with the feature of that name.
    ///
    /// The engine's own pool, for the application's own statements, is in the variant.
    ///
    /// # Errors
    ///
    /// - no enabled engine has this kind of URL, or the URL cannot be read:
    ///   [`Error::Misconfigured`]
    /// - the database cannot be opened: [`Error::Store`]
    ///
    /// # Security
    ///
    /// A password in the URL is in no error and in no `Debug`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")]
    /// # async fn start() -> Result<(), auth_core::error::Error> {
    /// use auth_core::{sql::SqlPool, store::SqlSessions};
    ///
    /// let url = std::env::var("DATABASE_URL").unwrap_or("sqlite::memory:".into());
    /// let sessions = SqlSessions::new(SqlPool::connect(&url).await?);
    /// sessions.migrate().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(url: &str) -> Result<Self, Error> {
        // A path or a name without a scheme may be anything, a password included.
        match url.split_once(':').map_or("", |(scheme, _)| scheme) {
            #[cfg(feature = "sqlite")]
            "sqlite" => open_sqlite(url).await.map(Self::Sqlite),
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => open_postgres(url).await.map(Self::Postgres),
            #[cfg(feature = "mysql")]
            "mysql" | "mariadb" => open_mysql(url).await.map(Self::MySql),
            #[cfg(not(feature = "sqlite"))]
            "sqlite" => Err(disabled("sqlite")),
            #[cfg(not(feature = "postgres"))]
            "postgres" | "postgresql" => Err(disabled("postgres")),
            #[cfg(not(feature = "mysql"))]
            "mysql" | "mariadb" => Err(disabled("mysql")),
            "" => Err(Error::Misconfigured(
                "this database URL has no scheme: begin it with `sqlite:`, `postgres:` or `mysql:`"
                    .into(),
            )),
            other => Err(Error::Misconfigured(format!(
                "a database URL begins with `sqlite:`, `postgres:` or `mysql:`, and this one with \
                 `{other}:`"
            ))),
        }
    }
}

#[cfg(not(all(feature = "sqlite", feature = "postgres", feature = "mysql")))]
fn disabled(engine: &str) -> Error {
    Error::Misconfigured(format!(
        "this database URL begins with `{engine}:`: switch on the feature `{engine}`"
    ))
}

#[cfg(feature = "sqlite")]
impl From<sqlx::SqlitePool> for SqlPool {
    fn from(pool: sqlx::SqlitePool) -> Self {
        Self::Sqlite(pool)
    }
}

#[cfg(feature = "postgres")]
impl From<sqlx::PgPool> for SqlPool {
    fn from(pool: sqlx::PgPool) -> Self {
        Self::Postgres(pool)
    }
}

#[cfg(feature = "mysql")]
impl From<sqlx::MySqlPool> for SqlPool {
    fn from(pool: sqlx::MySqlPool) -> Self {
        Self::MySql(pool)
    }
}

/// Runs code on the pool inside a [`SqlPool`], whichever engine's it is.
///
/// The code is compiled once for each engine. Generic functions would do the same, but every
/// statement would have to list which types the engine can encode.
macro_rules! on_pool {
    ($sql_pool:expr, $pool:ident => $code:expr) => {
        match *$sql_pool {
            #[cfg(feature = "sqlite")]
            $crate::sql::SqlPool::Sqlite(ref $pool) => $code,
            #[cfg(feature = "postgres")]
            $crate::sql::SqlPool::Postgres(ref $pool) => $code,
            #[cfg(feature = "mysql")]
            $crate::sql::SqlPool::MySql(ref $pool) => $code,
        }
    };
}
pub(crate) use on_pool;

/// Runs code on a connection of a [`SqlPool`], whichever engine's it is, and gives up when that
/// takes longer than the engine may. The code is an expression of `Result<_, sqlx::Error>`; it may
/// await, and runs again where the engine has undone it for a deadlock.
macro_rules! on_engine {
    ($sql_pool:expr, $connection:ident => $code:expr) => {
        $crate::sql::on_pool!($sql_pool, pool => {
            let mut attempts = $crate::sql::lease::Attempts::begin();
            loop {
                let answer = async {
                    let mut lease = $crate::sql::lease::Lease::of(pool, &attempts).await?;
                    let left = lease.left(&attempts);
                    let $connection = lease.connection();
                    let answer = $crate::sql::lease::in_time(left, async { $code }).await;
                    lease.end(answer)
                };
                let answer = answer.await;
                if !attempts.once_more(&answer) {
                    break answer;
                }
            }
        })
    };
}
pub(crate) use on_engine;

/// Binds a user's id as often as a statement wants it; see [`Dialect::is_key`](dialect::Dialect).
macro_rules! bind_key {
    ($query:expr, $id:expr, $binds:expr) => {{
        let mut query = $query;
        for _ in 0..$binds {
            query = query.bind($id);
        }
        query
    }};
}

pub(crate) use bind_key;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_url_of_no_engine_is_a_mistake_that_says_what_to_write() {
        for (url, expected) in [
            ("oracle://ann:hunter2@db/shop", "and this one with `oracle:`"),
            #[cfg(not(feature = "mysql"))]
            ("mysql://ann:hunter2@db/shop", "switch on the feature `mysql`"),
            #[cfg(feature = "mysql")]
            ("mariadb://ann:hunter2@db", "names no database"),
            ("shop.db", "has no scheme"),
            ("", "has no scheme"),
            #[cfg(not(feature = "postgres"))]
            ("postgres://ann:hunter2@db/shop", "switch on the feature `postgres`"),
            #[cfg(not(feature = "sqlite"))]
            ("sqlite://shop.db", "switch on the feature `sqlite`"),
        ] {
            let error = SqlPool::connect(url).await.unwrap_err();
            assert!(matches!(error, Error::Misconfigured(_)), "{url}: {error:?}");
            assert!(error.to_string().contains(expected), "{url}: {error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[cfg(feature = "sqlite")]
    #[tokio::test]
    async fn the_url_chooses_the_engine() {
        let pool = SqlPool::connect("sqlite::memory:").await.unwrap();
        assert!(matches!(pool, SqlPool::Sqlite(_)));
    }
}
