//! Access keys in an SQL database: [`SqlAccessKeys`].

use base64::{Engine, engine::general_purpose::STANDARD};

use super::KeyMaterial;
use crate::{
    error::BoxError,
    keys::{SqlKeys, SqlVerifier},
    signature::SignatureAlgorithm,
};

/// Keeps access keys in a table of an SQL database, `auth_access_keys`, which any number of
/// processes may share.
///
/// [`migrate`](SqlKeys::migrate) makes the table.
///
/// # Security
///
/// Secrets are encrypted in the table, and public keys are no secret: who reads it cannot sign.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # async fn start() -> Result<(), auth_core::error::Error> {
/// use auth_core::{access_keys::SqlAccessKeys, sql::open_sqlite};
///
/// let keys = SqlAccessKeys::new(open_sqlite("sqlite::memory:").await?);
/// keys.migrate().await?;
/// # Ok(())
/// # }
/// ```
pub type SqlAccessKeys = SqlKeys<KeyMaterial>;

impl SqlVerifier for KeyMaterial {
    const TABLE: &'static str = "auth_access_keys";
    const COLUMNS: [&'static str; 2] = ["algorithm", "material"];
    type Column = String;

    fn to_columns(&self) -> [String; 2] {
        let material = match self {
            Self::HmacSha256 { sealed } => sealed.clone(),
            Self::Ed25519 { public_key } => STANDARD.encode(public_key),
        };
        [self.algorithm().name().to_owned(), material]
    }

    fn from_columns([algorithm, material]: [String; 2]) -> Result<Self, BoxError> {
        match SignatureAlgorithm::from_name(&algorithm) {
            Some(SignatureAlgorithm::HmacSha256) => Ok(Self::HmacSha256 { sealed: material }),
            Some(SignatureAlgorithm::Ed25519) => {
                let bytes = STANDARD.decode(material)?;
                let public_key =
                    bytes.try_into().map_err(|_| "its public key is not 32 bytes long")?;
                Ok(Self::Ed25519 { public_key })
            }
            None => Err(format!("its algorithm {algorithm:?} is not known").into()),
        }
    }
}
