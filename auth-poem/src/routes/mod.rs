//! Ready-made routes: the token endpoint, its revocation, the public keys; with the feature `oidc`,
//! logins through providers.

use std::{fmt, marker::PhantomData, sync::Arc};

use async_trait::async_trait;
use auth_core::{
    features::{AuthHandle, LoggedIn},
    jwt::IssuedToken,
    secret::RefreshToken,
    user::AuthUser,
};
use poem::Request;

use crate::{
    error::Result,
    extract::{context_of, head_of},
};

mod jwks;
mod oauth;
#[cfg(feature = "oidc")]
mod oidc;

pub use jwks::JwksEndpoint;
pub use oauth::{OAuthError, RevokeAnswer, TokenAnswer, TokenResponse};
#[cfg(feature = "oidc")]
pub use oidc::OidcApi;

/// The token endpoint (RFC 6749) and its revocation (RFC 7009), made by
/// [`auth.token_routes::<User>()`](crate::AuthenticatorExt::token_routes).
///
/// | operation | form | answers |
/// |---|---|---|
/// | `POST /oauth/token` | `grant_type=password`, `username`, `password` | `access_token`, `token_type`, `expires_in`, `refresh_token` |
/// | | `grant_type=refresh_token`, `refresh_token` | the same |
/// | `POST /oauth/revoke` | `token` | 200, also for one that does not hold |
///
/// Refusals are those of RFC 6749 section 5.2: 400 with `{"error", "error_description"}`. Wrong
/// credentials and a refresh token that does not hold are `invalid_grant`; one that was exchanged a
/// moment ago is that too, with `Retry-After`, and its successor holds. Too many attempts are 429, a
/// store that is down 503. There is no client authentication: clients are public, `client_id` is not
/// looked at.
///
/// It is an API like any other: `auth.openapi((UserApi, auth.token_routes::<User>()), "Shop", "1.0")`.
/// With [`AuthConfig::document_password_flow`](auth_core::config::AuthConfig::document_password_flow)
/// Swagger UI logs in there with name and password.
#[derive(Clone)]
pub struct TokenRoutes {
    flow: Arc<dyn Flow>,
}

impl TokenRoutes {
    pub(crate) fn of<U: AuthUser>() -> Self {
        Self { flow: Arc::new(Of::<U>(PhantomData)) }
    }
}

impl fmt::Debug for TokenRoutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenRoutes")
    }
}

/// What a grant gives.
struct Granted {
    access: IssuedToken,
    refresh: Option<RefreshToken>,
}

impl Granted {
    fn of<U>(login: LoggedIn<U>) -> Option<Self> {
        Some(Self { access: login.token?, refresh: login.refresh_token })
    }
}

/// The flows of one type of user, with the type hidden: operations of an API are not generic.
#[async_trait]
trait Flow: Send + Sync {
    /// `None` for a wrong name or password.
    async fn password(
        &self,
        request: &Request,
        name: &str,
        password: &str,
    ) -> Result<Option<Granted>>;

    async fn refresh(&self, request: &Request, token: &str) -> Result<Option<Granted>>;

    /// `false` for a token that holds and cannot be ended.
    async fn revoke(&self, request: &Request, token: &str) -> Result<bool>;
}

struct Of<U>(PhantomData<fn() -> U>);

fn handle<U: AuthUser>(request: &Request) -> Result<AuthHandle<U>> {
    Ok(AuthHandle::new(context_of(request)?.clone(), &head_of(request)))
}

#[async_trait]
impl<U: AuthUser> Flow for Of<U> {
    async fn password(
        &self,
        request: &Request,
        name: &str,
        password: &str,
    ) -> Result<Option<Granted>> {
        let login = handle::<U>(request)?.login(name, password).token_only().await?;
        Ok(login.and_then(Granted::of))
    }

    async fn refresh(&self, request: &Request, token: &str) -> Result<Option<Granted>> {
        Ok(Granted::of(handle::<U>(request)?.refresh(token).await?))
    }

    async fn revoke(&self, request: &Request, token: &str) -> Result<bool> {
        Ok(handle::<U>(request)?.revoke_token(token).await?)
    }
}
