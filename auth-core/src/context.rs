//! One request: authenticated when somebody asks, committed once.

use std::{
    any::{Any, TypeId},
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderValue, header::USER_AGENT};

use crate::{
    access_keys::AccessKeyRecord,
    clock::to_the_millisecond,
    config::{Authenticator, UserService},
    credentials::PasswordCheck,
    error::{Error, Failure},
    guard::{PathName, Policy, Principal},
    http::{
        Client, KeptHead, RequestHead, cross_site::is_cross_site, forwarded::client_ip, truncated,
    },
    jwt::RefreshTokens,
    rejection::Rejection,
    scheme::{
        ApiKeyScheme, BearerScheme, Identification, Identity, Outcome, SIGNATURE, SchemeKind,
        SignatureScheme,
    },
    session::{
        SessionService, SessionState, TokenHeaders, Way, live::LiveSession, schema::SessionSchema,
    },
    user::AuthUser,
};

/// How much of a `User-Agent` is kept.
const USER_AGENT_BYTES: usize = 255;

/// What the framework knows of one request.
///
/// An adapter makes one per request, hands it to guard and handles, and calls
/// [`commit`](Self::commit) when the operation is done, whether or not it failed.
#[derive(Debug)]
pub struct Context {
    auth: Authenticator,
    pub(crate) session: SessionState,
    outcomes: Mutex<Outcomes>,
    client: OnceLock<Box<Client>>,
    path: OnceLock<&'static [PathName]>,
    signed: OnceLock<Box<SignedRequest>>,
}

/// What a signature is verified against, and whose it was.
struct SignedRequest {
    body: Bytes,
    by: OnceLock<Arc<AccessKeyRecord>>,
}

impl fmt::Debug for SignedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedRequest").field("by", &self.by).finish_non_exhaustive()
    }
}

/// One outcome per type of user. Hardly an operation takes two, so the first has its place here.
#[derive(Debug, Default)]
struct Outcomes {
    first: Option<(TypeId, Erased)>,
    others: Vec<(TypeId, Erased)>,
}

/// The outcome for a type of user that is hidden.
type Erased = Outcome<dyn Any + Send + Sync>;

impl Outcomes {
    fn get(&self, id: TypeId) -> Option<&Erased> {
        let mut all = self.first.iter().chain(&self.others);
        all.find(|(other, _)| *other == id).map(|(_, outcome)| outcome)
    }

    fn any(&self, is_it: impl Fn(&Erased) -> bool) -> bool {
        self.first.iter().chain(&self.others).any(|(_, outcome)| is_it(outcome))
    }

    fn set(&mut self, id: TypeId, outcome: Erased) {
        let Some(first) = &mut self.first else {
            self.first = Some((id, outcome));
            return;
        };
        let mut all = std::iter::once(first).chain(&mut self.others);
        match all.find(|(other, _)| *other == id) {
            Some((_, old)) => *old = outcome,
            None => self.others.push((id, outcome)),
        }
    }
}

impl Context {
    /// The context of a new request.
    #[must_use]
    #[inline]
    pub fn new(auth: Authenticator) -> Self {
        Self {
            auth,
            session: SessionState::default(),
            outcomes: Mutex::default(),
            client: OnceLock::new(),
            path: OnceLock::new(),
            signed: OnceLock::new(),
        }
    }

    /// The configuration.
    #[must_use]
    pub fn auth(&self) -> &Authenticator {
        &self.auth
    }

    /// Who the request's user of this type is. The credentials are looked at once per request and
    /// type, however often this is called.
    ///
    /// # Errors
    ///
    /// - an explicit credential that does not hold, two that disagree, a cookie from another site:
    ///   [`Failure::Rejected`]
    /// - a store that cannot answer: [`Failure::Fault`], never "nobody"
    pub async fn authenticate<U: AuthUser>(
        &self,
        head: &RequestHead<'_>,
    ) -> Result<Outcome<U>, Failure> {
        let mut identification = Identification::default();
        match self.authenticate_now(&mut identification, head)? {
            Some(outcome) => Ok(outcome),
            None => self.finish_authentication(identification, head).await,
        }
    }

