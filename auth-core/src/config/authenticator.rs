//! The configured framework: [`Authenticator`].

use std::{
    any::{Any, TypeId},
    fmt,
    sync::Arc,
};

use http::{
    HeaderName, HeaderValue, Response,
    header::{AUTHORIZATION, COOKIE},
};
use ipnet::IpNet;

use crate::{
    clock::Clock,
    error::{Error, Failure},
    guard::{Policy, Principal},
    http::{RequestHead, authorization::Authorization, cookie::SessionCookie},
    jwt::RefreshTokens,
    password::{PasswordHasher, PasswordPolicy},
    rejection::Rejection,
    responder::{Responder, complete_fault, complete_refusal},
    scheme::{
        ApiKeyScheme, BasicScheme, BearerScheme, CustomScheme, SchemeInfo, SchemeKind,
        SignatureScheme,
    },
    session::SessionService,
    store::{DenyList, Purge, SessionStore, TokenStore},
    throttle::Attempts,
    user::{AuthUser, RoleSource, UserMeta},
    users::UserStore,
};

/// The configured framework. Clones share everything.
#[derive(Clone)]
pub struct Authenticator {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(super) users: Vec<UserEntry>,
    pub(crate) sessions: Option<SessionService>,
    pub(super) purged: Vec<Arc<dyn Purge>>,
    pub(crate) basic: BasicScheme,
    pub(crate) bearer: Option<BearerScheme>,
    pub(crate) api_keys: Option<ApiKeyScheme>,
    pub(crate) signatures: Option<SignatureScheme>,
    /// The schemes of the application's own, of all types of users.
    pub(super) custom: Vec<CustomScheme>,
    pub(crate) refresh: Option<RefreshTokens>,
    pub(crate) hasher: PasswordHasher,
    pub(crate) policy: PasswordPolicy,
    pub(crate) attempts: Attempts,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(super) responder: Arc<dyn Responder>,
    pub(super) challenges: bool,
    pub(super) verify_public: bool,
    pub(super) password_flow: Option<String>,
}

impl Inner {
    /// What a scheme's credentials begin with in `Authorization`.
    fn prefix(&self, user: TypeId, scheme: SchemeKind) -> Option<&str> {
        match scheme {
            SchemeKind::Session | SchemeKind::Signature => None,
            SchemeKind::Bearer => self.bearer.as_ref().map(|bearer| bearer.prefix.as_str()),
            SchemeKind::Basic => Some(BasicScheme::NAME),
            SchemeKind::ApiKey => self.api_keys.as_ref()?.bearer.as_deref(),
            SchemeKind::Custom(name) => {
                let mut all = self.custom.iter();
                all.find(|scheme| scheme.user == user && scheme.name == name)?.prefix()
            }
        }
    }
}

/// One type of user, with its type hidden.
pub(super) struct UserEntry {
    pub(super) id: TypeId,
    pub(super) meta: &'static UserMeta,
    /// The schemes that are tried, in their order.
    pub(super) schemes: Vec<SchemeKind>,
    /// Whether the type's roles come from elsewhere, and the store does not bring them.
    pub(super) lacks_roles: bool,
    /// What the store says of itself.
    pub(super) problems: Vec<String>,
    /// Whether users are made of claims.
    pub(super) from_claims: bool,
    /// Whether they are, and the store does not make them.
    pub(super) lacks_claims: bool,
    /// The user as an optional parameter.
    optional: Principal,
    /// An `Arc<dyn UserStore<U>>`.
    store: Box<dyn Any + Send + Sync>,
}

/// One type of user at run time.
pub(crate) struct UserService<'a, U> {
    pub(crate) store: &'a dyn UserStore<U>,
    pub(crate) schemes: &'a [SchemeKind],
    /// The schemes of the application's own, of all types of users.
    custom: &'a [CustomScheme],
}

