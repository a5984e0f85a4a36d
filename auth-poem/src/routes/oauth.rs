//! The operations, in the words of RFC 6749 and RFC 7009.

use auth_core::{error::Failure, rejection::Rejection};
use poem::Request;
use poem_openapi::{
    ApiResponse, Object,
    payload::{Form, Json},
};
use serde::Deserialize;

use super::{Granted, TokenRoutes};
use crate::{Error, Result, auth_api, extract::context_of};

/// What a client asks of the token endpoint.
#[derive(Deserialize, Object)]
#[oai(rename = "TokenRequest")]
struct TokenForm {
    /// `password` or `refresh_token`.
    grant_type: Option<String>,
    /// With `password`: the login name.
    username: Option<String>,
    /// With `password`: the password.
    password: Option<String>,
    /// With `refresh_token`: the token.
    refresh_token: Option<String>,
}

/// Which token a client ends.
#[derive(Deserialize, Object)]
#[oai(rename = "RevocationRequest")]
struct RevokeForm {
    /// A refresh token or an access token.
    token: Option<String>,
    /// Not looked at: the token itself says what it is.
    token_type_hint: Option<String>,
}

/// New tokens (RFC 6749 section 5.1).
#[derive(Debug, Object)]
pub struct TokenResponse {
    /// The token that goes into `Authorization`.
    access_token: String,
    /// What stands in front of it there.
    token_type: String,
    /// How long it lives, in seconds.
    expires_in: i64,
    /// The token for the next ones, where there are any.
    #[oai(skip_serializing_if_is_none)]
    refresh_token: Option<String>,
}

/// Why there are none (RFC 6749 section 5.2).
#[derive(Debug, Object)]
pub struct OAuthError {
    /// The code.
    error: String,
    /// What a person reads.
    error_description: String,
}

const NO_STORE: &str = "no-store";
const NO_CACHE: &str = "no-cache";

/// What the token endpoint answers.
#[derive(Debug, ApiResponse)]
#[oai(bad_request_handler = "TokenAnswer::malformed")]
pub enum TokenAnswer {
    /// New tokens.
    #[oai(status = 200)]
    Issued(
        Json<TokenResponse>,
        /// `no-store`
        #[oai(header = "Cache-Control")]
        String,
        /// `no-cache`
        #[oai(header = "Pragma")]
        String,
    ),
    /// The grant is not good, or the request is not one.
    #[oai(status = 400)]
    Refused(
        Json<OAuthError>,
        /// `no-store`
        #[oai(header = "Cache-Control")]
        String,
        /// When to try again with a newer refresh token, in seconds.
        #[oai(header = "Retry-After")]
        Option<u64>,
    ),
    /// Too many failed attempts for this name.
    #[oai(status = 429)]
    TooMany(
        Json<OAuthError>,
        /// `no-store`
        #[oai(header = "Cache-Control")]
        String,
        /// When to try again, in seconds.
        #[oai(header = "Retry-After")]
        u64,
    ),
}

/// What the revocation endpoint answers.
#[derive(Debug, ApiResponse)]
#[oai(bad_request_handler = "RevokeAnswer::malformed")]
pub enum RevokeAnswer {
    /// The token holds no longer, or never did.
    #[oai(status = 200)]
    Revoked(
        /// `no-store`
        #[oai(header = "Cache-Control")]
        String,
    ),
    /// The token cannot be ended, or the request is none.
    #[oai(status = 400)]
    Refused(
        Json<OAuthError>,
        /// `no-store`
        #[oai(header = "Cache-Control")]
        String,
    ),
}

