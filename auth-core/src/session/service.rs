//! The sessions as they are configured: where they are kept, how long they live, how their tokens
//! travel.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;
use uuid::Uuid;

use super::{
    columns::FillColumns,
    record::{SessionColumns, SessionData, SessionRecord},
    token::Carriers,
};
use crate::{
    clock::{Clock, to_the_millisecond},
    expiry::Expiry,
    http::Client,
    secret::SessionKey,
    store::{SessionLimit, SessionStore, WhenFull},
};

/// The sessions at run time.
#[derive(Debug)]
pub(crate) struct SessionService {
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) carriers: Carriers,
    pub(crate) expiry: Expiry,
    pub(crate) clock: Arc<dyn Clock>,
    /// How many sessions a user may have at once.
    pub(crate) limit: Option<(u32, WhenFull)>,
    /// What the application says about a session that begins.
    pub(crate) fill: Option<FillColumns>,
    /// Whether the configuration takes the scheme from all users: sessions then prove nothing.
    pub(crate) disabled: bool,
}

/// How long a new session lives.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Lifetime {
    /// The configured time.
    #[default]
    Default,
    /// "Remember me".
    Remember,
    /// This long at most, within the "remember me" limit.
    For(TimeDelta),
    /// The configured time, and the cookie ends with the browser whatever the configuration says.
    BrowserSession,
}

impl SessionService {
    /// Whether a request presents a session, alive or not.
    pub(crate) fn is_presented(&self, headers: &HeaderMap) -> bool {
        self.carriers.presented(headers).way().is_some()
    }

    /// A session that begins now, without data or login.
    pub(crate) fn new_record(&self, client: &Client, lifetime: Lifetime) -> SessionRecord {
        let now = self.now();
        let expiry = &self.expiry;
        let (idle, absolute, persistent) = match lifetime {
            Lifetime::Default => (expiry.idle, expiry.absolute, !expiry.expire_at_browser_close),
            Lifetime::BrowserSession => (expiry.idle, expiry.absolute, false),
            Lifetime::Remember => (expiry.remember_idle, expiry.remember_absolute, true),
            Lifetime::For(time) => {
                let time = time.clamp(TimeDelta::zero(), expiry.remember_absolute);
                (time.min(expiry.remember_idle), time, true)
            }
        };
        SessionRecord {
            handle: Uuid::new_v4(),
            login: None,
            data: SessionData::default(),
            created_at: now,
            last_active_at: now,
            idle_timeout: idle,
            expires_at: now + absolute,
            persistent,
            ip: client.ip,
            user_agent: client.user_agent.clone(),
            columns: SessionColumns::default(),
            version: 1,
        }
    }

    /// Whether a login may be refused, so that its session must be stored before it can be told.
    pub(crate) fn refuses_logins(&self) -> bool {
        matches!(self.limit, Some((_, WhenFull::Refuse)))
    }

    /// The limit that a login must keep whose session takes the place of that one.
    pub(super) fn limit(&self, except: Option<SessionKey>) -> Option<SessionLimit> {
        let (max, full) = self.limit?;
        Some(SessionLimit { max, full, except, now: self.now() })
    }

    /// The time now, to the millisecond, as stores keep it.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        to_the_millisecond(self.clock.now())
    }

    /// How many seconds the cookie of a session lives; `None` if it ends with the browser.
    pub(super) fn max_age(&self, record: &SessionRecord) -> Option<i64> {
        // Rounded up: the milliseconds since the session began are no second less.
        let age = (record.expires_at - self.now()).num_milliseconds().max(0);
        record.persistent.then_some((age + 999) / 1000)
    }
}