    /// The first part of [`authenticate`](Self::authenticate), which does not wait. `None` means
    /// that [`finish_authentication`](Self::finish_authentication) has to.
    pub(crate) fn authenticate_now<U: AuthUser>(
        &self,
        identification: &mut Identification,
        head: &RequestHead<'_>,
    ) -> Result<Option<Outcome<U>>, Failure> {
        if let Some(outcome) = self.known::<U>()
            && identification.accepts(&outcome)
        {
            return Ok(Some(outcome));
        }
        let outcome = identification.now::<U>(self, head)?;
        if let Some(outcome) = &outcome {
            self.remember(outcome.clone());
        }
        Ok(outcome)
    }

    /// The second part of [`authenticate`](Self::authenticate).
    pub(crate) async fn finish_authentication<U: AuthUser>(
        &self,
        identification: Identification,
        head: &RequestHead<'_>,
    ) -> Result<Outcome<U>, Failure> {
        let outcome = identification.finish::<U>(self, head).await?;
        self.remember(outcome.clone());
        Ok(outcome)
    }

    /// How much of the request's body an adapter has to read at most, and hand to
    /// [`note_body`](Self::note_body), before anybody can be authenticated for this operation.
    /// `None` where the body says nothing about that, or was noted already; a larger one is refused
    /// with 413.
    #[must_use]
    pub fn wants_body(&self, policy: &Policy, head: &RequestHead<'_>) -> Option<usize> {
        let scheme = self.auth.inner.signatures.as_ref()?;
        if self.signed.get().is_some() || !scheme.is_presented(head) {
            return None;
        }
        let counts = policy.schemes.is_empty() || policy.schemes.contains(&SIGNATURE);
        let is_tried =
            |user: &Principal| self.auth.schemes((user.user.id)()).contains(&SchemeKind::Signature);
        let wants = counts && self.auth.principals(policy).any(is_tried);
        wants.then_some(scheme.settings.max_body)
    }

    /// Notes the whole body of a request that [`wants_body`](Self::wants_body) asked for.
    pub fn note_body(&self, body: Bytes) {
        // A second one would be another request's.
        let _ = self.signed.set(Box::new(SignedRequest { body, by: OnceLock::new() }));
    }

    /// The body, if it was noted.
    pub(crate) fn body(&self) -> Option<&[u8]> {
        self.signed.get().map(|signed| &*signed.body)
    }

    /// The key that has signed the request, if that was found out already.
    pub(crate) fn signed_by(&self) -> Option<Arc<AccessKeyRecord>> {
        self.signed.get()?.by.get().cloned()
    }

    /// Notes the key that has signed the request.
    pub(crate) fn note_signed_by(&self, key: Arc<AccessKeyRecord>) -> Arc<AccessKeyRecord> {
        match self.signed.get() {
            Some(signed) => signed.by.get_or_init(|| key).clone(),
            None => key,
        }
    }

    /// What [`authenticate`](Self::authenticate) found, if it was asked.
    #[must_use]
    pub fn known<U: AuthUser>(&self) -> Option<Outcome<U>> {
        let outcome = self.outcomes().get(TypeId::of::<U>())?.clone();
        Some(match outcome {
            Outcome::Nobody { stale } => Outcome::Nobody { stale },
            Outcome::Known(Identity { user, scheme, login_at, scopes }) => {
                let user = user.downcast::<U>().ok()?;
                Outcome::Known(Identity { user, scheme, login_at, scopes })
            }
        })
    }

    /// The user whom [`authenticate`](Self::authenticate) found, if it was asked; `Some(None)` is
    /// nobody.
    #[must_use]
    pub fn known_user<U: AuthUser>(&self) -> Option<Option<Arc<U>>> {
        match self.outcomes().get(TypeId::of::<U>())? {
            Outcome::Nobody { .. } => Some(None),
            Outcome::Known(identity) => identity.user.clone().downcast::<U>().ok().map(Some),
        }
    }

    pub(crate) fn remember<U: AuthUser>(&self, outcome: Outcome<U>) {
        let outcome: Erased = match outcome {
            Outcome::Nobody { stale } => Outcome::Nobody { stale },
            Outcome::Known(Identity { user, scheme, login_at, scopes }) => {
                Outcome::Known(Identity { user, scheme, login_at, scopes })
            }
        };
        self.outcomes().set(TypeId::of::<U>(), outcome);
    }

