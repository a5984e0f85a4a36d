//! Puts the parts together, and refuses what does not fit.

use std::{fmt, sync::Arc};

use chrono::TimeDelta;

use crate::{
    access_keys::Signatures,
    api_keys::ApiKeys,
    clock::{Clock, SystemClock},
    expiry::Expiry,
    http::{RequestHead, cookie::SessionCookie},
    jwt::{JwtKeys, RefreshLifetime, TrustedIssuer},
    password::{PasswordHasher, PasswordPolicy},
    responder::{ProblemResponder, Responder},
    scheme::{CustomScheme, Scheme},
    session::{
        FillColumns,
        record::{SessionColumns, SessionRecord},
    },
    store::{DenyList, Purge, SessionStore, TokenStore, WhenFull},
    throttle::Throttle,
    user::AuthUser,
    users::UserStore,
};

mod authenticator;
mod build;
#[cfg(feature = "oidc")]
mod oidc;
mod purge;

pub use authenticator::Authenticator;
use authenticator::UserEntry;
pub(crate) use authenticator::UserService;
#[cfg(feature = "oidc")]
pub use oidc::OidcConfig;
pub use purge::PurgeTask;

/// What an application declares, until [`build`](Self::build) checks it.
///
/// # Examples
///
/// ```
/// use auth_core::{config::AuthConfig, store::MemorySessions};
///
/// let auth = AuthConfig::new().sessions(MemorySessions::default()).build()?;
/// # Ok::<(), auth_core::config::ConfigError>(())
/// ```
#[must_use]
pub struct AuthConfig {
    users: Vec<UserEntry>,
    sessions: Option<Arc<dyn SessionStore>>,
    purged: Vec<Arc<dyn Purge>>,
    cookie: Option<SessionCookie>,
    session_header: Option<String>,
    expiry: Expiry,
    session_limit: Option<(u32, WhenFull)>,
    session_columns: Option<FillColumns>,
    jwt: Option<JwtKeys>,
    issuer: String,
    audience: Option<String>,
    realm: Option<String>,
    token_lifetime: Option<TimeDelta>,
    token_prefix: String,
    api_keys: Option<ApiKeys>,
    signatures: Option<Signatures>,
    basic_cache: Option<TimeDelta>,
    custom: Vec<CustomScheme>,
    trusted: Vec<TrustedIssuer>,
    password_flow: Option<String>,
    refresh: Option<Arc<dyn TokenStore>>,
    refresh_lifetime: RefreshLifetime,
    denied: Option<Arc<dyn DenyList>>,
    disabled: Vec<String>,
    challenges: bool,
    verify_public: bool,
    hasher: PasswordHasher,
    policy: PasswordPolicy,
    throttle: Throttle,
    allowed_origins: Vec<String>,
    trusted_proxies: Vec<String>,
    clock: Arc<dyn Clock>,
    responder: Arc<dyn Responder>,
}

/// Everything that does not fit, one sentence each.
#[derive(Debug, thiserror::Error)]
#[error("the authentication is not configured rightly:{}", self.list())]
pub struct ConfigError {
    problems: Vec<String>,
}

impl ConfigError {
    #[cfg(feature = "oidc")]
    fn new(problems: Vec<String>) -> Self {
        Self { problems }
    }

