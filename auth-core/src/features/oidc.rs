//! Logging in through a provider of identities (feature `oidc`).
//!
//! - Needs: sessions by cookie, providers, an [`IdentityStore`](crate::identities::IdentityStore),
//!   and the application's answer to "whose account is this": [`ExternalAccounts`].
//! - Refuses: see the table in [`oidc`](crate::oidc).
//!
//! An identity that belongs to a user logs that user in, whatever else the provider says of him. For
//! one that belongs to nobody the application is asked, once. A user who is logged in adds an
//! identity by [`Oidc::link_url`], never by logging in.

use std::{collections::BTreeMap, fmt, sync::Arc};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{AuthHandle, LoggedIn};
use crate::{
    error::{Error, Failure},
    identities::{ExternalId, IdentityStore, LinkedIdentity},
    oidc::{
        Client, ExternalUser, Secrets, account_refused, fault, identity_taken, invalid_identity,
        invalid_login_state, invalid_return_path, login_denied,
    },
    rejection::Rejection,
    secret::sha256,
    session::{live::LiveSession, schema::SessionSchema},
    user::{AuthUser, UserKey},
};

/// How long somebody may take at the provider (OWASP ASVS 10.4.3 gives a code no longer).
const PATIENCE: TimeDelta = TimeDelta::minutes(10);
/// How many logins one browser may have under way, in as many windows.
const AT_ONCE: usize = 8;
/// The longest return path.
const MAX_PATH: usize = 2048;

/// Whose account an identity opens that nobody has yet: the application's answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum Account<U> {
    /// One that was made just now for this person.
    New(U),
    /// An existing one whose address the application has verified, and which the provider tells too.
    ///
    /// The identity is linked to it only if the provider says that it has verified the same address,
    /// and is [trusted](crate::oidc::Provider::trust_verified_email) in that; else the login is
    /// refused with `account_refused`, and the person has to log in here first and
    /// [link](Oidc::link_url) the identity.
    SameAddress {
        /// The account.
        user: U,
        /// Its address, which the application has verified.
        verified_email: String,
    },
    /// None: `account_refused`.
    Refused,
}

/// What the application says of people who come from providers.
///
/// # Security
///
/// There is no way to say "whoever has this address": an address is not who somebody is. An account
/// that was found by address goes through [`Account::SameAddress`], and the framework compares.
///
/// # Examples
///
/// ```
/// use async_trait::async_trait;
/// use auth_core::{
///     error::Failure, features::{Account, ExternalAccounts}, oidc::ExternalUser,
/// };
/// # use auth_core::user::{AuthUser, NoRole, RoleSource, UserMeta};
/// # #[derive(Clone)] struct User { id: i64, name: String }
/// # impl AuthUser for User {
/// #     type Id = i64;
/// #     type Role = NoRole;
/// #     const META: &'static UserMeta = &UserMeta {
/// #         name: "User", path: "User", table: "users", columns: &["id", "name"], id: "id", login: &[],
/// #         password: None, login_time: None, login_ip: None, token: None, epoch: None, active: None,
/// #         roles: RoleSource::Column, schemes: &["session"],
/// #     };
/// #     fn id(&self) -> &i64 { &self.id }
/// #     fn login_name(&self, _: usize) -> Option<&str> { None }
/// # }
///
/// /// Makes an account for everybody who comes.
/// struct Signup;
///
/// #[async_trait]
/// impl ExternalAccounts<User> for Signup {
///     async fn account(&self, person: &ExternalUser) -> Result<Account<User>, Failure> {
///         let name = person.name.clone().unwrap_or_default();
///         // … which a real one inserts into its database.
///         Ok(Account::New(User { id: 1, name }))
///     }
/// }
/// ```
#[async_trait]
pub trait ExternalAccounts<U: AuthUser>: Send + Sync + 'static {
    /// The account of somebody whose identity belongs to nobody yet. It is linked afterwards.
    ///
    /// # Errors
    ///
    /// - the application refuses in its own words, or cannot answer
    async fn account(&self, person: &ExternalUser) -> Result<Account<U>, Failure>;

    /// Told of every login and every link, before it is done: the place to keep the provider's
    /// tokens, or to take over a name. Default: nothing.
    ///
    /// # Errors
    ///
    /// - the application refuses, or cannot answer; the login is not done then
    async fn logged_in(&self, user: &U, person: &ExternalUser) -> Result<(), Failure> {
        let _ = (user, person);
        Ok(())
    }
}

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

/// The logins that a browser has under way, and where it logged in last.
#[derive(Default, Serialize, Deserialize)]
struct OidcSession {
    /// By the digest of their state.
    logins: BTreeMap<String, Pending>,
    /// The provider of the last login.
    provider: Option<String>,
}

impl SessionSchema for OidcSession {
    const NAME: &'static str = "auth.oidc";
}

/// A login that is under way.
#[derive(Clone, Serialize, Deserialize)]
struct Pending {
    provider: String,
    nonce: String,
    verifier: String,
    return_to: String,
    /// In seconds.
    began: i64,
    /// The user who adds an identity.
    link: Option<String>,
}