impl<'a, U: AuthUser> UserService<'a, U> {
    /// The type's scheme of this name.
    pub(crate) fn custom(&self, name: &str) -> Result<&'a CustomScheme, Error> {
        let user = TypeId::of::<U>();
        let own = self.custom.iter().find(|scheme| scheme.user == user && scheme.name == name);
        own.ok_or_else(|| Error::Misconfigured(format!("the scheme `{name}` is not configured")))
    }
}

impl UserEntry {
    pub(super) fn new<U: AuthUser>(store: impl UserStore<U>) -> Self {
        let store: Arc<dyn UserStore<U>> = Arc::new(store);
        let problems = store.problems();
        let lacks_roles = U::META.roles == RoleSource::External && !store.brings_roles();
        Self {
            id: TypeId::of::<U>(),
            meta: U::META,
            schemes: U::META.schemes.iter().map(|name| SchemeKind::from_name(name)).collect(),
            lacks_roles,
            problems,
            from_claims: U::FROM_CLAIMS,
            lacks_claims: U::FROM_CLAIMS && store.by_claims("null").is_none(),
            optional: Principal::of::<U>(true),
            store: Box::new(store),
        }
    }

    fn service<'a, U: AuthUser>(&'a self, inner: &'a Inner) -> Option<UserService<'a, U>> {
        let store: &Arc<dyn UserStore<U>> = self.store.downcast_ref()?;
        Some(UserService { store: &**store, schemes: &self.schemes, custom: &inner.custom })
    }
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
    /// The answer to a refused request, with the challenges of all schemes.
    #[must_use]
    pub fn refuse(&self, rejection: &Rejection) -> Response<bytes::Bytes> {
        self.refuse_for(None, rejection)
    }

    fn refuse_for(&self, policy: Option<&Policy>, rejection: &Rejection) -> Response<bytes::Bytes> {
        let response = self.inner.responder.refuse(rejection);
        complete_refusal(response, rejection, self.challenges(policy, rejection))
    }

