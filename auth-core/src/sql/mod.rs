//! What the SQL stores share: [`SqlPool`].
//!
//! An engine is one variant here and one in the dialect; the stores are written once.

// What needs an engine is there where one is: `any(feature = "sqlite", …)`.
#[cfg(feature = "sqlite")]
pub(crate) mod dialect;
#[cfg(feature = "sqlite")]
pub(crate) mod migrate;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
mod value;

#[cfg(feature = "sqlite")]
pub use self::{
    sqlite::{open_sqlite, sqlite_options},
    value::{SqlRow, SqlValue},
};

/// A pool of connections to one of the enabled engines.
///
/// Made with `From` from the engine's own pool, so that `SqlUsers::new(pool)` takes either.
/// Clones share the connections.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SqlPool {
    /// SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::SqlitePool),
}

#[cfg(feature = "sqlite")]
impl From<sqlx::SqlitePool> for SqlPool {
    fn from(pool: sqlx::SqlitePool) -> Self {
        Self::Sqlite(pool)
    }
}

/// Runs code on the pool inside a [`SqlPool`], whichever engine's it is.
///
/// The code is compiled once for each engine. Generic functions would do the same, but every
/// statement would have to list which types the engine can encode.
#[cfg(feature = "sqlite")]
macro_rules! on_engine {
    ($sql_pool:expr, $pool:ident => $code:expr) => {
        match *$sql_pool {
            #[cfg(feature = "sqlite")]
            $crate::sql::SqlPool::Sqlite(ref $pool) => $code,
        }
    };
}
#[cfg(feature = "sqlite")]
pub(crate) use on_engine;