    fn outcomes(&self) -> MutexGuard<'_, Outcomes> {
        // Every section under this lock only moves values; a panic in one leaves nothing half done.
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session's data of one kind, for an operation that declares it.
    ///
    /// # Errors
    ///
    /// - a page of another site sends an unsafe request, with the cookie or without:
    ///   [`Rejection::CrossSite`]
    /// - the session header is there and names no session: [`Rejection::InvalidSession`]
    /// - the store cannot answer, or the data cannot be read: [`Failure::Fault`]
    pub async fn open_session<T: SessionSchema>(
        self: &Arc<Self>,
        head: &RequestHead<'_>,
    ) -> Result<LiveSession<T>, Failure> {
        self.note_client(head);
        let service = self.sessions()?;
        self.session.presented_key(service, head.headers);
        self.refuse_other_sites(service)?;
        let stored = self.session.presented_session(service, head.headers).await?;
        if stored.is_none() && self.session.way() == Some(Way::Header) {
            return Err(Rejection::InvalidSession.into());
        }
        Ok(LiveSession::open(self.clone())?)
    }

    /// Refuses a page of another site where a session cookie is read or could be set. What the
    /// request presents was read already.
    ///
    /// Also without the cookie, which `SameSite` keeps out of such requests: a session that the
    /// answer started would take the place of the visitor's own. Not with a session header, which
    /// no browser sends by itself, and which is answered without a cookie.
    pub(crate) fn refuse_other_sites(&self, service: &SessionService) -> Result<(), Failure> {
        let by_cookie =
            service.carriers.cookie.is_some() && self.session.way() != Some(Way::Header);
        if by_cookie && self.client()?.cross_site {
            return Err(Rejection::CrossSite.into());
        }
        Ok(())
    }

    /// Notes how the operation's path parameters are called.
    pub(crate) fn note_path(&self, path: &'static [PathName]) {
        // A request has one operation; a second one inside of it, as no adapter makes them, would
        // have the first one's names.
        let _ = self.path.set(path);
    }