    /// The problems.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    fn list(&self) -> String {
        self.problems.iter().map(|problem| format!("\n- {problem}")).collect()
    }
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl AuthConfig {
    /// A configuration without users and sessions.
    pub fn new() -> Self {
        Self {
            users: Vec::new(),
            sessions: None,
            purged: Vec::new(),
            cookie: Some(SessionCookie::default()),
            session_header: None,
            expiry: Expiry::default(),
            session_limit: None,
            session_columns: None,
            jwt: None,
            issuer: "auth".into(),
            audience: None,
            realm: None,
            token_lifetime: None,
            token_prefix: "Bearer".into(),
            api_keys: None,
            signatures: None,
            basic_cache: None,
            custom: Vec::new(),
            trusted: Vec::new(),
            password_flow: None,
            refresh: None,
            refresh_lifetime: RefreshLifetime::default(),
            denied: None,
            disabled: Vec::new(),
            challenges: true,
            verify_public: false,
            hasher: PasswordHasher::default(),
            policy: PasswordPolicy::default(),
            throttle: Throttle::default(),
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            clock: Arc::new(SystemClock),
            responder: Arc::new(ProblemResponder),
        }
    }

    /// A type of user, and where its users are.
    pub fn user<U: AuthUser>(mut self, store: impl UserStore<U>) -> Self {
        self.users.push(UserEntry::new::<U>(store));
        self
    }

    /// Where the sessions are.
    pub fn sessions(self, store: impl SessionStore) -> Self {
        self.shared_sessions(Arc::new(store))
    }

    /// Where the sessions are, for a store that something else uses too.
    pub fn shared_sessions(mut self, store: Arc<dyn SessionStore>) -> Self {
        self.sessions = Some(store);
        self
    }

    /// One more store that [`Authenticator::purge_expired`] and [`Authenticator::purge_every`] purge.
    /// Default: the sessions, and what else the configuration names.
    pub fn purge(mut self, store: Arc<dyn Purge>) -> Self {
        self.purged.push(store);
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

    /// The keys that sign and verify tokens. Default: none, no tokens.
    pub fn jwt(mut self, keys: JwtKeys) -> Self {
        self.jwt = Some(keys);
        self
    }

    /// The `iss` of tokens, written and required. Default: `auth`. Services that share keys need
    /// names of their own.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = issuer.into();
        self
    }

    /// The `aud` of tokens, written and required. Default: the issuer.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// The `realm` in challenges, which browsers show when they ask for name and password. Default:
    /// the issuer, for tokens the audience.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// How long tokens live. Default: 10 minutes; OWASP ASVS 9.2.1 asks for short ones.
    pub fn token_lifetime(mut self, lifetime: TimeDelta) -> Self {
        self.token_lifetime = Some(lifetime);
        self
    }

    /// The scheme name in front of a token in `Authorization`, compared without regard to case.
    /// Default: `Bearer`.
    pub fn token_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.token_prefix = prefix.into();
        self
    }

    /// Remembers for this long that a name and a password by HTTP Basic were right, so that not every
    /// request is hashed. Default: they are not remembered.
    ///
    /// # Security
    ///
    /// What is remembered is a keyed digest that only this process can make; wrong ones are not. A
    /// changed password, another name and an inactive account end it at once. For as long, who reads
    /// the memory of the process can try passwords at the cost of a fast hash.
    pub fn cache_basic(mut self, lifetime: TimeDelta) -> Self {
        self.basic_cache = Some(lifetime);
        self
    }

    /// Where API keys are kept, or [`ApiKeys`] with a prefix and a header of one's own. Default:
    /// none, no API keys.
    pub fn api_keys(mut self, keys: impl Into<ApiKeys>) -> Self {
        self.api_keys = Some(keys.into());
        self
    }

    /// How signed requests are verified, see [`Signatures`]. Default: not at all.
    pub fn signatures(mut self, signatures: Signatures) -> Self {
        self.signatures = Some(signatures);
        self
    }

    /// What stands behind a scheme that a type of user declares as `custom = "badge"`:
    /// `.scheme::<User>("badge", BadgeScheme { .. })`. See [`Scheme`]. Default: none.
    pub fn scheme<U: AuthUser>(mut self, name: &'static str, scheme: impl Scheme<U>) -> Self {
        self.custom.push(CustomScheme::new(name, scheme));
        self
    }

    /// Takes the tokens of another issuer, for types of users that are made of claims. Default: none.
    /// See [`TrustedIssuer`].
    pub fn trust(mut self, issuer: TrustedIssuer) -> Self {
        self.trusted.push(issuer);
        self
    }

    /// Has documents say that tokens are issued for name and password at this address, as in
    /// `/api/oauth/token`: the OAuth 2 password flow. Swagger UI then logs in by itself. Default: they
    /// only say that there are tokens.
    ///
    /// The address is that of the token endpoint, as clients see it; one of your own has to read and
    /// answer what RFC 6749 says.
    pub fn document_password_flow(mut self, token_url: impl Into<String>) -> Self {
        self.password_flow = Some(token_url.into());
        self
    }

    /// Where refresh tokens are. Default: nowhere, there are none. With a store, every login that
    /// issues a token issues a refresh token too, see [`crate::jwt`].
    pub fn refresh_tokens(self, store: impl TokenStore) -> Self {
        self.shared_refresh_tokens(Arc::new(store))
    }

    /// Where refresh tokens are, for a store that something else uses too.
    pub fn shared_refresh_tokens(mut self, store: Arc<dyn TokenStore>) -> Self {
        self.refresh = Some(store);
        self
    }

    /// How long a refresh token may lie unused, and when all that came out of one login end, however
    /// much they are used. Default: 14 and 30 days; OWASP ASVS 10.4.8 asks for the second limit.
    pub fn refresh_lifetime(mut self, idle: TimeDelta, absolute: TimeDelta) -> Self {
        self.refresh_lifetime.idle = idle;
        self.refresh_lifetime.absolute = absolute;
        self
    }

    /// For how long after its exchange a refresh token that is presented again is refused without
    /// harm, and not taken for a stolen one. Default: 10 seconds; zero is the strictest, a minute
    /// the most. See [`crate::jwt`].
    pub fn refresh_grace(mut self, grace: TimeDelta) -> Self {
        self.refresh_lifetime.grace = grace;
        self
    }

    /// Where access tokens stand that were ended before they expire, as by a logout. Default:
    /// nowhere, they cannot be.
    ///
    /// It is asked at every request with a token, so it costs what its store costs.
    pub fn deny_list(self, list: impl DenyList) -> Self {
        self.shared_deny_list(Arc::new(list))
    }

    /// The same, for a list that something else uses too.
    pub fn shared_deny_list(mut self, list: Arc<dyn DenyList>) -> Self {
        self.denied = Some(list);
        self
    }

    /// Leaves a scheme out that types of users declare, by its name: `session`, `bearer`, `basic`,
    /// `api_key`, `signature`, or one of the application's own. It is not
    /// tried, not documented and not challenged, and what it needs need not be configured. Default:
    /// none is left out.
    ///
    /// This is for applications that choose their schemes when they start.
    pub fn disable_scheme(mut self, scheme: impl Into<String>) -> Self {
        self.disabled.push(scheme.into());
        self
    }

    /// Leaves `WWW-Authenticate` out of refusals. Default: every scheme that has a challenge is
    /// named, as RFC 9110 asks of a 401.
    ///
    /// For old clients, and for pages whose visitors should not see the browser's own dialog, which
    /// the challenge of HTTP Basic opens.
    pub fn without_challenges(mut self) -> Self {
        self.challenges = false;
        self
    }

    /// Has `#[public]` operations look at credentials too, as if they took an `Option` of every
    /// type of user: one that does not hold is refused there as well. Default: they do not look.
    pub fn verify_on_public_operations(mut self) -> Self {
        self.verify_public = true;
        self
    }

    /// How passwords are hashed. Default: argon2id, see [`PasswordHasher`].
    pub fn hasher(mut self, hasher: PasswordHasher) -> Self {
        self.hasher = hasher;
        self
    }

    /// What new passwords must be. Default: 15 characters, see [`PasswordPolicy`].
    pub fn password_policy(mut self, policy: PasswordPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// How failed logins are slowed down. Default: after 5 in a row, see [`Throttle`].
    pub fn throttle(mut self, throttle: Throttle) -> Self {
        self.throttle = throttle;
        self
    }

    /// An origin whose pages may use the session cookie for unsafe requests, as in
    /// `https://app.example`. Default: none but this host.
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.allowed_origins.push(origin.into());
        self
    }

    /// A network of proxies whose `X-Forwarded-For` is believed, as in `10.0.0.0/8`. Default: none.
    pub fn trust_proxy(mut self, network: impl Into<String>) -> Self {
        self.trusted_proxies.push(network.into());
        self
    }

    /// The clock. Default: the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How refusals and faults look. Default: `application/problem+json`.
    pub fn responder(mut self, responder: impl Responder) -> Self {
        self.responder = Arc::new(responder);
        self
    }
}

impl fmt::Debug for AuthConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthConfig").finish_non_exhaustive()
    }
}
