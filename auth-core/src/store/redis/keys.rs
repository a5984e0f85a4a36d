//! The names of keys: [`Keys`].

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{error::Error, secret::SessionKey};

/// How much longer than a session lives the server keeps it, in milliseconds. Whether a session is
/// alive is decided by the clock of whoever asks; the server's own only cleans up, and may be ahead.
pub(super) const GRACE: i64 = 60_000;

/// The names of keys.
#[derive(Clone)]
pub(in crate::store) struct Keys {
    prefix: Arc<str>,
}

impl Default for Keys {
    fn default() -> Self {
        Self { prefix: "auth:".into() }
    }
}

impl Keys {
    pub(in crate::store) fn new(prefix: &str) -> Result<Self, Error> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte);
        if prefix.bytes().all(allowed) {
            return Ok(Self { prefix: prefix.into() });
        }
        Err(Error::Misconfigured(format!(
            "the prefix of keys {prefix:?} may have ASCII letters, digits and `_-.:` only"
        )))
    }

    /// The name of a session in keys and indexes.
    pub(in crate::store) fn member(key: &SessionKey) -> String {
        URL_SAFE_NO_PAD.encode(key.as_bytes())
    }

    /// The session of that name.
    pub(super) fn key_of(member: &str) -> Option<SessionKey> {
        let bytes = URL_SAFE_NO_PAD.decode(member).ok()?;
        Some(SessionKey::from_bytes(bytes.try_into().ok()?))
    }

    pub(super) fn session(&self, key: &SessionKey) -> String {
        self.session_of(&Self::member(key))
    }

    pub(super) fn session_of(&self, member: &str) -> String {
        self.of("s:", member)
    }

    pub(super) fn index(&self, user: &str) -> String {
        self.of("u:", user)
    }

    /// A key of some kind.
    pub(in crate::store) fn of(&self, kind: &str, name: &str) -> String {
        [&*self.prefix, kind, name].concat()
    }

    /// Until when the server keeps what ends then.
    pub(super) fn kept_until(ends_at: i64) -> i64 {
        // Zero and less is no time to Redis.
        ends_at.saturating_add(GRACE).max(1)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.prefix)
    }
}
