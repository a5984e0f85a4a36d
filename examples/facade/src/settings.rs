//! What the environment says.

use std::{fmt::Display, str::FromStr};

use auth_poem::prelude::*;
use example_kit::{Common, EnvironmentError, flag, read, text};
use poem::http::{HeaderName, HeaderValue};

use crate::rules::Rules;

/// The settings, each from the environment variable of its name.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Those that all examples know.
    pub common: Common,
    /// `COMPAT`: the rules of old clients.
    pub rules: Rules,
    /// `SEED`: three users, a site, and for old clients a session of each user.
    pub seed: bool,
    /// `COOKIE_ENABLED` and `COOKIE`: the cookie that carries a session beside the header. Old
    /// clients never had one.
    pub cookie: Option<String>,
    /// `MAX_COOKIE_AGE`, in milliseconds: how long a session lasts however much it is used.
    pub max_cookie_age: Duration,
    /// `EXPIRE_TIMEOUT`, in seconds: how long a session may go unused.
    pub expire_timeout: Duration,
    /// `CLEANUP_INTERVAL`, in seconds: how often sessions that are over are removed.
    pub cleanup_interval: Duration,
    /// `TRUSTED_PROXIES`: networks whose `X-Forwarded-For` is believed, as in `10.0.0.0/8`.
    pub trusted_proxies: Vec<String>,
    /// `CORS_ORIGINS`: whose pages may call; all, if none is named.
    pub cors_origins: Vec<HeaderValue>,
    /// `CORS_HEADERS`: headers that those pages may send, beside those that the facade reads.
    pub cors_headers: Vec<HeaderName>,
    /// `MAINTENANCE_ENABLED`: nobody is served.
    pub maintenance: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            common: Common::new("facade"),
            rules: Rules::MODERN,
            seed: false,
            cookie: None,
            // The original says a year; NIST SP 800-63B-4 allows 30 days.
            max_cookie_age: Duration::days(30),
            expire_timeout: Duration::days(1),
            cleanup_interval: Duration::minutes(15),
            trusted_proxies: Vec::new(),
            cors_origins: Vec::new(),
            cors_headers: vec![HeaderName::from_static("correlation_id")],
            maintenance: false,
        }
    }
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    ///
    /// - a variable cannot be read; the message names it
    pub fn from_env() -> Result<Self, EnvironmentError> {
        let default = Self::default();
        let compat = flag("COMPAT")?;
        let cookie = text("COOKIE")?.unwrap_or_else(|| crate::SESSION_HEADER.into());
        Ok(Self {
            common: Common::from_env("facade")?,
            rules: if compat { Rules::COMPAT } else { Rules::MODERN },
            seed: flag("SEED")?,
            cookie: (flag("COOKIE_ENABLED")? && !compat).then_some(cookie),
            max_cookie_age: time("MAX_COOKIE_AGE", Duration::try_milliseconds)?
                .unwrap_or(default.max_cookie_age),
            expire_timeout: time("EXPIRE_TIMEOUT", Duration::try_seconds)?
                .unwrap_or(default.expire_timeout),
            cleanup_interval: time("CLEANUP_INTERVAL", Duration::try_seconds)?
                .unwrap_or(default.cleanup_interval),
            trusted_proxies: list("TRUSTED_PROXIES")?.unwrap_or(default.trusted_proxies),
            cors_origins: list("CORS_ORIGINS")?.unwrap_or(default.cors_origins),
            cors_headers: list("CORS_HEADERS")?.unwrap_or(default.cors_headers),
            maintenance: flag("MAINTENANCE_ENABLED")?,
        })
    }

    /// How long sessions live.
    #[must_use]
    pub fn expiry(&self) -> Expiry {
        let default = Expiry::default();
        Expiry {
            idle: self.expire_timeout,
            absolute: self.max_cookie_age.max(self.expire_timeout),
            touch: default.touch.min(self.expire_timeout / 2),
            // The cookie says how long the session lasts.
            expire_at_browser_close: false,
            ..default
        }
    }
}

fn time(
    name: &str,
    unit: fn(i64) -> Option<Duration>,
) -> Result<Option<Duration>, EnvironmentError> {
    let Some(number) = read(name)? else { return Ok(None) };
    let out_of_range = || EnvironmentError::new(name, "out of range");
    unit(number).ok_or_else(out_of_range).map(Some)
}

/// A list with commas.
fn list<T: FromStr<Err: Display>>(name: &str) -> Result<Option<Vec<T>>, EnvironmentError> {
    let read = |item: &str| item.trim().parse().map_err(|error| EnvironmentError::new(name, error));
    text(name)?.map(|text| text.split(',').map(read).collect()).transpose()
}
