//! Signed requests as an application wants them: [`Signatures`].

use std::{fmt, sync::Arc};

use chrono::TimeDelta;

use super::{KeyMaterial, NonceStore};
use crate::{keys::KeyStore, sealing::SealingKeys};

/// How signed requests are verified:
/// [`AuthConfig::signatures`](crate::config::AuthConfig::signatures).
///
/// # Examples
///
/// ```
/// use auth_core::access_keys::{MemoryAccessKeys, MemoryNonces, Signatures};
/// use auth_core::sealing::SealingKeys;
///
/// # let key = [7; 32];
/// let sealing = SealingKeys::new("2026-02", &key)?;       // from the environment
/// let signatures = Signatures::new(MemoryAccessKeys::new(), MemoryNonces::new(), sealing);
/// # Ok::<(), auth_core::error::Error>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Signatures {
    pub(crate) keys: Arc<dyn KeyStore<KeyMaterial>>,
    pub(crate) nonces: Arc<dyn NonceStore>,
    pub(crate) sealing: SealingKeys,
    pub(crate) window: TimeDelta,
    pub(crate) max_body: usize,
    pub(crate) hosts: Vec<String>,
    pub(crate) utilmeta: bool,
}

impl Signatures {
    /// Verifies with the keys of this store, remembers requests in that one, and encrypts the
    /// secrets of HMAC keys.
    pub fn new(
        keys: impl KeyStore<KeyMaterial>,
        nonces: impl NonceStore,
        sealing: SealingKeys,
    ) -> Self {
        Self {
            keys: Arc::new(keys),
            nonces: Arc::new(nonces),
            sealing,
            window: TimeDelta::seconds(60),
            max_body: 1024 * 1024,
            hosts: Vec::new(),
            utilmeta: false,
        }
    }

    /// How old a signature may be, and by how much clocks may differ. Default: 60 seconds.
    pub fn window(mut self, window: TimeDelta) -> Self {
        self.window = window;
        self
    }

    /// How large the body of a signed request may be: it is in memory before the operation gets it.
    /// A larger one is refused with 413. Default: 1 MiB.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Accepts signatures for this host only, as in `api.example` or `api.example:8443`; may be
    /// called for several. Default: for the host that the request names.
    ///
    /// # Security
    ///
    /// Where several services know the same keys, a request to one of them could be sent to another
    /// one, with the first one's name in `Host`. A service that knows its own names refuses that.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into().to_ascii_lowercase());
        self
    }

    /// Also takes what clients of UtilMeta send: `X-Access-Key`, `X-Timestamp` and `X-Signature`,
    /// the hexadecimal HMAC-SHA256 of time, method, full address and body. Default: it is not taken.
    ///
    /// # Security
    ///
    /// Nothing stands between address and body in what is signed: who can change a request on its
    /// way may move the beginning of the body to the end of the address. No other header is signed.
    /// Compared with UtilMeta, the comparison takes constant time, a request is accepted once, and
    /// one whose key is unknown is refused like one whose signature is wrong.
    pub fn dangerous_utilmeta_form(mut self) -> Self {
        self.utilmeta = true;
        self
    }

    /// What does not fit, one sentence each.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.window <= TimeDelta::zero() || self.window > TimeDelta::hours(1) {
            problems.push(
                "Signatures::window must be more than nothing and at most an hour: so long is a \
                 request remembered"
                    .to_owned(),
            );
        }
        problems
    }
}

impl fmt::Debug for Signatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signatures")
            .field("keys", &self.keys)
            .field("nonces", &self.nonces)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}
