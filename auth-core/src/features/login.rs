//! Logging in: with name and password, or a user who has proved himself in another way.
//!
//! - Needs: `#[auth(login)]`, `#[auth(password)]` for [`AuthHandle::login`]; nothing for
//!   [`AuthHandle::login_user`]. Writes `#[auth(login_time)]` and `#[auth(login_ip)]`.
//! - Refuses: `too_many_attempts`, `cross_site`, and `too_many_sessions` where a limit says so; wrong
//!   credentials are `None`.
//!
//! Every login gives the session a new key, also from one user to another.

use std::{
    fmt,
    future::{Future, IntoFuture},
    ops::Deref,
    pin::Pin,
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::AuthHandle;
use crate::{
    error::{Error, Failure},
    jwt::{Issue, IssuedToken, NewFamily, own_claims},
    rejection::Rejection,
    scheme::{Identity, Outcome, SchemeKind, stamp_of},
    scopes::Scopes,
    secret::{RefreshToken, SessionToken},
    session::{Lifetime, record::SessionLogin},
    user::{AuthUser, UserKey},
};

type LoginFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// What a login starts.
#[derive(Debug, Default)]
struct Start {
    lifetime: Lifetime,
    token_only: bool,
    claims: Option<Result<String, Error>>,
}

/// A user who has just logged in; reads like the user.
#[derive(Debug)]
pub struct LoggedIn<U> {
    /// The user, with the login noted.
    pub user: Arc<U>,
    /// The token, if the login issued one.
    pub token: Option<IssuedToken>,
    /// The session, if the login started one.
    pub session: Option<IssuedSession>,
    /// The refresh token, if the login issued a token and
    /// [`AuthConfig::refresh_tokens`](crate::config::AuthConfig::refresh_tokens) keeps some.
    pub refresh_token: Option<RefreshToken>,
}

/// A session that a login started.
#[derive(Debug)]
#[non_exhaustive]
pub struct IssuedSession {
    /// The name to list it and to end it by; no credential.
    pub handle: Uuid,
    /// The token, where [`AuthConfig::session_header`](crate::config::AuthConfig::session_header)
    /// lets clients keep it themselves; `None` else. The answer has it in that header anyway.
    pub token: Option<SessionToken>,
}

impl<U> Deref for LoggedIn<U> {
    type Target = U;

    fn deref(&self) -> &U {
        &self.user
    }
}

/// A login with name and password that waits for its `.await`.
#[must_use = "nothing happens before `.await`"]
pub struct Login<'a, U: AuthUser> {
    auth: &'a AuthHandle<U>,
    name: &'a str,
    password: &'a str,
    start: Start,
}

/// A login of a known user that waits for its `.await`.
#[derive(Debug)]
#[must_use = "nothing happens before `.await`"]
pub struct LoginUser<'a, U: AuthUser> {
    auth: &'a AuthHandle<U>,
    user: &'a U,
    start: Start,
}

impl<U: AuthUser> fmt::Debug for Login<'_, U> {
    /// Shows neither password nor name: people type passwords into the wrong field.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("start", &self.start).finish_non_exhaustive()
    }
}

/// The options that both kinds of login have.
macro_rules! login_options {
    ($login:ident) => {
        impl<U: AuthUser> $login<'_, U> {
            /// Keeps the user logged in for the "remember me" times, also when the browser closes.
            pub fn remember(mut self) -> Self {
                self.start.lifetime = Lifetime::Remember;
                self
            }

            /// Keeps the user logged in for this long at most, also when the browser closes. For a
            /// session, the "remember me" time is the upper limit.
            pub fn expires_in(mut self, lifetime: TimeDelta) -> Self {
                self.start.lifetime = Lifetime::For(lifetime);
                self
            }

            /// Lets the session end with the browser, whatever the configuration says.
            pub fn browser_session(mut self) -> Self {
                self.start.lifetime = Lifetime::BrowserSession;
                self
            }

            /// Issues a token and starts no session.
            pub fn token_only(mut self) -> Self {
                self.start.token_only = true;
                self
            }

            /// Writes claims of the application's own into the token: any serde type that is an
            /// object, beside the claims that stand in [`crate::jwt`]. Tokens that are refreshed
            /// repeat them.
            ///
            /// Whoever has the token reads them: they are signed and not encrypted. A login that
            /// starts a session, or claims that are called like those of the framework, fail with
            /// [`Error::Misconfigured`].
            pub fn claims(mut self, claims: &impl Serialize) -> Self {
                self.start.claims = Some(own_claims(claims));
                self
            }
        }
    };
}
login_options!(Login);
login_options!(LoginUser);

