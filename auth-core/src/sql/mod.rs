//! What the SQL stores share: [`SqlPool`].
//!
//! An engine is one variant here and one in the dialect; the stores are written once.

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
