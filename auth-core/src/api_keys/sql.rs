//! API keys in an SQL database: [`SqlApiKeys`].

use super::{ApiKeyHash, ApiKeyVerifier};
use crate::{
    error::BoxError,
    keys::{SqlKeys, SqlVerifier},
    secret::SecurityStamp,
};

/// Keeps API keys in a table of an SQL database, `auth_api_keys`, which any number of processes may
/// share.
///
/// [`migrate`](SqlKeys::migrate) makes the table.
///
/// # Security
///
/// The table holds digests of secrets, and ids, which are no credentials: who reads it has no key.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # async fn start() -> Result<(), auth_core::error::Error> {
/// use auth_core::{api_keys::SqlApiKeys, sql::open_sqlite};
///
/// let keys = SqlApiKeys::new(open_sqlite("sqlite::memory:").await?);
/// keys.migrate().await?;
/// # Ok(())
/// # }
/// ```
pub type SqlApiKeys = SqlKeys<ApiKeyVerifier>;

impl SqlVerifier for ApiKeyVerifier {
    const TABLE: &'static str = "auth_api_keys";
    const COLUMNS: [&'static str; 2] = ["secret_hash", "stamp"];
    type Column = Vec<u8>;

    fn to_columns(&self) -> [Vec<u8>; 2] {
        [self.hash.as_bytes().to_vec(), self.stamp.as_bytes().to_vec()]
    }

    fn from_columns([hash, stamp]: [Vec<u8>; 2]) -> Result<Self, BoxError> {
        let hash = hash.try_into().map_err(|_| "its hash is not 32 bytes long")?;
        let stamp = stamp.try_into().map_err(|_| "its stamp is not 16 bytes long")?;
        Ok(Self { hash: ApiKeyHash::from_bytes(hash), stamp: SecurityStamp::from_bytes(stamp) })
    }
}
