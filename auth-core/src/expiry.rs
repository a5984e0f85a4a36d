//! How long sessions live.

use chrono::TimeDelta;

/// How long sessions live, on the server.
///
/// A session ends when it was not used for the idle time, and at the latest after the absolute
/// time. "Remember me" has times of its own.
///
/// | | default | where the number comes from |
/// |---|---|---|
/// | idle | 30 min | OWASP Session Management Cheat Sheet, low-risk applications: 15–30 min |
/// | absolute | 12 h | NIST SP 800-63B-4, within the 24 h of AAL2 |
/// | remember, idle | 14 d | common practice for refresh tokens |
/// | remember, absolute | 30 d | NIST SP 800-63B-4, AAL1 |
/// | touch | 60 s | one write a minute and session at most |
///
/// # Examples
///
/// ```
/// use auth_core::expiry::Expiry;
/// use chrono::TimeDelta;
///
/// let office = Expiry { idle: TimeDelta::minutes(15), absolute: TimeDelta::hours(8), ..Expiry::default() };
/// ```
#[derive(Debug, Clone)]
pub struct Expiry {
    /// How long a session may go unused.
    pub idle: TimeDelta,
    /// How long a session may last.
    pub absolute: TimeDelta,
    /// As `idle`, for sessions that were started with `remember`.
    pub remember_idle: TimeDelta,
    /// As `absolute`, for sessions that were started with `remember`; also the upper limit of
    /// `expires_in`.
    pub remember_absolute: TimeDelta,
    /// How old the note of the last use may become before a request renews it.
    pub touch: TimeDelta,
    /// Whether the cookie of a session that was not started with `remember` ends with the browser:
    /// yes. If not, it has the session's remaining time as its `Max-Age`.
    pub expire_at_browser_close: bool,
    /// Whether every request that uses a session writes it and sends its cookie again: no. It costs
    /// a write per request; `touch` keeps sessions alive without it.
    pub save_every_request: bool,
}

impl Default for Expiry {
    fn default() -> Self {
        Self {
            idle: TimeDelta::minutes(30),
            absolute: TimeDelta::hours(12),
            remember_idle: TimeDelta::days(14),
            remember_absolute: TimeDelta::days(30),
            touch: TimeDelta::seconds(60),
            expire_at_browser_close: true,
            save_every_request: false,
        }
    }
}

impl Expiry {
    /// What cannot be meant, one sentence each.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        // Browsers cut a cookie's life to 400 days (RFC 6265bis, 5.5); a server that promises more
        // breaks the promise.
        let limits = TimeDelta::seconds(1)..=TimeDelta::days(400);
        for (name, value) in [
            ("idle", self.idle),
            ("absolute", self.absolute),
            ("remember_idle", self.remember_idle),
            ("remember_absolute", self.remember_absolute),
        ] {
            if !limits.contains(&value) {
                problems.push(format!("Expiry::{name} must be between a second and 400 days"));
            }
        }
        for (name, idle, absolute) in [
            ("", self.idle, self.absolute),
            ("remember_", self.remember_idle, self.remember_absolute),
        ] {
            if idle > absolute {
                problems.push(format!("Expiry::{name}idle is longer than Expiry::{name}absolute"));
            }
        }
        if self.touch < TimeDelta::zero() || self.touch > self.idle / 2 {
            problems.push("Expiry::touch must be at most half of Expiry::idle".into());
        }
        problems
    }
}
