//! A JWT in the `Authorization` header as a credential.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::HeaderValue;

use super::{Claim, Found, SchemeKind};
use crate::{
    context::Context,
    error::Error,
    http::{
        RequestHead,
        authorization::{Authorization, challenge},
    },
    jwt::{AccessToken, Foreign, Jwt, Remembered, TrustedIssuer, Verified, claimed_issuer},
    rejection::Rejection,
    scopes::{Scopes, is_scope},
    secret::TokenId,
    store::DenyList,
    user::{AuthUser, UserKey},
};

/// The bearer scheme as it is configured.
#[derive(Debug)]
pub(crate) struct BearerScheme {
    /// Issues and verifies the tokens, unless all are of other issuers.
    pub(crate) jwt: Option<Jwt>,
    /// The other issuers.
    pub(crate) trusted: Vec<TrustedIssuer>,
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

    /// The service that issues and verifies tokens of our own.
    ///
    /// # Errors
    ///
    /// - there are tokens of other issuers only: [`Error::Misconfigured`]
    pub(crate) fn own(&self) -> Result<&Jwt, Error> {
        self.jwt.as_ref().ok_or_else(|| {
            Error::Misconfigured("tokens are issued, but AuthConfig::jwt was not called".into())
        })
    }

    /// Whom the token names, and the user himself where the token says all of him; `None` if keys or
    /// the deny list have to be waited for.
    ///
    /// # Errors
    ///
    /// - the deny list cannot answer: [`Error`]
    pub(super) fn find_now<U: AuthUser>(
        &self,
        head: &RequestHead<'_>,
        context: &Context,
    ) -> Result<Option<FoundBy<U>>, Error> {
        let now = context.now();
        let held = match self.choose::<U>(head) {
            Err(found) => Err(found),
            Ok((token, Issuer::Own(jwt))) => own::<U>(jwt, token, now, context),
            Ok((token, Issuer::Trusted(issuer, known))) => {
                match issuer.verify_now(token, known, now) {
                    Some(foreign) => self.foreign::<U>(issuer, foreign, context)?,
                    None => return Ok(None),
                }
            }
        };
        let (claim, id, user) = match held {
            Ok(held) => held,
            Err(found) => return Ok(Some((found, None))),
        };
        let denied = match (&self.denied, &id) {
            (Some(list), Some(id)) => match list.is_denied_now(id, now) {
                Some(denied) => denied?,
                None => return Ok(None),
            },
            _ => false,
        };
        Ok(Some(found(claim, denied, user)))
    }

    /// Whom the token names, and the user himself where the token says all of him.
    ///
    /// # Errors
    ///
    /// - the deny list cannot answer, or the keys cannot be had: [`Error`]
    pub(super) async fn find<U: AuthUser>(
        &self,
        head: &RequestHead<'_>,
        context: &Context,
    ) -> Result<FoundBy<U>, Error> {
        let now = context.now();
        let held = match self.choose::<U>(head) {
            Err(found) => Err(found),
            Ok((token, Issuer::Own(jwt))) => own::<U>(jwt, token, now, context),
            Ok((token, Issuer::Trusted(issuer, known))) => {
                let foreign = issuer.verify(token, known, now).await?;
                self.foreign::<U>(issuer, foreign, context)?
            }
        };
        let (claim, id, user) = match held {
            Ok(held) => held,
            Err(found) => return Ok((found, None)),
        };
        let denied = match (&self.denied, &id) {
            (Some(list), Some(id)) => list.is_denied(id, now).await?,
            _ => false,
        };
        Ok(found(claim, denied, user))
    }

    /// The claims of a presented token that holds, whoever has issued it, as JSON. `None` without
    /// one.
    ///
    /// # Errors
    ///
    /// - the keys cannot be had: [`Error`]
    pub(crate) async fn claims(
        &self,
        head: &RequestHead<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<String>, Error> {
        let Ok(Some(token)) = self.read(head) else { return Ok(None) };
        match self.issuer(token) {
            Some((issuer, known)) => match issuer.verify(token, known, now).await? {
                Foreign::Valid(claims) => Ok(Some(claims.json.as_ref().to_owned())),
                Foreign::Invalid(_) | Foreign::WrongAudience => Ok(None),
            },
            None => Ok(self.jwt.as_ref().and_then(|jwt| jwt.claims(token, now))),
        }
    }

    /// Who is to verify the token.
    fn choose<'h, U: AuthUser>(
        &self,
        head: &RequestHead<'h>,
    ) -> Result<(&'h str, Issuer<'_>), Found> {
        let token = self.read(head).map_err(Found::Invalid)?.ok_or(Found::Absent)?;
        match (self.issuer(token), &self.jwt) {
            // A token for another kind of user says nothing about this one; whether it holds is found
            // out where such a user is asked for.
            (Some(_), _) if !U::FROM_CLAIMS => Err(Found::Absent),
            (Some((issuer, known)), _) => Ok((token, Issuer::Trusted(issuer, known))),
            (None, Some(jwt)) => Ok((token, Issuer::Own(jwt))),
            (None, None) => {
                tracing::debug!("a bearer token of an unknown issuer was refused");
                Err(Found::Invalid(Rejection::InvalidToken))
            }
        }
    }