impl<U: AuthUser> AuthHandle<U> {
    /// Verifies name and password and logs the user in: a session where the type declares that
    /// scheme, else a token. `None` if name or password are wrong.
    ///
    /// # Errors
    ///
    /// - too many failures for this name:
    ///   [`Rejection::TooManyAttempts`]
    /// - a page of another site sends the request:
    ///   [`Rejection::CrossSite`]
    /// - the user has as many sessions as
    ///   [`AuthConfig::session_limit`](crate::config::AuthConfig::session_limit) allows, and that
    ///   refuses logins: [`Rejection::TooManySessions`]; the request's session is as before
    /// - a store cannot answer, or too many passwords are being hashed: [`Failure::Fault`]
    pub fn login<'a>(&'a self, name: &'a str, password: &'a str) -> Login<'a, U> {
        Login { auth: self, name, password, start: Start::default() }
    }

    /// Logs in a user who has proved himself, as after signup.
    ///
    /// # Errors
    ///
    /// - a page of another site sends the request:
    ///   [`Rejection::CrossSite`]
    /// - the user has as many sessions as
    ///   [`AuthConfig::session_limit`](crate::config::AuthConfig::session_limit) allows, and that
    ///   refuses logins: [`Rejection::TooManySessions`]; the request's session is as before
    /// - a store cannot answer: [`Failure::Fault`]
    pub fn login_user<'a>(&'a self, user: &'a U) -> LoginUser<'a, U> {
        LoginUser { auth: self, user, start: Start::default() }
    }
}

impl<'a, U: AuthUser> IntoFuture for Login<'a, U> {
    type Output = Result<Option<LoggedIn<U>>, Failure>;
    type IntoFuture = LoginFuture<'a, Option<LoggedIn<U>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { auth, name, password, start } = self;
            let plan = auth.plan(start)?;
            match auth.verify(name, password).await? {
                Some(user) => auth.begin(&user, plan).await.map(Some),
                None => Ok(None),
            }
        })
    }
}

impl<'a, U: AuthUser> IntoFuture for LoginUser<'a, U> {
    type Output = Result<LoggedIn<U>, Failure>;
    type IntoFuture = LoginFuture<'a, LoggedIn<U>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let plan = self.auth.plan(self.start)?;
            self.auth.begin(self.user, plan).await
        })
    }
}

/// What a login will do, known before any work is done for it.
#[derive(Debug)]
enum Plan {
    Session(Lifetime),
    Token {
        lifetime: Option<TimeDelta>,
        claims: Option<String>,
    },
    /// Neither: the login is noted, and that is all.
    Note,
}

impl<U: AuthUser> AuthHandle<U> {
    fn plan(&self, start: Start) -> Result<Plan, Failure> {
        let schemes = self.context.user_service::<U>()?.schemes;
        let claims = start.claims.transpose()?;
        if U::FROM_CLAIMS {
            let name = U::META.name;
            return Err(Error::Misconfigured(format!(
                "{name} is made of the claims of other issuers, and nobody logs in here as one"
            ))
            .into());
        }
        if !start.token_only && schemes.contains(&SchemeKind::Session) {
            // A page of another site must not log its visitor in as somebody else.
            self.context.refuse_other_sites(self.context.sessions()?)?;
            if claims.is_some() {
                return Err(Error::Misconfigured(
                    "claims go into a token, and this login starts a session; add `.token_only()`"
                        .into(),
                )
                .into());
            }
            return Ok(Plan::Session(start.lifetime));
        }
        if schemes.contains(&SchemeKind::Bearer) {
            let lifetime = match start.lifetime {
                Lifetime::For(lifetime) => Some(lifetime),
                Lifetime::Default | Lifetime::Remember | Lifetime::BrowserSession => None,
            };
            return Ok(Plan::Token { lifetime, claims });
        }
        if start.token_only {
            let name = U::META.name;
            return Err(Error::Misconfigured(format!(
                "a token was asked for, but {name} does not declare schemes(bearer), or \
                 AuthConfig::disable_scheme takes it away"
            ))
            .into());
        }
        Ok(Plan::Note)
    }

