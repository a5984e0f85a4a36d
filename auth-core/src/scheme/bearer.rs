//! A JWT in the `Authorization` header as a credential.

use std::sync::Arc;

use http::HeaderValue;

use super::{Claim, Found, SchemeKind};
use crate::{
    context::Context,
    error::Error,
    http::{
        RequestHead,
        authorization::{Authorization, challenge},
    },
    jwt::{AccessClaims, AccessToken, Jwt, Verified},
    rejection::Rejection,
    scopes::{Scopes, is_scope},
    store::DenyList,
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
    /// The tokens that were ended before their time.
    pub(crate) denied: Option<Arc<dyn DenyList>>,
}

impl BearerScheme {
    /// What `WWW-Authenticate` says of it.
    pub(crate) fn challenge(&self, rejection: &Rejection) -> Option<HeaderValue> {
        // RFC 6750, 3.1: the error is told only to those who presented a token.
        let error = match rejection {
            Rejection::InvalidToken => ", error=\"invalid_token\"",
            Rejection::MalformedCredentials => ", error=\"invalid_request\"",
            Rejection::InsufficientScope(requirement) => {
                let scopes: Vec<String> =
                    requirement.scopes().filter(|scope| is_scope(scope)).collect();
                let scope = scopes.join(" ");
                let error = format!(", error=\"insufficient_scope\", scope=\"{scope}\"");
                return challenge(&self.prefix, &self.realm, &error);
            }
            _ => "",
        };
        challenge(&self.prefix, &self.realm, error)
    }

    /// The token that a request presents, whether or not it holds.
    pub(crate) fn presented(&self, head: &RequestHead<'_>) -> Option<AccessToken> {
        match self.read(head) {
            Ok(Some(token)) => Some(AccessToken::new(token)),
            Ok(None) | Err(_) => None,
        }
    }

    fn read<'h>(&self, head: &RequestHead<'h>) -> Result<Option<&'h str>, Rejection> {
        match Authorization::of(head.headers) {
            Authorization::Absent => Ok(None),
            Authorization::Malformed => Err(Rejection::MalformedCredentials),
            // A scheme that nobody handles says nothing to us.
            Authorization::Scheme { name, credentials } => {
                Ok(name.eq_ignore_ascii_case(&self.prefix).then_some(credentials))
            }
        }
    }

    /// Whom the token names; `None` if the deny list has to be waited for.
    ///
    /// # Errors
    ///
    /// - the deny list cannot answer: [`Error`]
    pub(super) fn find_now<U: AuthUser>(
        &self,
        head: &RequestHead<'_>,
        context: &Context,
    ) -> Result<Option<Found>, Error> {
        let claims = match self.verify::<U>(head, context) {
            Ok(claims) => claims,
            Err(found) => return Ok(Some(found)),
        };
        let denied = match &self.denied {
            Some(list) => match list.is_denied_now(&self.jwt.token_id(&claims), context.now()) {
                Some(denied) => denied?,
                None => return Ok(None),
            },
            None => false,
        };
        Ok(Some(found(&claims, denied)))
    }

    /// Whom the token names.
    ///
    /// # Errors
    ///
    /// - the deny list cannot answer: [`Error`]
    pub(super) async fn find<U: AuthUser>(
        &self,
        head: &RequestHead<'_>,
        context: &Context,
    ) -> Result<Found, Error> {
        let claims = match self.verify::<U>(head, context) {
            Ok(claims) => claims,
            Err(found) => return Ok(found),
        };
        let denied = match &self.denied {
            Some(list) => list.is_denied(&self.jwt.token_id(&claims), context.now()).await?,
            None => false,
        };
        Ok(found(&claims, denied))
    }

    /// The claims of a token that holds and is of this type of user; else what was found.
    fn verify<U: AuthUser>(
        &self,
        head: &RequestHead<'_>,
        context: &Context,
    ) -> Result<Arc<AccessClaims>, Found> {
        let token = self.read(head).map_err(Found::Invalid)?.ok_or(Found::Absent)?;
        match self.jwt.verify(token, context.now()) {
            // A token for another type of user says nothing about this one.
            Verified::Valid(claims) if !claims.user().is_of::<U>() => Err(Found::Absent),
            Verified::Valid(claims) => Ok(claims),
            Verified::Invalid(reason) => {
                tracing::debug!(reason, "a bearer token was refused");
                Err(Found::Invalid(Rejection::InvalidToken))
            }
            Verified::WrongAudience => Err(Found::Invalid(Rejection::WrongAudience)),
        }
    }
}

fn found(claims: &AccessClaims, denied: bool) -> Found {
    if denied {
        tracing::debug!("a bearer token was ended before its time");
        return Found::Invalid(Rejection::InvalidToken);
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
