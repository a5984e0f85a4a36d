//! What the SQL stores share: [`SqlPool`].
//!
//! An engine is one variant here, one in the dialect and one in [`SqlValue`]; the stores are
//! written once.

mod dialect;
mod value;

pub(crate) use dialect::Dialect;
pub use value::{SqlRow, SqlValue};

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

/// Runs the same code on the pool of whichever engine it is. The code is compiled once per engine,
/// so it must not name one.
macro_rules! on_engine {
    ($pool:expr, $name:ident => $run:expr) => {
        match *$pool {
            #[cfg(feature = "sqlite")]
            $crate::sql::SqlPool::Sqlite(ref $name) => $run,
        }
    };
}
pub(crate) use on_engine;