    async fn begin(&self, user: &U, plan: Plan) -> Result<LoggedIn<U>, Failure> {
        let now = self.context.now();
        // A fault must not cost anybody the session that he has, so the login is noted before it
        // begins; but where the store may still refuse it, it is none before the store has it.
        let stored_first =
            matches!(plan, Plan::Session(_)) && self.context.sessions()?.refuses_logins();
        let noted = if stored_first { None } else { Some(self.note_login(user, now).await?) };
        let (mut token, mut session, mut refresh_token) = (None, None, None);
        let scheme = match plan {
            Plan::Session(lifetime) => {
                session = Some(self.begin_session(user, lifetime, now).await?);
                SchemeKind::Session
            }
            Plan::Token { lifetime, claims } => {
                let (issued, refresh) = self.issue(user, lifetime, claims, now).await?;
                (token, refresh_token) = (Some(issued), refresh);
                SchemeKind::Bearer
            }
            Plan::Note => {
                let schemes = self.context.user_service::<U>()?.schemes;
                schemes.first().copied().unwrap_or(SchemeKind::Basic)
            }
        };
        let user = match noted {
            Some(user) => user,
            None => match self.note_login(user, now).await {
                Ok(user) => user,
                Err(failure) => {
                    self.take_back().await;
                    return Err(failure);
                }
            },
        };
        let user = match &token {
            Some(issued) => self.note_token(user, issued).await?,
            None => user,
        };
        tracing::info!(users = U::META.table, id = %user.id(), scheme = scheme.name(), "logged in");
        let scopes = Scopes::All;
        let identity = Identity { user: user.clone(), scheme, login_at: now, scopes };
        self.context.remember(Outcome::Known(identity));
        Ok(LoggedIn { user, token, session, refresh_token })
    }

    /// Issues a token, and the first of its refresh tokens where there are any.
    async fn issue(
        &self,
        user: &U,
        lifetime: Option<TimeDelta>,
        claims: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<(IssuedToken, Option<RefreshToken>), Failure> {
        let jwt = self.context.bearer()?.own()?;
        let (key, stamp) = (UserKey::of(user), stamp_of(user));
        let (mut refresh, mut family) = (None, None);
        if let Some(tokens) = &self.context.auth().inner.refresh {
            if U::META.token.is_some() {
                // Else an older one would take the place of this login at its next refresh.
                tokens.store.delete_by_user(&key).await?;
            }
            let client = self.context.client()?;
            let new = NewFamily {
                user: key.clone(),
                stamp,
                token_lifetime: lifetime,
                claims: claims.clone(),
                ip: client.ip,
                user_agent: client.user_agent.clone(),
            };
            let (token, handle) = tokens.begin(new, now).await?;
            (refresh, family) = (Some(token), Some(handle));
        }
        let claims = claims.as_deref();
        let issue = Issue { user: &key, stamp, auth_time: now, lifetime, family, claims };
        Ok((jwt.issue_as(&issue, now)?, refresh))
    }

    /// Begins a session of the user: when the request ends, or now, where the store may refuse it.
    async fn begin_session(
        &self,
        user: &U,
        lifetime: Lifetime,
        now: DateTime<Utc>,
    ) -> Result<IssuedSession, Failure> {
        let (state, service) = (&self.context.session, self.context.sessions()?);
        state.load(service).await?;
        let login = SessionLogin { user: UserKey::of(user), stamp: stamp_of(user), at: now };
        let begun = state.prepare(service, self.context.client()?, login, lifetime)?;
        let token = service.carriers.header.is_some().then(|| begun.token.clone());
        let issued = IssuedSession { handle: begun.record.handle, token };
        if !service.refuses_logins() {
            state.begin(begun);
        } else if !state.begin_stored(service, self.context.client()?, begun).await? {
            tracing::info!(users = U::META.table, id = %user.id(), "refused: too many sessions");
            return Err(Rejection::TooManySessions.into());
        }
        Ok(issued)
    }

    /// Ends the stored session of a login that has failed after all.
    async fn take_back(&self) {
        if let Err(error) = self.context.flush_session().await {
            tracing::error!(%error, "the session of a login that failed stays until it expires");
        }
    }

    /// Writes the login columns, where the type has them.
    async fn note_login(&self, user: &U, now: DateTime<Utc>) -> Result<Arc<U>, Failure> {
        let mut user = user.clone();
        if U::META.login_time.is_some() || U::META.login_ip.is_some() {
            let ip = self.context.client()?.ip;
            self.context.user_service::<U>()?.store.set_login(user.id(), now, ip).await?;
            user.set_login(now, ip);
        }
        Ok(Arc::new(user))
    }
}
