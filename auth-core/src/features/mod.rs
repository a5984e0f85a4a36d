//! The flows of an account, one per file, all on the handle [`AuthHandle`].

use std::{fmt, marker::PhantomData, net::IpAddr, sync::Arc};

use crate::{
    context::Context,
    http::RequestHead,
    jwt::AccessToken,
    scheme::{Identity, Outcome},
    user::AuthUser,
};

mod access_keys;
mod api_keys;
mod change_password;
mod login;
mod logout;
#[cfg(feature = "oidc")]
mod oidc;
mod refresh;
mod sessions;
mod verify;

pub use access_keys::{AccessKeyInfo, CreateAccessKey, IssuedAccessKey};
pub use api_keys::{ApiKeyInfo, CreateApiKey, IssuedApiKey};
pub use login::{IssuedSession, LoggedIn, Login, LoginUser};
#[cfg(feature = "oidc")]
pub(crate) use oidc::OidcParts;
#[cfg(feature = "oidc")]
pub use oidc::{Account, Callback, ExternalAccounts, Finished, Oidc};
pub use refresh::RefreshInfo;
pub use sessions::SessionInfo;

/// What a request can do with its user: log in, log out, change the password.
///
/// An operation gets one as a parameter; its methods stand beside the flows that they start.
pub struct AuthHandle<U: AuthUser> {
    context: Arc<Context>,
    /// The bearer token that the request presents, whether or not it holds. Logout ends it.
    presented: Option<AccessToken>,
    user: PhantomData<fn() -> U>,
}

impl<U: AuthUser> AuthHandle<U> {
    /// The handle of a request.
    #[must_use]
    pub fn new(context: Arc<Context>, head: &RequestHead<'_>) -> Self {
        // A session that this handle starts records the client, and logout needs the cookie.
        context.note_client(head);
        if let Some(service) = &context.auth().inner.sessions {
            context.session.presented_key(service, head.headers);
        }
        let presented = match &context.auth().inner.bearer {
            Some(bearer) if context.auth().ends_tokens() || U::META.token.is_some() => {
                bearer.presented(head)
            }
            _ => None,
        };
        Self { context, presented, user: PhantomData }
    }

    /// The client's address, with trusted proxies taken into account: for logs, and for limits of
    /// the application's own.
    #[must_use]
    pub fn client_ip(&self) -> Option<IpAddr> {
        // Noted when the handle was made.
        self.context.client().ok().and_then(|client| client.ip)
    }

    /// Who the user is, if the operation asked for one or somebody has logged in since.
    #[must_use]
    pub fn identity(&self) -> Option<Identity<U>> {
        match self.context.known::<U>()? {
            Outcome::Known(identity) => Some(identity),
            Outcome::Nobody { .. } => None,
        }
    }
}

impl<U: AuthUser> fmt::Debug for AuthHandle<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthHandle<{}>", U::META.name)
    }
}