    /// The answer to a failure of either kind, of an operation if it is known which: it is then
    /// challenged with the schemes that count there. A fault is logged here.
    #[must_use]
    pub fn answer(&self, policy: Option<&Policy>, failure: &Failure) -> Response<bytes::Bytes> {
        match failure {
            Failure::Rejected(rejection) => self.refuse_for(policy, rejection),
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

    /// By which schemes a type of user may prove who he is, in the order they are tried; none for a
    /// type that was not configured.
    #[must_use]
    pub fn schemes(&self, id: TypeId) -> &[SchemeKind] {
        let user = self.inner.users.iter().find(|user| user.id == id);
        user.map_or(&[], |user| &user.schemes)
    }

    /// The users for whom an operation looks: those of its parameters, and on public operations all
    /// types where [`AuthConfig::verify_on_public_operations`](super::AuthConfig::verify_on_public_operations)
    /// says so.
    pub fn principals<'a>(&'a self, policy: &Policy) -> impl Iterator<Item = &'a Principal> {
        let all = policy.public && self.inner.verify_public;
        let others: &[UserEntry] = if all { &self.inner.users } else { &[] };
        let own = policy.users().map(|user| -> &'a Principal { user });
        own.chain(others.iter().map(|user| &user.optional))
    }

    /// Whether a request presents something by a scheme that is not looked at: one that is disabled
    /// or nobody's, or none of those that count, if there are any, for this type of user.
    pub(crate) fn presents_in_vain(
        &self,
        user: TypeId,
        only: &[&str],
        head: &RequestHead<'_>,
    ) -> bool {
        let inner = &self.inner;
        let looked_at = |entry: &UserEntry, scheme: SchemeKind| {
            only.is_empty() || (entry.id == user && only.contains(&scheme.name()))
        };
        let tried = || {
            inner.users.iter().flat_map(|entry| {
                let schemes = entry.schemes.iter().map(move |scheme| (entry, *scheme));
                schemes.filter(|(entry, scheme)| looked_at(entry, *scheme))
            })
        };
        match Authorization::of(head.headers) {
            Authorization::Malformed => return true,
            Authorization::Scheme { name, .. } => {
                return !tried().any(|(entry, scheme)| {
                    let own = inner.prefix(entry.id, scheme);
                    own.is_some_and(|own| own.eq_ignore_ascii_case(name))
                });
            }
            Authorization::Absent => {}
        }
        let is_tried = |kind: SchemeKind| tried().any(|(_, scheme)| scheme == kind);
        // A session is looked at for its data as well, unless it is said that it does not count.
        let no_session = inner.sessions.as_ref().filter(|sessions| {
            let counts = only.is_empty() || is_tried(SchemeKind::Session);
            sessions.disabled || !counts
        });
        let no_keys = inner.api_keys.as_ref().filter(|_| !is_tried(SchemeKind::ApiKey));
        let unsigned = inner.signatures.as_ref().filter(|_| !is_tried(SchemeKind::Signature));
        no_keys.is_some_and(|keys| keys.is_in_header(head))
            || unsigned.is_some_and(|signatures| signatures.is_presented(head))
            || no_session.is_some_and(|sessions| sessions.is_presented(head.headers))
            || inner.custom.iter().any(|own| {
                !is_tried(SchemeKind::Custom(own.name)) && own.is_presented_by_itself(head)
            })
    }

    /// What documents say of a scheme of the application's own.
    #[must_use]
    pub fn scheme_info(&self, name: &str) -> Option<&SchemeInfo> {
        // Schemes of one name are the same to a client; the configuration has checked it.
        let own = self.inner.custom.iter().find(|scheme| scheme.name == name);
        own.map(|scheme| &scheme.info)
    }

    /// The name of the session cookie, `None` without sessions or without the cookie.
    #[must_use]
    pub fn cookie_name(&self) -> Option<&str> {
        let carriers = &self.inner.sessions.as_ref()?.carriers;
        carriers.cookie.as_ref().map(SessionCookie::name)
    }

    /// The name of the session header, `None` without sessions or without the header.
    #[must_use]
    pub fn session_header(&self) -> Option<&str> {
        let carriers = &self.inner.sessions.as_ref()?.carriers;
        carriers.header.as_ref().map(HeaderName::as_str)
    }

    /// The headers that the schemes read and that pages of other origins may set only with the
    /// consent of a preflight (CORS): what `Access-Control-Allow-Headers` has to name, beside
    /// `content-type` and what the application reads itself. Sorted, each once.
    ///
    /// Cookies are no such headers: browsers send them where `Access-Control-Allow-Credentials`
    /// says so, and the session cookie of a page of another origin is refused unless
    /// [`AuthConfig::allow_origin`](super::AuthConfig::allow_origin) names it.
    #[must_use]
    pub fn cors_headers(&self) -> Vec<HeaderName> {
        let inner = &self.inner;
        let mut headers = Vec::new();
        for user in &inner.users {
            for scheme in &user.schemes {
                match scheme {
                    SchemeKind::Session => {
                        let carriers = inner.sessions.as_ref().map(|sessions| &sessions.carriers);
                        headers.extend(carriers.and_then(|carriers| carriers.header.clone()));
                    }
                    SchemeKind::Bearer | SchemeKind::Basic => headers.push(AUTHORIZATION),
                    SchemeKind::ApiKey => {
                        let keys = inner.api_keys.as_ref();
                        headers.extend(keys.map(|keys| keys.header.clone()));
                        let bearer = keys.and_then(|keys| keys.bearer.as_ref());
                        headers.extend(bearer.map(|_| AUTHORIZATION));
                    }
                    SchemeKind::Signature => {
                        let signatures = inner.signatures.as_ref();
                        headers.extend(signatures.into_iter().flat_map(SignatureScheme::headers));
                    }
                    SchemeKind::Custom(name) => {
                        let own = inner.custom.iter().filter(|own| own.name == *name);
                        headers.extend(own.flat_map(CustomScheme::headers).cloned());
                    }
                }
            }
        }
        headers.retain(|name| name != COOKIE);
        headers.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        headers.dedup();
        headers
    }

    /// Whether a login may be refused because the user has too many sessions.
    #[must_use]
    pub fn refuses_sessions(&self) -> bool {
        self.inner.sessions.as_ref().is_some_and(SessionService::refuses_logins)
    }

    /// The name of the header for API keys, `None` without them.
    #[must_use]
    pub fn api_key_header(&self) -> Option<&str> {
        self.inner.api_keys.as_ref().map(|keys| keys.header.as_str())
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

    /// The public keys of the tokens as a JWK set, `None` without tokens. Shared secrets are left out.
    ///
    /// # Errors
    ///
    /// - the library does not give a key away: [`Error::Crypto`]
    #[must_use]
    pub fn public_jwks(&self) -> Option<Result<String, Error>> {
        self.inner.bearer.as_ref()?.jwt.as_ref().map(|jwt| jwt.public_jwks())
    }

    /// Where documents say that name and password are exchanged for a token, `None` if they do not:
    /// [`AuthConfig::document_password_flow`](super::AuthConfig::document_password_flow).
    #[must_use]
    pub fn password_flow(&self) -> Option<&str> {
        self.inner.password_flow.as_deref()
    }

    /// The store of refresh tokens, for revocation and purges; `None` without one.
    #[must_use]
    pub fn token_store(&self) -> Option<&Arc<dyn TokenStore>> {
        self.inner.refresh.as_ref().map(|tokens| &tokens.store)
    }

    /// The deny list, for purges; `None` without one.
    #[must_use]
    pub fn deny_list(&self) -> Option<&Arc<dyn DenyList>> {
        self.inner.bearer.as_ref()?.denied.as_ref()
    }

    /// Whether a token can be ended before it expires, in whole or in part.
    pub(crate) fn ends_tokens(&self) -> bool {
        self.deny_list().is_some() || self.inner.refresh.is_some()
    }

    /// The challenges of the schemes that have one (RFC 9110, 11.6.1), in the order in which the
    /// types of users declare them: those that count in the operation, or all.
    fn challenges(
        &self,
        policy: Option<&Policy>,
        rejection: &Rejection,
    ) -> impl Iterator<Item = HeaderValue> {
        let inner = &self.inner;
        let only = policy.map_or(&[][..], |policy| policy.schemes);
        let mut schemes: Vec<SchemeKind> = Vec::new();
        let users = inner.users.iter().filter(|_| inner.challenges);
        // Where the operation names no user, as a login does, whoever may log in is meant.
        let named = |user: &&UserEntry| {
            policy.is_none_or(|policy| {
                let mut types = policy.user_types().peekable();
                types.peek().is_none() || types.any(|named| (named.id)() == user.id)
            })
        };
        for &scheme in users.filter(named).flat_map(|user| &user.schemes) {
            let counts = only.is_empty() || only.contains(&scheme.name());
            if counts && !schemes.contains(&scheme) {
                schemes.push(scheme);
            }
        }
        // A 403 asks for more than there was, not for another way.
        let says_scope = matches!(rejection, Rejection::InsufficientScope(_));
        schemes.retain(|scheme| !says_scope || *scheme == SchemeKind::Bearer);
        schemes.into_iter().filter_map(move |scheme| match scheme {
            SchemeKind::Session => None,
            SchemeKind::Bearer => inner.bearer.as_ref()?.challenge(rejection),
            SchemeKind::Basic => inner.basic.challenge(),
            SchemeKind::ApiKey => inner.api_keys.as_ref()?.challenge(),
            SchemeKind::Signature => inner.signatures.as_ref()?.challenge(),
            SchemeKind::Custom(name) => {
                let own = inner.custom.iter().find(|scheme| scheme.name == name);
                own?.challenge(&inner.basic.realm)
            }
        })
    }

    pub(crate) fn user_service<U: AuthUser>(&self) -> Result<UserService<'_, U>, Error> {
        self.inner
            .users
            .iter()
            .find(|user| user.id == TypeId::of::<U>())
            .and_then(|user| user.service(&self.inner))
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
