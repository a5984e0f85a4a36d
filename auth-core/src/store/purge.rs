//! Removing what has expired: [`Purge`].

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{DenyList, SessionStore, TokenStore};
use crate::{access_keys::KeyMaterial, api_keys::ApiKeyVerifier, error::Error, keys::KeyStore};

/// A store in which what has expired stays until somebody removes it. It counts for nothing any
/// more; it takes up room.
///
/// The stores of the configuration are that by themselves;
/// [`AuthConfig::purge`](crate::config::AuthConfig::purge) adds others, such as an application's own.
///
/// # Errors
///
/// - the store cannot answer: [`Error::Store`]
///
/// # Examples
///
/// ```
/// use auth_core::{error::Error, store::Purge};
/// use chrono::{DateTime, Utc};
///
/// struct Invitations;
///
/// #[async_trait::async_trait]
/// impl Purge for Invitations {
///     fn name(&self) -> &'static str {
///         "invitations"
///     }
///
///     async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
///         // DELETE FROM invitations WHERE expires_at <= now
/// #       let _ = now;
///         Ok(0)
///     }
/// }
/// ```
#[async_trait]
pub trait Purge: Send + Sync + 'static {
    /// What is kept here, for the log, as in `sessions`.
    fn name(&self) -> &'static str;

    /// Removes what has expired, and says how much that was. Any number of processes may do so at
    /// once.
    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error>;
}

macro_rules! purge {
    ($($store:path = $name:literal,)*) => {
        $(
            #[async_trait]
            impl Purge for Arc<dyn $store> {
                fn name(&self) -> &'static str {
                    $name
                }

                async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
                    (**self).purge_expired(now).await
                }
            }
        )*
    };
}
purge! {
    SessionStore = "sessions",
    TokenStore = "refresh tokens",
    DenyList = "denied tokens",
    KeyStore<ApiKeyVerifier> = "API keys",
    KeyStore<KeyMaterial> = "access keys",
}
