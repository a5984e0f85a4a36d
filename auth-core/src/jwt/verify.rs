//! Reading tokens.

use std::{borrow::Cow, sync::Arc};

use chrono::{DateTime, Utc};
use serde::{Deserialize, de::IgnoredAny};

use super::{
    Jwt,
    cache::{Tag, VerifiedTokens},
    claims::{AccessClaims, Wire},
    key::JwtKey,
    present, unbase64url,
};

/// Longer tokens are not looked at. Ours have 400 to 1200 bytes; servers commonly take 8 KiB of
/// headers in all.
pub(super) const MAX_TOKEN: usize = 8 * 1024;

/// What a presented token is.
#[derive(Debug, Clone)]
pub enum Verified {
    /// Signed by one of the keys, in its time, from this issuer, for this audience.
    Valid(Arc<AccessClaims>),
    /// Not such a token. The reason is for the log of the operator, never for the client.
    Invalid(&'static str),
    /// Valid in all else, but issued for others.
    WrongAudience,
}

enum Refused {
    Invalid(&'static str),
    WrongAudience,
}

impl From<&'static str> for Refused {
    fn from(reason: &'static str) -> Self {
        Self::Invalid(reason)
    }
}

impl Jwt {
    /// Verifies a presented token at this time.
    ///
    /// Needs no store and cannot fail for lack of one: a token is valid, or it is not.
    ///
    /// # Security
    ///
    /// The claims are not parsed before the signature holds. [`Verified::WrongAudience`] comes only
    /// after every other check, so that it tells a stranger nothing.
    #[must_use]
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Verified {
        match self.check(token, now.timestamp()) {
            Ok(claims) => Verified::Valid(claims),
            Err(Refused::Invalid(reason)) => {
                tracing::debug!(reason, "an access token was refused");
                Verified::Invalid(reason)
            }
            Err(Refused::WrongAudience) => {
                tracing::debug!("an access token was issued for another audience");
                Verified::WrongAudience
            }
        }
    }

    /// The claims of a token that holds, as they stand in it.
    pub(crate) fn claims(&self, token: &str, now: DateTime<Utc>) -> Option<String> {
        match self.verify(token, now) {
            Verified::Valid(_) => text(token.split('.').nth(1)?),
            Verified::Invalid(_) | Verified::WrongAudience => None,
        }
    }

    /// Whether the token was verified a moment ago.
    pub(crate) fn remembers(&self, token: &str) -> bool {
        token.len() <= MAX_TOKEN && self.cache.as_ref().is_some_and(|cache| cache.has(token))
    }

    fn check(&self, token: &str, now: i64) -> Result<Arc<AccessClaims>, Refused> {
        if token.len() > MAX_TOKEN {
            return Err("too long".into());
        }
        let remembered = self.cache.as_ref().and_then(|cache| Some((cache, cache.tag(token)?)));
        let Some((cache, tag)) = remembered else {
            return self.check_in_full(token, now).map(Arc::new);
        };
        match cache.get(&tag) {
            Some(claims) => self.check_remembered(claims, now, cache, &tag),
            None => {
                let claims = Arc::new(self.check_in_full(token, now)?);
                cache.insert(tag, claims.clone());
                Ok(claims)
            }
        }
    }

    fn check_remembered(
        &self,
        claims: Arc<AccessClaims>,
        now: i64,
        cache: &VerifiedTokens<Arc<AccessClaims>>,
        tag: &Tag,
    ) -> Result<Arc<AccessClaims>, Refused> {
        match claims.check_time(now, self.leeway) {
            Ok(()) => Ok(claims),
            Err(reason) => {
                cache.remove(tag);
                Err(reason.into())
            }
        }
    }

    fn check_in_full(&self, token: &str, now: i64) -> Result<AccessClaims, Refused> {
        // A dot too many ends up in the claims, where base64url refuses it.
        let (message, signature) = token.rsplit_once('.').ok_or("not three parts")?;
        let (header, claims) = message.split_once('.').ok_or("not three parts")?;

        let key = self.key(header)?;
        let signature = unbase64url(signature).ok_or("the signature is not base64url")?;
        if !key.verify(message.as_bytes(), &signature) {
            return Err("wrong signature".into());
        }

        let json = text(claims).ok_or("the claims are not text")?;
        let wire: Wire<'_> = object(&json).ok_or("the claims are malformed")?;
        if wire.iss != self.issuer {
            return Err("another issuer".into());
        }
        let claims = wire.claims()?;
        claims.check_time(now, self.leeway)?;
        if wire.aud.contains(&self.audience) {
            Ok(claims)
        } else if wire.aud.is_empty() {
            Err("no audience".into())
        } else {
            Err(Refused::WrongAudience)
        }
    }

    /// The key that a header names, if the header is one that this key may sign.
    fn key(&self, encoded: &str) -> Result<&JwtKey, &'static str> {
        // Nearly every token has the very header that this service writes, which needs no reading.
        if let (Some(ours), Some(key)) = (&self.header, self.keys.signing_key())
            && **ours == *encoded
        {
            return Ok(key);
        }
        let json = text(encoded).ok_or("the header is not text")?;
        let header: Header<'_> = object(&json).ok_or("the header is malformed")?;
        if header.crit.is_some() {
            return Err("`crit` asks for what is not understood");
        }
        if !is_access_token(&header.typ) {
            return Err("not an access token");
        }
        let key = self.keys.find(header.kid.as_deref()).ok_or("unknown key")?;
        if header.alg != key.algorithm().name() {
            return Err("not the algorithm of the key");
        }
        Ok(key)
    }
}

/// What is read of a header. The rest of it, `jwk`, `jku`, `x5u`, `x5c`, decides nothing.
#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(borrow)]
    typ: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "present")]
    kid: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "present")]
    crit: Option<IgnoredAny>,
}

/// `at+jwt` or `application/at+jwt`, compared without case (RFC 9068 section 4, RFC 7515 section
/// 4.1.9).
fn is_access_token(typ: &str) -> bool {
    let rest = match typ.split_at_checked("application/".len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") => rest,
        _ => typ,
    };
    rest.eq_ignore_ascii_case("at+jwt")
}

/// Decodes one part. serde_json passes over bytes that are not UTF-8 in members that it ignores,
/// so all of it is checked here.
pub(super) fn text(encoded: &str) -> Option<String> {
    String::from_utf8(unbase64url(encoded)?).ok()
}

/// Parses a JSON object. serde takes a list for a struct as well, by position; a token may not.
pub(super) fn object<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    if !json.trim_start().starts_with('{') {
        return None;
    }
    serde_json::from_str(json).ok()
}
