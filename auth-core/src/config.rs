//! Puts the parts together, and refuses what does not fit.

use std::{
    any::{Any, TypeId},
    fmt,
    sync::Arc,
};

use chrono::TimeDelta;
use http::{HeaderValue, Response};
use ipnet::IpNet;

use crate::{
    clock::{Clock, SystemClock},
    error::{Error, Failure},
    expiry::Expiry,
    http::cookie::SessionCookie,
    jwt::{JwtConfig, JwtKeys},
    password::{PasswordHasher, PasswordPolicy},
    rejection::Rejection,
    responder::{ProblemResponder, Responder, complete_fault, complete_refusal},
    scheme::{BearerScheme, SchemeKind},
    session::SessionService,
    store::SessionStore,
    throttle::{Attempts, Throttle},
    user::{AuthUser, UserMeta},
    users::UserStore,
};

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
    cookie: SessionCookie,
    expiry: Expiry,
    jwt: Option<JwtKeys>,
    issuer: String,
    audience: Option<String>,
    token_lifetime: Option<TimeDelta>,
    token_prefix: String,
    hasher: PasswordHasher,
    policy: PasswordPolicy,
    throttle: Throttle,
    allowed_origins: Vec<String>,
    trusted_proxies: Vec<String>,
    clock: Arc<dyn Clock>,
    responder: Arc<dyn Responder>,
}

/// One type of user, with its type hidden.
struct UserEntry {
    id: TypeId,
    meta: &'static UserMeta,
    problems: Vec<String>,
    service: Box<dyn Any + Send + Sync>,
}

/// One type of user at run time.
pub(crate) struct UserService<U> {
    pub(crate) store: Arc<dyn UserStore<U>>,
    pub(crate) schemes: Vec<SchemeKind>,
}

/// Everything that does not fit, one sentence each.
#[derive(Debug, thiserror::Error)]
#[error("the authentication is not configured rightly:{}", self.list())]
pub struct ConfigError {
    problems: Vec<String>,
}

impl ConfigError {
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
            cookie: SessionCookie::default(),
            expiry: Expiry::default(),
            jwt: None,
            issuer: "auth".into(),
            audience: None,
            token_lifetime: None,
            token_prefix: "Bearer".into(),
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
        let mut problems = Vec::new();
        let schemes = U::META
            .schemes
            .iter()
            .filter_map(|name| {
                let kind = SchemeKind::from_name(name);
                if kind.is_none() {
                    problems.push(format!("{} declares the unknown scheme `{name}`", U::META.name));
                }
                kind
            })
            .collect();
        self.users.push(UserEntry {
            id: TypeId::of::<U>(),
            meta: U::META,
            problems,
            service: Box::new(UserService::<U> { store: Arc::new(store), schemes }),
        });
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

    /// The session cookie. Default: `__Host-sid`, see [`SessionCookie`].
    pub fn cookie(mut self, cookie: SessionCookie) -> Self {
        self.cookie = cookie;
        self
    }

    /// How long sessions live. Default: 30 minutes idle, 12 hours at most, see [`Expiry`].
    pub fn expiry(mut self, expiry: Expiry) -> Self {
        self.expiry = expiry;
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

    /// Checks everything.
    ///
    /// # Errors
    ///
    /// - parts that do not fit, all of them at once: [`ConfigError`]
    pub fn build(self) -> Result<Authenticator, ConfigError> {
        let mut problems = self.cookie.problems();
        problems.extend(self.expiry.problems());
        problems.extend(self.user_problems());
        if self.token_prefix.is_empty()
            || !self.token_prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            problems.push(format!("the token prefix {:?} is no scheme name", self.token_prefix));
        }
        for origin in &self.allowed_origins {
            if !is_origin(origin) {
                problems.push(format!(
                    "{origin:?} is no origin; write it as in `https://app.example`, without a path"
                ));
            }
        }
        let trusted_proxies = self
            .trusted_proxies
            .iter()
            .filter_map(|text| match text.parse::<IpNet>() {
                Ok(network) => Some(network),
                Err(_) => {
                    problems.push(format!("{text:?} is no network; write it as in `10.0.0.0/8`"));
                    None
                }
            })
            .collect();
        let prefix = self.token_prefix;
        let audience = self.audience.unwrap_or_else(|| self.issuer.clone());
        let bearer = self.jwt.and_then(|keys| {
            let mut config = JwtConfig::new(keys, self.issuer, audience);
            if let Some(lifetime) = self.token_lifetime {
                config = config.lifetime(lifetime);
            }
            match config.build() {
                Ok(jwt) => Some(BearerScheme { jwt, prefix }),
                Err(error) => {
                    problems.push(error.to_string());
                    None
                }
            }
        });
        if !problems.is_empty() {
            return Err(ConfigError { problems });
        }
        if self.sessions.is_some() && !self.cookie.is_secure() {
            tracing::warn!(
                cookie = self.cookie.name(),
                "the session cookie is sent over plain http; this is for development only"
            );
        }
        let sessions = self.sessions.map(|store| SessionService {
            store,
            cookie: self.cookie,
            expiry: self.expiry,
            clock: self.clock.clone(),
        });
        Ok(Authenticator {
            inner: Arc::new(Inner {
                users: self.users,
                sessions,
                bearer,
                hasher: self.hasher,
                policy: self.policy,
                attempts: Attempts::new(self.throttle),
                allowed_origins: self.allowed_origins,
                trusted_proxies,
                clock: self.clock,
                responder: self.responder,
            }),
        })
    }

