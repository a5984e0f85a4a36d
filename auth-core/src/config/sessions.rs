//! What is configured about sessions.

use std::sync::Arc;

use super::AuthConfig;
use crate::{
    expiry::Expiry,
    http::{RequestHead, cookie::SessionCookie},
    session::{
        FillColumns,
        record::{SessionColumns, SessionRecord},
    },
    store::{SessionStore, WhenFull},
};

impl AuthConfig {
    /// Where the sessions are.
    pub fn sessions(self, store: impl SessionStore) -> Self {
        self.shared_sessions(Arc::new(store))
    }

    /// Where the sessions are, for a store that something else uses too.
    pub fn shared_sessions(mut self, store: Arc<dyn SessionStore>) -> Self {
        self.sessions = Some(store);
        self
    }

    /// The session cookie. Default: `__Host-sid`, see [`SessionCookie`].
    pub fn cookie(mut self, cookie: SessionCookie) -> Self {
        self.cookie = Some(cookie);
        self
    }

    /// A header by which clients may present their session, beside the cookie, as in
    /// `x-session-id`. Default: none.
    ///
    /// A new token is in the answer's header of the same name; a client that presents the header
    /// gets no cookie. The header wins over a cookie. Other than a cookie, a header that names no
    /// session is refused with 401 `invalid_session`, also where users are optional; an empty one
    /// counts as none.
    ///
    /// # Security
    ///
    /// No browser sends the header by itself, so other sites cannot borrow it, and the cross-site
    /// check does not ask about it. But a page that keeps the token within reach of its scripts
    /// loses it to the first hostile one, which a cookie prevents: this is for clients that are no
    /// web pages. Where both ways are open, a login that presents no header is answered with both.
    /// To let pages of other origins read the answer's header takes `Access-Control-Expose-Headers`.
    pub fn session_header(mut self, name: impl Into<String>) -> Self {
        self.session_header = Some(name.into());
        self
    }

    /// Leaves the cookie out: sessions travel in the [`session_header`](Self::session_header) only.
    pub fn without_session_cookie(mut self) -> Self {
        self.cookie = None;
        self
    }

    /// How long sessions live. Default: 30 minutes idle, 12 hours at most, see [`Expiry`].
    pub fn expiry(mut self, expiry: Expiry) -> Self {
        self.expiry = expiry;
        self
    }

    /// How many sessions a user may have at once, and what becomes of a login beyond that: the oldest
    /// session ends, or the login is refused with 409 `too_many_sessions`. Default: no limit.
    ///
    /// Exact also where one user logs in several times at the same moment, on several servers.
    /// Counted are live sessions, of whatever scheme they were used by; tokens are none. A login from
    /// a browser in which the user is logged in replaces his session there and is never too many, and
    /// neither is a new key for a session.
    ///
    /// # Security
    ///
    /// Where logins are refused, a user who has lost a cookie waits until that session expires; and
    /// who knows his password can keep him out that way, where ending the oldest would show him. What
    /// OWASP ASVS 7.1.2 asks for is that the choice is made and documented.
    ///
    /// # Examples
    ///
    /// ```
    /// use auth_core::{config::AuthConfig, store::{MemorySessions, WhenFull}};
    ///
    /// let auth = AuthConfig::new()
    ///     .sessions(MemorySessions::default())
    ///     .session_limit(3, WhenFull::EndOldest)
    ///     .build()?;
    /// # Ok::<(), auth_core::config::ConfigError>(())
    /// ```
    pub fn session_limit(mut self, max: u32, full: WhenFull) -> Self {
        self.session_limit = Some((max, full));
        self
    }

    /// Fills columns of the application's own when a session begins and when somebody logs in: from
    /// the head of the request, and from the record, which has the user where there is one. Default:
    /// none are filled.
    ///
    /// What it returns takes the place of what the columns held; others stay. A handler sets columns
    /// with [`LiveSession::set_column`](crate::session::live::LiveSession::set_column).
    /// [`SqlSessions`](crate::store) declares them where it is the store: what it does not have is
    /// found by [`build`](Self::build), which tries this with an empty request, or else is a fault.
    ///
    /// # Examples
    ///
    /// ```
    /// use auth_core::{config::AuthConfig, session::record::SessionColumns, store::MemorySessions};
    ///
    /// let auth = AuthConfig::new()
    ///     .sessions(MemorySessions::default())
    ///     .session_columns(|head, session| {
    ///         let device = head.headers.get("x-device").and_then(|name| name.to_str().ok());
    ///         let user = session.login.as_ref().map(|login| login.user.as_str());
    ///         SessionColumns::default().with("device", device).with("account", user)
    ///     })
    ///     .build()?;
    /// # Ok::<(), auth_core::config::ConfigError>(())
    /// ```
    pub fn session_columns(
        mut self,
        fill: impl Fn(&RequestHead<'_>, &SessionRecord) -> SessionColumns + Send + Sync + 'static,
    ) -> Self {
        self.session_columns = Some(FillColumns::new(fill));
        self
    }
}