    /// The issuer that the token names, if it is one of the trusted ones, and what it remembers of the
    /// token.
    fn issuer(&self, token: &str) -> Option<(&TrustedIssuer, Option<Remembered>)> {
        if self.trusted.is_empty() {
            return None;
        }
        // Most tokens were seen before: then whoever remembers this one spares the look into it.
        if self.jwt.as_ref().is_some_and(|jwt| jwt.remembers(token)) {
            return None;
        }
        let mut trusted = self.trusted.iter();
        trusted.find_map(|issuer| Some((issuer, Some(issuer.remembered(token)?)))).or_else(|| {
            let named = claimed_issuer(token)?;
            let issuer = self.trusted.iter().find(|issuer| issuer.issuer() == named)?;
            Some((issuer, None))
        })
    }

    /// The user whom a token of another issuer describes.
    fn foreign<U: AuthUser>(
        &self,
        issuer: &TrustedIssuer,
        foreign: Foreign,
        context: &Context,
    ) -> Result<Held<U>, Error> {
        let claims = match foreign {
            Foreign::Valid(claims) => claims,
            Foreign::Invalid(reason) => {
                tracing::debug!(reason, issuer = issuer.issuer(), "a bearer token was refused");
                return Ok(Err(Found::Invalid(Rejection::InvalidToken)));
            }
            Foreign::WrongAudience => return Ok(Err(Found::Invalid(Rejection::WrongAudience))),
        };
        let store = context.user_service::<U>()?.store;
        let user =
            match claims.user::<U, _>(|json| store.by_claims(json).ok_or(None)?.map_err(Some)) {
                Ok(user) => user,
                Err(Some(error)) => {
                    tracing::debug!(%error, issuer = issuer.issuer(), "claims that make no user");
                    return Ok(Err(Found::Invalid(Rejection::InvalidToken)));
                }
                Err(None) => {
                    let name = U::META.name;
                    return Err(Error::Misconfigured(format!(
                        "{name} is made of claims; write `.user::<{name}>(ClaimsUsers::new())`"
                    )));
                }
            };
        let claim = Claim {
            user: UserKey::of(&*user),
            stamp: None,
            token: None,
            // Without the time of the login, none is recent.
            login_at: claims.auth_time().unwrap_or(DateTime::UNIX_EPOCH),
            scheme: SchemeKind::Bearer,
            ambient: false,
            scopes: Scopes::All,
        };
        Ok(Ok((claim, claims.id, Some(user))))
    }
}

/// What a token came to, and the user himself where it says all of him.
pub(super) type FoundBy<U> = (Found, Option<Arc<U>>);

/// Who verifies a token.
enum Issuer<'a> {
    Own(&'a Jwt),
    Trusted(&'a TrustedIssuer, Option<Remembered>),
}

/// A token that holds: whom it names, its own name, and the user if it says all of him.
type Held<U> = Result<(Claim, Option<TokenId>, Option<Arc<U>>), Found>;

fn own<U: AuthUser>(jwt: &Jwt, token: &str, now: DateTime<Utc>, context: &Context) -> Held<U> {
    let claims = match jwt.verify(token, now) {
        // A token for another type of user says nothing about this one.
        Verified::Valid(claims) if U::FROM_CLAIMS || !claims.user().is_of::<U>() => {
            return Err(Found::Absent);
        }
        Verified::Valid(claims) => claims,
        Verified::Invalid(reason) => {
            tracing::debug!(reason, "a bearer token was refused");
            return Err(Found::Invalid(Rejection::InvalidToken));
        }
        Verified::WrongAudience => return Err(Found::Invalid(Rejection::WrongAudience)),
    };
    // A digest, which costs something and is kept with the claims: only where somebody asks.
    let is_asked = U::META.token.is_some() || context.auth().deny_list().is_some();
    let id = is_asked.then(|| jwt.token_id(&claims));
    let claim = Claim {
        user: claims.user().clone(),
        stamp: Some(claims.stamp()),
        token: id.filter(|_| U::META.token.is_some()),
        login_at: claims.auth_time(),
        scheme: SchemeKind::Bearer,
        ambient: false,
        scopes: Scopes::All,
    };
    Ok((claim, id, None))
}

fn found<U>(claim: Claim, denied: bool, user: Option<Arc<U>>) -> FoundBy<U> {
    if denied {
        tracing::debug!("a bearer token was ended before its time");
        return (Found::Invalid(Rejection::InvalidToken), None);
    }
    (Found::Claim(claim), user)
}