    fn user_problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (index, user) in self.users.iter().enumerate() {
            let name = user.meta.name;
            problems.extend(user.problems.iter().cloned());
            for other in &self.users[..index] {
                if other.id == user.id {
                    problems.push(format!("AuthConfig::user was called twice with {name}"));
                } else if other.meta.table == user.meta.table {
                    problems.push(format!(
                        "{} and {name} have the same table, `{}`; their sessions and tokens could \
                         not be told apart",
                        other.meta.name, user.meta.table
                    ));
                }
            }
            for scheme in user.meta.schemes {
                let (there, call) = match SchemeKind::from_name(scheme) {
                    Some(SchemeKind::Session) => (self.sessions.is_some(), "sessions"),
                    Some(SchemeKind::Bearer) => (self.jwt.is_some(), "jwt"),
                    None => continue,
                };
                if !there {
                    problems.push(format!(
                        "{name} declares the scheme `{scheme}`, but AuthConfig::{call} was not \
                         called"
                    ));
                }
            }
        }
        problems
    }
}

/// Whether a text is an origin as browsers write it: `scheme://host` or `scheme://host:port`.
fn is_origin(text: &str) -> bool {
    text.parse::<http::Uri>().is_ok_and(|uri| {
        uri.scheme().is_some()
            && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
            && !text.ends_with('/')
            && uri.path_and_query().is_none_or(|path| path.as_str() == "/")
    })
}

impl fmt::Debug for AuthConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthConfig").finish_non_exhaustive()
    }
}

/// The configured framework. Clones share everything.
#[derive(Clone)]
pub struct Authenticator {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    users: Vec<UserEntry>,
    pub(crate) sessions: Option<SessionService>,
    pub(crate) bearer: Option<BearerScheme>,
    pub(crate) hasher: PasswordHasher,
    pub(crate) policy: PasswordPolicy,
    pub(crate) attempts: Attempts,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) clock: Arc<dyn Clock>,
    responder: Arc<dyn Responder>,
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let users: Vec<_> = self.inner.users.iter().map(|user| user.meta.name).collect();
        f.debug_struct("Authenticator")
            .field("users", &users)
            .field("sessions", &self.inner.sessions)
            .field("bearer", &self.inner.bearer)
            .finish_non_exhaustive()
    }
}

impl Authenticator {
    /// The answer to a refused request.
    #[must_use]
    pub fn refuse(&self, rejection: &Rejection) -> Response<bytes::Bytes> {
        let response = self.inner.responder.refuse(rejection);
        complete_refusal(response, rejection, self.challenges(rejection))
    }

    /// The answer to a failure of either kind. A fault is logged here.
    #[must_use]
    pub fn answer(&self, failure: &Failure) -> Response<bytes::Bytes> {
        match failure {
            Failure::Rejected(rejection) => self.refuse(rejection),
            Failure::Fault(error) => {
                tracing::error!(error = %chain(error), "a request failed");
                complete_fault(self.inner.responder.fail(), error)
            }
        }
    }

    /// How refusals and faults look.
    #[must_use]
    pub fn responder(&self) -> &dyn Responder {
        &*self.inner.responder
    }

    /// Whether this is the same configuration as `other`, not just an equal one.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// Whether that type of user was configured.
    #[must_use]
    pub fn has_user(&self, id: TypeId) -> bool {
        self.inner.users.iter().any(|user| user.id == id)
    }

    /// The name of the session cookie, `None` without sessions.
    #[must_use]
    pub fn cookie_name(&self) -> Option<&str> {
        self.inner.sessions.as_ref().map(|sessions| sessions.cookie.name())
    }

    /// What stands in front of a token in `Authorization`, `None` without tokens.
    #[must_use]
    pub fn token_prefix(&self) -> Option<&str> {
        self.inner.bearer.as_ref().map(|bearer| bearer.prefix.as_str())
    }

    /// The session store, for lists, revocation and purges; `None` without sessions.
    #[must_use]
    pub fn session_store(&self) -> Option<&Arc<dyn SessionStore>> {
        self.inner.sessions.as_ref().map(|sessions| &sessions.store)
    }

    /// The challenges of all schemes that have one (RFC 9110, 11.6.1).
    fn challenges(&self, rejection: &Rejection) -> impl Iterator<Item = HeaderValue> {
        // RFC 6750, 3.1: the error is told only to those who presented a token.
        let error = match rejection {
            Rejection::InvalidToken => ", error=\"invalid_token\"",
            Rejection::MalformedCredentials => ", error=\"invalid_request\"",
            _ => "",
        };
        self.inner.bearer.iter().filter_map(move |bearer| {
            let challenge = format!("{} realm=\"{}\"{error}", bearer.prefix, bearer.jwt.audience());
            // An audience with characters that no header may have has no challenge of its own.
            HeaderValue::try_from(challenge).ok()
        })
    }

    pub(crate) fn user_service<U: AuthUser>(&self) -> Result<&UserService<U>, Error> {
        self.inner
            .users
            .iter()
            .find(|user| user.id == TypeId::of::<U>())
            .and_then(|user| user.service.downcast_ref())
            .ok_or_else(|| {
                let name = U::META.name;
                Error::Misconfigured(format!(
                    "{name} is used, but AuthConfig::user was not called with it"
                ))
            })
    }
}

/// An error with its sources, in one line.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