#[auth_api]
impl TokenRoutes {
    /// Issues an access token, for name and password or for a refresh token.
    #[public]
    #[oai(path = "/oauth/token", method = "post")]
    async fn token(&self, request: &Request, form: Form<TokenForm>) -> Result<TokenAnswer> {
        let form = form.0;
        let granted = match form.grant_type.as_deref().filter(|grant| !grant.is_empty()) {
            Some("password") => {
                let (Some(name), Some(password)) = (given(&form.username), given(&form.password))
                else {
                    return Ok(TokenAnswer::invalid("`username` or `password` is missing."));
                };
                self.flow.password(request, name, password).await
            }
            Some("refresh_token") if context_of(request)?.auth().token_store().is_some() => {
                let Some(token) = given(&form.refresh_token) else {
                    return Ok(TokenAnswer::invalid("`refresh_token` is missing."));
                };
                self.flow.refresh(request, token).await
            }
            Some(_) => {
                let description = "This kind of grant is not supported.";
                return Ok(TokenAnswer::refused("unsupported_grant_type", description));
            }
            None => return Ok(TokenAnswer::invalid("`grant_type` is missing.")),
        };
        let prefix = context_of(request)?.auth().token_prefix().unwrap_or("Bearer").to_owned();
        match granted {
            Ok(Some(granted)) => Ok(TokenAnswer::issued(granted, prefix)),
            Ok(None) => {
                Ok(TokenAnswer::refused("invalid_grant", &Rejection::WrongCredentials.detail()))
            }
            Err(error) => TokenAnswer::of(error),
        }
    }

    /// Ends a token.
    #[public]
    #[oai(path = "/oauth/revoke", method = "post")]
    async fn revoke(&self, request: &Request, form: Form<RevokeForm>) -> Result<RevokeAnswer> {
        let Some(token) = given(&form.0.token) else {
            return Ok(RevokeAnswer::refused("invalid_request", "`token` is missing."));
        };
        match self.flow.revoke(request, token).await? {
            true => Ok(RevokeAnswer::Revoked(NO_STORE.into())),
            false => {
                let description = "This token cannot be ended before it expires.";
                Ok(RevokeAnswer::refused("unsupported_token_type", description))
            }
        }
    }
}

/// A parameter without a value counts as left out (RFC 6749 section 3.2).
fn given(value: &Option<String>) -> Option<&str> {
    value.as_deref().filter(|value| !value.is_empty())
}

fn problem(error: &str, description: &str) -> Json<OAuthError> {
    Json(OAuthError { error: error.into(), error_description: description.into() })
}

impl TokenAnswer {
    fn issued(granted: Granted, token_type: String) -> Self {
        let Granted { access, refresh } = granted;
        let response = TokenResponse {
            access_token: access.token.expose().to_owned(),
            token_type,
            expires_in: access.expires_in.num_seconds(),
            refresh_token: refresh.map(|token| token.expose()),
        };
        Self::Issued(Json(response), NO_STORE.into(), NO_CACHE.into())
    }

    fn refused(error: &str, description: &str) -> Self {
        Self::Refused(problem(error, description), NO_STORE.into(), None)
    }

    fn invalid(description: &str) -> Self {
        Self::refused("invalid_request", description)
    }

    /// A refusal in the words of the RFC; a fault stays one.
    fn of(error: Error) -> Result<Self> {
        let Failure::Rejected(rejection) = error.failure() else { return Err(error) };
        let retry_after = rejection.retry_after().map(|span| span.as_secs().max(1));
        let detail = rejection.detail();
        Ok(match (rejection, retry_after) {
            (Rejection::TooManyAttempts { .. }, Some(after)) => {
                Self::TooMany(problem("slow_down", &detail), NO_STORE.into(), after)
            }
            (_, after) => Self::Refused(problem("invalid_grant", &detail), NO_STORE.into(), after),
        })
    }

    fn malformed(_: poem::Error) -> Self {
        Self::invalid("The body is no form, or has a parameter twice.")
    }
}

impl RevokeAnswer {
    fn refused(error: &str, description: &str) -> Self {
        Self::Refused(problem(error, description), NO_STORE.into())
    }

    fn malformed(_: poem::Error) -> Self {
        Self::refused("invalid_request", "The body is no form, or has a parameter twice.")
    }
}
