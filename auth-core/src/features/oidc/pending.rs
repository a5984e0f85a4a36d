//! Logins that are under way: between the two redirects, a browser's session keeps them.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{secret::sha256, session::schema::SessionSchema};

/// How long somebody may take at the provider (OWASP ASVS 10.4.3 gives a code no longer).
const PATIENCE: TimeDelta = TimeDelta::minutes(10);
/// How many logins one browser may have under way, in as many windows.
const AT_ONCE: usize = 8;
/// The longest return path.
const MAX_PATH: usize = 2048;

/// The logins that a browser has under way, and where it logged in last.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct OidcSession {
    /// By the digest of their state.
    pub(super) logins: BTreeMap<String, Pending>,
    /// The provider of the last login.
    pub(super) provider: Option<String>,
}

impl SessionSchema for OidcSession {
    const NAME: &'static str = "auth.oidc";
}

/// A login that is under way.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) provider: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
    pub(super) return_to: String,
    /// In seconds.
    pub(super) began: i64,
    /// The user who adds an identity.
    pub(super) link: Option<String>,
}

/// How a state stands in the session.
pub(super) fn digest(state: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(state.as_bytes()))
}

impl OidcSession {
    /// Adds a login that has just begun, in place of those that took too long and, where there are
    /// too many, of the oldest.
    pub(super) fn add(&mut self, state: String, pending: Pending, now: DateTime<Utc>) {
        self.logins.retain(|_, pending| !pending.is_over(now));
        while self.logins.len() >= AT_ONCE {
            let oldest = self.logins.iter().min_by_key(|(_, pending)| pending.began);
            let Some(oldest) = oldest.map(|(state, _)| state.clone()) else { break };
            self.logins.remove(&oldest);
        }
        self.logins.insert(state, pending);
    }
}

impl Pending {
    /// Whether he has taken too long.
    pub(super) fn is_over(&self, now: DateTime<Utc>) -> bool {
        now.timestamp() - self.began >= PATIENCE.num_seconds()
    }
}

/// Whether this is a path of this site, to which a browser can be sent.
///
/// Browsers read `//host` and `/\host` as addresses of other sites, and drop tabs and line ends.
pub(super) fn is_own_path(path: &str) -> bool {
    path.len() <= MAX_PATH
        && path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::is_own_path;

    #[test]
    fn only_paths_of_this_site_are_gone_back_to() {
        for path in ["/", "/a", "/a/b?c=d#e", "/a//b", "/%5C%5Cevil.example"] {
            assert!(is_own_path(path), "{path}");
        }
        let long = format!("/{}", "a".repeat(2048));
        for path in [
            "",
            "a",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\t/evil.example",
            "/a\r\nSet-Cookie: x",
            "/ä",
            "\\\\evil.example",
            "javascript:alert(1)",
            "/a b",
            &long,
        ] {
            assert!(!is_own_path(path), "{path:?}");
        }
    }
}
