//! Puts the parts together, and refuses what does not fit.

use std::{fmt, sync::Arc};

use chrono::TimeDelta;

use crate::{
    access_keys::Signatures,
    api_keys::ApiKeys,
    clock::{Clock, SystemClock},
    expiry::Expiry,
    http::cookie::SessionCookie,
    jwt::{JwtKeys, RefreshLifetime, TrustedIssuer},
    password::{PasswordHasher, PasswordPolicy},
    responder::{ProblemResponder, Responder},
    scheme::{CustomScheme, Scheme},
    session::FillColumns,
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
mod sessions;
mod tokens;

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

    /// One more store that [`Authenticator::purge_expired`] and [`Authenticator::purge_every`] purge.
    /// Default: the sessions, and what else the configuration names.
    pub fn purge(mut self, store: Arc<dyn Purge>) -> Self {
        self.purged.push(store);
        self
    }

    /// The `realm` in challenges, which browsers show when they ask for name and password. Default:
    /// the issuer, for tokens the audience.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
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
