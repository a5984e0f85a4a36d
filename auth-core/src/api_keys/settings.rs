//! API keys as an application wants them: [`ApiKeys`].

use std::{borrow::Cow, fmt, sync::Arc};

use super::{ApiKeyVerifier, is_prefix};
use crate::keys::KeyStore;

/// Where API keys are kept, and how they look:
/// [`AuthConfig::api_keys`](crate::config::AuthConfig::api_keys). A store alone is one with the
/// defaults.
///
/// # Examples
///
/// ```
/// use auth_core::api_keys::{ApiKeys, MemoryApiKeys};
///
/// let keys = ApiKeys::new(MemoryApiKeys::new()).prefix("shop").header("x-shop-key");
/// ```
#[derive(Clone)]
#[must_use]
pub struct ApiKeys {
    store: Arc<dyn KeyStore<ApiKeyVerifier>>,
    prefix: Cow<'static, str>,
    header: Cow<'static, str>,
    bearer: bool,
    ends_with_password: bool,
}

impl ApiKeys {
    /// Keys in this store, with the defaults.
    pub fn new(store: impl KeyStore<ApiKeyVerifier>) -> Self {
        Self {
            store: Arc::new(store),
            prefix: Cow::Borrowed("key"),
            header: Cow::Borrowed("x-api-key"),
            bearer: true,
            ends_with_password: false,
        }
    }

    /// What keys begin with, so that people and scanners see whose they are: small letters, digits
    /// and `_`, at most 20. Default: `key`.
    pub fn prefix(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The header that carries a key. Default: `x-api-key`.
    pub fn header(mut self, header: impl Into<Cow<'static, str>>) -> Self {
        self.header = header.into();
        self
    }

    /// Does not take keys as bearer tokens. Default: `Authorization: Bearer <key>` does as well as
    /// the header.
    pub fn header_only(mut self) -> Self {
        self.bearer = false;
        self
    }

    /// Ends a user's keys when his password changes, as his sessions and tokens do. Default: keys go
    /// on, since programs that use them would stop; revoke them one by one.
    pub fn end_with_password(mut self) -> Self {
        self.ends_with_password = true;
        self
    }

    pub(crate) fn store(&self) -> &Arc<dyn KeyStore<ApiKeyVerifier>> {
        &self.store
    }

    pub(crate) fn key_prefix(&self) -> &str {
        &self.prefix
    }

    pub(crate) fn header_name(&self) -> &str {
        &self.header
    }

    pub(crate) fn in_bearer(&self) -> bool {
        self.bearer
    }

    pub(crate) fn ends_with_password(&self) -> bool {
        self.ends_with_password
    }

    /// What does not fit, one sentence each.
    pub(crate) fn problems(&self) -> Vec<String> {
        let prefix = &self.prefix;
        if is_prefix(prefix) {
            return Vec::new();
        }
        vec![format!(
            "API keys cannot begin with {prefix:?}; use small letters, digits and `_`, as in `shop`"
        )]
    }
}

impl<S: KeyStore<ApiKeyVerifier>> From<S> for ApiKeys {
    fn from(store: S) -> Self {
        Self::new(store)
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys")
            .field("store", &self.store)
            .field("prefix", &self.prefix)
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}