/// How a state stands in the session.
fn digest(state: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(state.as_bytes()))
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
        session
            .update(|session| {
                session.logins.retain(|_, pending| !pending.is_over(now));
                while session.logins.len() >= AT_ONCE {
                    let oldest = session.logins.iter().min_by_key(|(_, pending)| pending.began);
                    let Some(oldest) = oldest.map(|(state, _)| state.clone()) else { break };
                    session.logins.remove(&oldest);
                }
                session.logins.insert(state.clone(), pending.clone());
            })
            .await?;
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

    async fn link(
        &self,
        auth: &AuthHandle<U>,
        user: &UserKey,
        person: &ExternalUser,
    ) -> Result<(), Failure> {
        let identity = auth.identity().filter(|identity| UserKey::of(&*identity.user) == *user);
        let identity = identity.ok_or_else(invalid_login_state)?;
        let (id, user) = (&person.id, &*identity.user);
        match self.inner.identities.owner(id).await? {
            Some(owner) if owner != *user.id() => return Err(identity_taken().into()),
            _ => self.inner.accounts.logged_in(user, person).await?,
        }
        if !self.inner.identities.link(id, user.id(), auth.context.now()).await? {
            return Err(identity_taken().into());
        }
        let provider = &*person.provider;
        tracing::info!(users = U::META.table, id = %user.id(), provider, "an identity was linked");
        Ok(())
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

    /// The user to whom an identity belongs.
    async fn owner(
        &self,
        auth: &AuthHandle<U>,
        id: &ExternalId,
    ) -> Result<Option<Arc<U>>, Failure> {
        let Some(owner) = self.inner.identities.owner(id).await? else { return Ok(None) };
        let user = auth.context.user_service::<U>()?.store.by_id(&owner).await?;
        if user.is_none() {
            // He was deleted, and the link was left behind.
            self.inner.identities.unlink(id, &owner).await?;
        }
        Ok(user)
    }

    /// The account that the application has for somebody new, now linked.
    async fn account(
        &self,
        auth: &AuthHandle<U>,
        client: &Client,
        person: &ExternalUser,
    ) -> Result<Arc<U>, Failure> {
        let user = match self.inner.accounts.account(person).await? {
            Account::New(user) => user,
            Account::SameAddress { user, verified_email } => {
                let told = person.email.as_deref().filter(|_| person.email_verified);
                let same = told.is_some_and(|told| told.eq_ignore_ascii_case(&verified_email));
                if !(client.verified_email && same) {
                    tracing::warn!(
                        provider = &*person.provider,
                        users = U::META.table,
                        id = %user.id(),
                        "an identity was not linked by its address"
                    );
                    return Err(account_refused().into());
                }
                user
            }
            Account::Refused => return Err(account_refused().into()),
        };
        if !user.is_active() {
            return Err(account_refused().into());
        }
        if self.inner.identities.link(&person.id, user.id(), auth.context.now()).await? {
            return Ok(Arc::new(user));
        }
        // Another window was faster. Whose the identity is, the store says.
        Ok(self.owner(auth, &person.id).await?.ok_or_else(account_refused)?)
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

    /// The identities of the request's user.
    ///
    /// # Errors
    ///
    /// - the operation has no user: [`Rejection::MissingCredentials`]
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn identities(&self, auth: &AuthHandle<U>) -> Result<Vec<LinkedIdentity>, Failure> {
        let identity = auth.identity().ok_or(Rejection::MissingCredentials)?;
        Ok(self.inner.identities.of(identity.user.id()).await?)
    }

    /// Takes an identity from the request's user, and says whether it was his. Whether he can still
    /// log in afterwards is for the application to see to.
    ///
    /// # Errors
    ///
    /// - the operation has no user: [`Rejection::MissingCredentials`]
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn unlink(&self, auth: &AuthHandle<U>, id: &ExternalId) -> Result<bool, Failure> {
        let identity = auth.identity().ok_or(Rejection::MissingCredentials)?;
        Ok(self.inner.identities.unlink(id, identity.user.id()).await?)
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

impl Pending {
    fn is_over(&self, now: DateTime<Utc>) -> bool {
        now.timestamp() - self.began >= PATIENCE.num_seconds()
    }
}

/// Whether this is a path of this site, to which a browser can be sent.
///
/// Browsers read `//host` and `/\host` as addresses of other sites, and drop tabs and line ends.
fn is_own_path(path: &str) -> bool {
    path.len() <= MAX_PATH
        && path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
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

#[cfg(test)]
mod tests {
    use super::is_own_path;

    #[test]
    fn only_paths_of_this_site_are_gone_back_to() {
        for path in ["/", "/a", "/a/b?c=d#e", "/a//b", "/%5C%5Cevil.example"] {
            assert!(is_own_path(path), "{path}");
        }
        let long = format!("/{}", "a".repeat(2048));
        for path in [
            "",
            "a",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\t/evil.example",
            "/a\r\nSet-Cookie: x",
            "/ä",
            "\\\\evil.example",
            "javascript:alert(1)",
            "/a b",
            &long,
        ] {
            assert!(!is_own_path(path), "{path:?}");
        }
    }
}
