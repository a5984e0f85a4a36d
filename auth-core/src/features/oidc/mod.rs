//! Logging in through a provider of identities (feature `oidc`).
//!
//! - Needs: sessions by cookie, providers, an [`IdentityStore`](crate::identities::IdentityStore),
//!   and the application's answer to "whose account is this": [`ExternalAccounts`].
//! - Refuses: see the table in [`oidc`](crate::oidc).
//!
//! An identity that belongs to a user logs that user in, whatever else the provider says of him. For
//! one that belongs to nobody the application is asked, once. A user who is logged in adds an
//! identity by [`Oidc::link_url`], never by logging in.

use std::{fmt, sync::Arc};

use self::pending::{OidcSession, Pending, digest, is_own_path};
use super::{AuthHandle, LoggedIn};
use crate::{
    error::{Error, Failure},
    identities::IdentityStore,
    oidc::{
        Client, ExternalUser, Secrets, account_refused, fault, invalid_identity,
        invalid_login_state, invalid_return_path, login_denied,
    },
    rejection::Rejection,
    session::live::LiveSession,
    user::{AuthUser, UserKey},
};

mod accounts;
mod linking;
mod pending;

pub use accounts::{Account, ExternalAccounts};

/// Logs people in through providers. Made by `OidcConfig::build`; clones share everything.
pub struct Oidc<U: AuthUser> {
    inner: Arc<OidcParts<U>>,
}

/// What [`Oidc`] is made of.
pub(crate) struct OidcParts<U: AuthUser> {
    pub(crate) clients: Vec<Client>,
    pub(crate) identities: Arc<dyn IdentityStore<U>>,
    pub(crate) accounts: Arc<dyn ExternalAccounts<U>>,
    /// Where to go after a login that names no other place.
    pub(crate) home: String,
    /// Where the provider sends people after it has logged them out.
    pub(crate) after_logout: String,
}

/// What a provider sends a browser back with.
#[derive(Clone, Copy, Default)]
pub struct Callback<'a> {
    /// The code.
    pub code: Option<&'a str>,
    /// What names the login.
    pub state: Option<&'a str>,
    /// The issuer (RFC 9207), where the provider says it.
    pub iss: Option<&'a str>,
    /// Why there is no code.
    pub error: Option<&'a str>,
}

/// What a login or link at a provider came to.
#[derive(Debug)]
pub struct Finished<U> {
    /// Where to send the browser: a path of this site.
    pub return_to: String,
    /// The login; `None` where a user who was logged in has added an identity.
    pub login: Option<LoggedIn<U>>,
}

impl<U: AuthUser> Oidc<U> {
    pub(crate) fn new(parts: OidcParts<U>) -> Self {
        Self { inner: Arc::new(parts) }
    }

    /// The names of the providers, in the order of their configuration.
    pub fn providers(&self) -> impl Iterator<Item = &str> {
        self.inner.clients.iter().map(|client| &*client.name)
    }

    /// Begins a login: where to send the browser. `return_to` is the path to go to afterwards.
    ///
    /// The browser gets a session, if it has none, and the login belongs to it.
    ///
    /// # Errors
    ///
    /// - there is no such provider, or `return_to` is no path: [`Failure::Rejected`]
    /// - the provider or the session store cannot answer: [`Failure::Fault`]
    pub async fn login_url(
        &self,
        auth: &AuthHandle<U>,
        provider: &str,
        return_to: Option<&str>,
    ) -> Result<String, Failure> {
        self.begin(auth, provider, return_to, None).await
    }

    /// Begins to add an identity to the account of the request's user: where to send the browser.
    ///
    /// # Errors
    ///
    /// - the operation has no user: [`Rejection::MissingCredentials`]
    /// - a page of another site sends the request: [`Rejection::CrossSite`]
    /// - as for [`login_url`](Self::login_url)
    ///
    /// # Security
    ///
    /// Call it in an operation with an unsafe method, as the ready route does: a page of another site
    /// could otherwise add the identity of whoever is logged in at the provider, and have seen to it
    /// before that this is its own.
    pub async fn link_url(
        &self,
        auth: &AuthHandle<U>,
        provider: &str,
        return_to: Option<&str>,
    ) -> Result<String, Failure> {
        let identity = auth.identity().ok_or(Rejection::MissingCredentials)?;
        auth.context.refuse_other_sites(auth.context.sessions()?)?;
        let user = UserKey::of(&*identity.user);
        self.begin(auth, provider, return_to, Some(user.as_str().to_owned())).await
    }

    async fn begin(
        &self,
        auth: &AuthHandle<U>,
        provider: &str,
        return_to: Option<&str>,
        link: Option<String>,
    ) -> Result<String, Failure> {
        let client = self.client(provider)?;
        let return_to = match return_to {
            Some(path) if is_own_path(path) => path.to_owned(),
            Some(_) => return Err(invalid_return_path().into()),
            None => self.inner.home.clone(),
        };
        let (secrets, now) = (Secrets::generate()?, auth.context.now());
        let url = client.authorize_url(&secrets, now).await?;
        let pending = Pending {
            provider: provider.to_owned(),
            nonce: secrets.nonce,
            verifier: secrets.verifier,
            return_to,
            began: now.timestamp(),
            link,
        };
        let state = digest(&secrets.state);
        let mut session = self.session(auth).await?;
        session.update(|session| session.add(state.clone(), pending.clone(), now)).await?;
        Ok(url)
    }

