//! Writing tokens.

use std::{borrow::Cow, fmt};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    Jwt, base64url,
    claims::{Audience, MAX_SECONDS, Seconds, Wire},
    key::JwtKey,
    refused,
    verify::MAX_TOKEN,
};
use crate::{
    error::Error,
    secret::{SecurityStamp, random},
    user::UserKey,
};

/// An access token in its compact form. `Debug` shows nothing of it, and it is wiped from memory
/// when dropped.
pub struct AccessToken(Zeroizing<String>);

impl AccessToken {
    pub(crate) fn new(token: &str) -> Self {
        Self(Zeroizing::new(token.to_owned()))
    }

    /// The text that a client sends after `Bearer`.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

/// A new token, and what its owner is told of it.
#[derive(Debug)]
pub struct IssuedToken {
    /// The token.
    pub token: AccessToken,
    /// How long it lives: the `expires_in` of RFC 6749.
    pub expires_in: TimeDelta,
    /// Its name.
    pub jti: String,
}

/// What a token is to say.
#[derive(Debug)]
pub(crate) struct Issue<'a> {
    pub(crate) user: &'a UserKey,
    pub(crate) stamp: SecurityStamp,
    /// When the user proved who he is.
    pub(crate) auth_time: DateTime<Utc>,
    /// As long as the configuration says, if nothing else is said.
    pub(crate) lifetime: Option<TimeDelta>,
    /// The handle of the login's refresh tokens.
    pub(crate) family: Option<Uuid>,
    /// What [`own_claims`](super::own_claims) made of the application's own claims.
    pub(crate) claims: Option<&'a str>,
}

impl Jwt {
    /// Issues a token for a user who proved at `auth_time` who he is.
    ///
    /// It lives as long as `lifetime` says, else as the configuration does.
    ///
    /// # Errors
    ///
    /// - the ring only verifies, the lifetime is below one second or ends after the year 9999, the
    ///   user key names no type of user: [`Error::Misconfigured`]
    /// - the key does not sign, or the system has no random numbers to give: [`Error::Crypto`]
    pub fn issue(
        &self,
        user: &UserKey,
        stamp: SecurityStamp,
        auth_time: DateTime<Utc>,
        lifetime: Option<TimeDelta>,
        now: DateTime<Utc>,
    ) -> Result<IssuedToken, Error> {
        let issue = Issue { user, stamp, auth_time, lifetime, family: None, claims: None };
        self.issue_as(&issue, now)
    }

    /// Issues a token that says this.
    pub(crate) fn issue_as(
        &self,
        issue: &Issue<'_>,
        now: DateTime<Utc>,
    ) -> Result<IssuedToken, Error> {
        let &Issue { user, stamp, auth_time, lifetime, family, claims: own } = issue;
        let verify_only = || refused("the token keys only verify");
        let header = self.header.as_deref().ok_or_else(verify_only)?;
        let key = self.keys.signing_key().ok_or_else(verify_only)?;
        let (realm, sub) = match user.as_str().split_once(':') {
            Some((realm, sub)) if !realm.is_empty() && !sub.is_empty() => (realm, sub),
            _ => return Err(refused(format_args!("{user:?} does not name a user"))),
        };
        let iat = now.timestamp();
        let expires_in = lifetime.unwrap_or(self.lifetime).num_seconds();
        let exp = iat.saturating_add(expires_in);
        if expires_in < 1 || iat < 0 || exp > MAX_SECONDS {
            return Err(refused("a token lives at least one second, and not beyond the year 9999"));
        }
        // 128 bits: the name of a token cannot be guessed or met twice (OWASP ASVS 11.5.1).
        let jti = base64url(&random::<16>()?);
        let claims = Wire {
            iss: Cow::Borrowed(&self.issuer),
            sub: Cow::Borrowed(sub),
            aud: Audience::One(Cow::Borrowed(&self.audience)),
            exp: Seconds(exp),
            nbf: Seconds(iat),
            iat: Seconds(iat),
            jti: Cow::Borrowed(&jti),
            realm: Cow::Borrowed(realm),
            stamp: Cow::Owned(base64url(stamp.as_bytes())),
            auth_time: Seconds(auth_time.timestamp().max(0)),
            sid: family,
        };
        let mut claims = to_json(&claims)?;
        if let Some(own) = own.and_then(|own| own.strip_prefix('{')).filter(|own| *own != "}") {
            // Both are objects, and no name is in both.
            claims.pop();
            claims.push(b',');
            claims.extend_from_slice(own.as_bytes());
        }
        let claims = base64url(&claims);
        let message = [header, ".", &claims].concat();
        let signature = base64url(&key.sign(message.as_bytes()).ok_or_else(verify_only)??);
        let token = AccessToken(Zeroizing::new([&message, ".", &signature].concat()));
        if token.0.len() > MAX_TOKEN {
            return Err(refused("the application's own claims make the token too long"));
        }
        Ok(IssuedToken { token, expires_in: TimeDelta::seconds(expires_in), jti })
    }
}

/// The header of the tokens that a key signs, encoded.
pub(super) fn header(key: &JwtKey) -> Result<Box<str>, Error> {
    #[derive(Serialize)]
    struct Header<'a> {
        alg: &'a str,
        typ: &'a str,
        kid: &'a str,
    }
    let header = Header { alg: key.algorithm().name(), typ: "at+jwt", kid: key.kid() };
    Ok(base64url(&to_json(&header)?).into())
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| refused(format_args!("no JSON: {error}")))
}