    /// What the route calls the path parameter that the operation's path calls so.
    #[must_use]
    pub fn route_name<'n>(&self, name: &'n str) -> &'n str {
        let path = self.path.get().copied().unwrap_or_default();
        path.iter().find(|(written, _)| *written == name).map_or(name, |(_, route)| *route)
    }

    /// Notes what a new session would record of the client.
    pub(crate) fn note_client(&self, head: &RequestHead<'_>) -> &Client {
        self.client.get_or_init(|| {
            Box::new(Client {
                ip: client_ip(head, &self.auth.inner.trusted_proxies),
                user_agent: head
                    .headers
                    .get(USER_AGENT)
                    .map(|agent| String::from_utf8_lossy(agent.as_bytes()))
                    .map(|agent| truncated(&agent, USER_AGENT_BYTES).to_owned()),
                cross_site: is_cross_site(head, &self.auth.inner.allowed_origins),
                head: self.fills_columns().then(|| Box::new(KeptHead::of(head))),
            })
        })
    }

    fn fills_columns(&self) -> bool {
        self.auth.inner.sessions.as_ref().is_some_and(|service| service.fill.is_some())
    }

    /// What [`note_client`](Self::note_client) noted.
    pub(crate) fn client(&self) -> Result<&Client, Error> {
        self.client
            .get()
            .map(|client| &**client)
            .ok_or_else(|| Error::Misconfigured("a handle was made without its request".into()))
    }

    /// Ends the session in the store, now, and forgets who was logged in by it.
    pub(crate) async fn flush_session(&self) -> Result<(), Error> {
        let service = self.sessions()?;
        let stored = self.session.forget();
        self.forget_outcomes();
        if let Some(key) = stored {
            service.store.delete(&key, service.now()).await?;
            self.session.work().ended.retain(|ended| *ended != key);
        }
        Ok(())
    }

    /// Forgets who the users are.
    pub(crate) fn forget_outcomes(&self) {
        *self.outcomes() = Outcomes::default();
    }

    /// Writes what the request changed. `failed` says whether the operation did.
    ///
    /// Returns what the answer has to tell the client of its session.
    ///
    /// # Errors
    ///
    /// - a change could not be stored: [`Error`]. The answer must then be a failure, whatever the
    ///   operation said: it promised something that is not so.
    pub async fn commit(&self, failed: bool) -> Result<TokenHeaders, Error> {
        let Some(service) = &self.auth.inner.sessions else {
            return Ok(TokenHeaders::default());
        };
        if self.session.is_untouched(service) {
            return Ok(TokenHeaders::default());
        }
        let nobody = Client { ip: None, user_agent: None, cross_site: false, head: None };
        let client = self.client.get().map_or(&nobody, |client| &**client);
        // Few requests get here, and this is large.
        Box::pin(self.session.commit(service, client, failed)).await
    }

    /// What `Vary` has to name: the headers of the request on which the answer depends, so that
    /// caches tell clients apart. `None` if nobody has looked at the session.
    #[must_use]
    pub fn vary(&self) -> Option<&HeaderValue> {
        let service = self.auth.inner.sessions.as_ref()?;
        self.session.was_asked().then(|| service.carriers.vary())
    }

    /// Whether the answer is for one user only, so that no cache may keep it. If it is not, nobody
    /// has asked for a user or a session, and there is nothing to commit either.
    #[must_use]
    pub fn is_personal(&self) -> bool {
        self.outcomes().first.is_some() || self.session.was_asked()
    }

    /// The time now, to the millisecond, as stores keep it: what is compared with a stored time
    /// must not be finer than that.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        to_the_millisecond(self.auth.inner.clock.now())
    }

    pub(crate) fn allowed_origins(&self) -> &[String] {
        &self.auth.inner.allowed_origins
    }

    pub(crate) fn sessions(&self) -> Result<&SessionService, Error> {
        self.auth.inner.sessions.as_ref().ok_or_else(|| {
            Error::Misconfigured(
                "sessions are used, but AuthConfig::sessions was not called".into(),
            )
        })
    }

    pub(crate) fn bearer(&self) -> Result<&BearerScheme, Error> {
        self.auth.inner.bearer.as_ref().ok_or_else(|| {
            Error::Misconfigured("tokens are used, but AuthConfig::jwt was not called".into())
        })
    }

    /// The claims of the request's bearer token, if its user was found by it; a JSON object.
    ///
    /// # Errors
    ///
    /// - the keys of its issuer cannot be had: [`Error`]
    pub async fn token_claims(&self, head: &RequestHead<'_>) -> Result<Option<String>, Error> {
        let by_token = self.outcomes().any(|outcome| {
            matches!(outcome, Outcome::Known(identity) if identity.scheme == SchemeKind::Bearer)
        });
        match &self.auth.inner.bearer {
            Some(bearer) if by_token => bearer.claims(head, self.now()).await,
            _ => Ok(None),
        }
    }

    pub(crate) fn refresh_tokens(&self) -> Result<&RefreshTokens, Error> {
        self.auth.inner.refresh.as_ref().ok_or_else(|| {
            Error::Misconfigured(
                "refresh tokens are used, but AuthConfig::refresh_tokens was not called".into(),
            )
        })
    }

    pub(crate) fn api_keys(&self) -> Result<&ApiKeyScheme, Error> {
        self.auth.inner.api_keys.as_ref().ok_or_else(|| {
            Error::Misconfigured(
                "API keys are used, but AuthConfig::api_keys was not called".into(),
            )
        })
    }

    pub(crate) fn signatures(&self) -> Result<&SignatureScheme, Error> {
        self.auth.inner.signatures.as_ref().ok_or_else(|| {
            Error::Misconfigured(
                "access keys are used, but AuthConfig::signatures was not called".into(),
            )
        })
    }

    pub(crate) fn user_service<U: AuthUser>(&self) -> Result<UserService<'_, U>, Error> {
        self.auth.user_service::<U>()
    }

    pub(crate) fn password_check<U: AuthUser>(&self) -> Result<PasswordCheck<'_, U>, Error> {
        let inner = &self.auth.inner;
        Ok(PasswordCheck {
            store: self.user_service::<U>()?.store,
            hasher: &inner.hasher,
            attempts: &inner.attempts,
            clock: &*inner.clock,
        })
    }
}