    /// Goes on where the provider has sent the browser back to: verifies, and logs in or links.
    ///
    /// # Errors
    ///
    /// - what came back does not hold, or there is no account for it: [`Failure::Rejected`], with a
    ///   code of the table in [`oidc`](crate::oidc)
    /// - the provider or a store cannot answer: [`Failure::Fault`]
    pub async fn finish(
        &self,
        auth: &AuthHandle<U>,
        provider: &str,
        callback: Callback<'_>,
    ) -> Result<Finished<U>, Failure> {
        let client = self.client(provider)?;
        let pending = self.take(auth, provider, callback.state).await?;
        let now = auth.context.now();
        // Whoever else's answer this is, it is not looked at (RFC 9207, 2.4).
        match callback.iss {
            Some(issuer) if issuer != client.issuer => {
                tracing::warn!(provider, "an answer names another issuer");
                return Err(invalid_identity().into());
            }
            None if client.names_itself(now).await? => {
                tracing::warn!(provider, "an answer does not name its issuer");
                return Err(invalid_identity().into());
            }
            _ => {}
        }
        match callback.error {
            None => {}
            Some(error @ ("server_error" | "temporarily_unavailable")) => {
                return Err(fault(provider, format!("it answers with {error}")).into());
            }
            Some(error) => {
                tracing::info!(provider, ?error, "a provider did not log somebody in");
                return Err(login_denied().into());
            }
        }
        let code = callback.code.ok_or_else(invalid_login_state)?;
        let secrets =
            Secrets { state: String::new(), nonce: pending.nonce, verifier: pending.verifier };
        let person = client.identify(code, &secrets, now).await?;
        let login = match pending.link {
            Some(user) => {
                self.link(auth, &UserKey::from(user), &person).await?;
                None
            }
            None => Some(self.login(auth, client, &person).await?),
        };
        Ok(Finished { return_to: pending.return_to, login })
    }

    /// Takes the login that a state names out of the browser's session. It is good once.
    async fn take(
        &self,
        auth: &AuthHandle<U>,
        provider: &str,
        state: Option<&str>,
    ) -> Result<Pending, Failure> {
        let state = digest(state.ok_or_else(invalid_login_state)?);
        let mut session = self.session(auth).await?;
        // A browser without a session has no login under way, and gets no session for asking.
        if !session.logins.contains_key(&state) {
            return Err(invalid_login_state().into());
        }
        let pending = session.update(|session| session.logins.remove(&state)).await?;
        let fits = |pending: &Pending| {
            pending.provider == provider && !pending.is_over(auth.context.now())
        };
        Ok(pending.filter(fits).ok_or_else(invalid_login_state)?)
    }

    async fn login(
        &self,
        auth: &AuthHandle<U>,
        client: &Client,
        person: &ExternalUser,
    ) -> Result<LoggedIn<U>, Failure> {
        let user = match self.owner(auth, &person.id).await? {
            Some(user) => user,
            None => self.account(auth, client, person).await?,
        };
        if !user.is_active() {
            return Err(account_refused().into());
        }
        self.inner.accounts.logged_in(&user, person).await?;
        let login = auth.login_user(&user).await?;
        self.session(auth).await?.provider = Some(client.name.to_string());
        Ok(login)
    }

    /// Logs out, and says where to send the browser so that the provider logs out too (OpenID
    /// Connect RP-Initiated Logout). `None` if the login came from no provider that offers it.
    ///
    /// # Errors
    ///
    /// - as for [`AuthHandle::logout`]. A provider that does not answer is none: the browser is
    ///   logged out here, and stays logged in there.
    pub async fn logout(&self, auth: &AuthHandle<U>) -> Result<Option<String>, Failure> {
        let provider = self.session(auth).await?.provider.clone();
        auth.logout().await?;
        let client = self.inner.clients.iter().find(|c| provider.as_deref() == Some(&*c.name));
        let Some(client) = client else { return Ok(None) };
        match client.end_session_url(&self.inner.after_logout, auth.context.now()).await {
            Ok(url) => Ok(url),
            Err(error) => {
                tracing::error!(%error, "the provider could not be asked where to log out");
                Ok(None)
            }
        }
    }

    fn client(&self, provider: &str) -> Result<&Client, Rejection> {
        let mut clients = self.inner.clients.iter();
        clients.find(|client| &*client.name == provider).ok_or(Rejection::NotFound)
    }

    /// The browser's part of the session.
    async fn session(&self, auth: &AuthHandle<U>) -> Result<LiveSession<OidcSession>, Error> {
        auth.context.session.load(auth.context.sessions()?).await?;
        LiveSession::open(auth.context.clone())
    }
}

impl<U: AuthUser> Clone for Oidc<U> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<U: AuthUser> fmt::Debug for Oidc<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let providers: Vec<_> = self.providers().collect();
        f.debug_struct("Oidc").field("providers", &providers).finish_non_exhaustive()
    }
}

impl fmt::Debug for Callback<'_> {
    /// Shows neither code nor state.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback")
            .field("iss", &self.iss)
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}
