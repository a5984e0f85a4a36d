//! A JWT in the `Authorization` header as a credential.

use http::HeaderValue;

use super::{Claim, Found, SchemeKind};
use crate::{
    context::Context,
    http::{
        RequestHead,
        authorization::{Authorization, challenge},
    },
    jwt::{Jwt, Verified},
    rejection::Rejection,
    scopes::Scopes,
    user::AuthUser,
};

/// The bearer scheme as it is configured.
#[derive(Debug)]
pub(crate) struct BearerScheme {
    /// Issues and verifies the tokens.
    pub(crate) jwt: Jwt,
    /// What the header begins with: `Bearer` unless an API has another tradition.
    pub(crate) prefix: String,
    /// What challenges name.
    pub(crate) realm: String,
}

impl BearerScheme {
    /// What `WWW-Authenticate` says of it.
    pub(crate) fn challenge(&self, rejection: &Rejection) -> Option<HeaderValue> {
        // RFC 6750, 3.1: the error is told only to those who presented a token.
        let error = match rejection {
            Rejection::InvalidToken => ", error=\"invalid_token\"",
            Rejection::MalformedCredentials => ", error=\"invalid_request\"",
            _ => "",
        };
        challenge(&self.prefix, &self.realm, error)
    }

    /// Whom the token names.
    pub(super) fn find<U: AuthUser>(&self, head: &RequestHead<'_>, context: &Context) -> Found {
        let token = match Authorization::of(head.headers) {
            Authorization::Absent => return Found::Absent,
            Authorization::Malformed => return Found::Invalid(Rejection::MalformedCredentials),
            Authorization::Scheme { name, credentials } => {
                // A scheme that nobody handles says nothing to us.
                if !name.eq_ignore_ascii_case(&self.prefix) {
                    return Found::Absent;
                }
                credentials
            }
        };
        let claims = match self.jwt.verify(token, context.now()) {
            Verified::Valid(claims) => claims,
            Verified::Invalid(reason) => {
                tracing::debug!(reason, "a bearer token was refused");
                return Found::Invalid(Rejection::InvalidToken);
            }
            Verified::WrongAudience => return Found::Invalid(Rejection::WrongAudience),
        };
        // A token for another type of user says nothing about this one.
        if !claims.user().is_of::<U>() {
            return Found::Absent;
        }
        Found::Claim(Claim {
            user: claims.user().clone(),
            stamp: Some(claims.stamp()),
            login_at: claims.auth_time(),
            scheme: SchemeKind::Bearer,
            ambient: false,
            scopes: Scopes::All,
        })
    }
}
