//! JSON Web Tokens: access tokens that are verified without a store.
//!
//! A token says who the user is ([`UserKey`](crate::user::UserKey)), when he logged in, and the
//! [`SecurityStamp`](crate::secret::SecurityStamp) of that moment. It is signed by the first key of
//! a ring, [`JwtKeys`], for one issuer and one audience, and lives ten minutes.
//!
//! ```
//! use auth_core::{
//!     jwt::{JwtAlgorithm, JwtConfig, JwtKeys, Verified},
//!     secret::SecurityStamp,
//!     user::UserKey,
//! };
//! use chrono::{TimeDelta, Utc};
//!
//! let keys = JwtKeys::generate(JwtAlgorithm::EdDsa)?;
//! let jwt = JwtConfig::new(keys, "https://accounts.example", "https://api.example").build()?;
//!
//! let (now, user) = (Utc::now(), UserKey::from("users:7".to_owned()));
//! let issued = jwt.issue(&user, SecurityStamp::of_epoch(1), now, None, now)?;
//!
//! let Verified::Valid(claims) = jwt.verify(issued.token.expose(), now) else { panic!() };
//! assert_eq!(claims.user(), &user);
//!
//! let later = now + TimeDelta::minutes(11);
//! assert!(matches!(jwt.verify(issued.token.expose(), later), Verified::Invalid(_)));
//! # Ok::<(), auth_core::error::Error>(())
//! ```
//!
//! # The token
//!
//! | header | |
//! |---|---|
//! | `alg` | the one algorithm of the key |
//! | `typ` | `at+jwt` (RFC 9068): no other kind of token passes for an access token |
//! | `kid` | the key |
//!
//! | claim | |
//! |---|---|
//! | `iss` `aud` | issuer and audience; `aud` may be a list |
//! | `sub` `realm` | the user's id, and the type of user that it belongs to |
//! | `iat` `nbf` `exp` | whole seconds |
//! | `jti` | 128 random bits |
//! | `auth_time` | when the user proved who he is (OpenID Connect Core section 2) |
//! | `stamp` | the security stamp of that moment |
//! | `sid` | the handle of the login's refresh tokens, where there are any |
//!
//! Every one is written and every one is checked; a claim that is missing (`sid` may be) or of
//! another type makes the token invalid. A login may add claims of the application's own:
//! [`Login::claims`](crate::features::Login::claims).
//!
//! # Refresh tokens
//!
//! [`AuthConfig::refresh_tokens`](crate::config::AuthConfig::refresh_tokens) has every login that
//! issues a token issue a refresh token too: 384 random bits of which the store sees digests, bound
//! to the user, his security stamp, and a *family*, which is the login. It is exchanged once, for the
//! next one and a new access token; the store replaces it in one atomic step, so of any number of
//! exchanges at once one succeeds, and one branch lives. A used token that comes back was copied by
//! somebody: all of its family end, and an event says so.
//!
//! | | default |
//! |---|---|
//! | a token may lie unused | 14 days |
//! | a family ends, however much it is used | 30 days (OWASP ASVS 10.4.8) |
//! | grace | 10 seconds |
//!
//! A client of several tabs exchanges one token twice without meaning harm. Within the grace after an
//! exchange, the token that was just exchanged is refused with
//! [`RefreshTokenJustUsed`](crate::rejection::Rejection::RefreshTokenJustUsed), and the family lives
//! on: the client looks for the newer token that it already has. It is never exchanged a second time,
//! for that would be a second branch, and the successor itself is not kept in clear: an answer that
//! is lost on its way costs a login. With a grace of zero the second use ends the family at once.
//!
//! The event has the level `WARN`, the target `auth_core::audit`, and the fields `event =
//! "refresh_token_reused"`, `user` (the [`UserKey`](crate::user::UserKey)) and `family` (the handle).
//!
//! # Security
//!
//! Follows RFC 8725. The key decides the algorithm, the header only has to agree; `none` does not
//! exist. Keys come from the configuration alone: `jwk`, `jku`, `x5u` and `x5c` in a header are not
//! looked at, nothing is fetched. A `crit` header is refused, for nothing is understood that could
//! stand in it. Header and claims are each decoded and parsed once, into types that hold no other
//! shape. Signatures are aws-lc-rs.
//!
//! A valid token is not yet a user who may pass: the caller compares the stamp with the user's, so
//! that a password change ends tokens as well.

mod cache;
mod claims;
mod config;
mod issue;
mod jwk;
mod jws;
mod key;
mod keys;
mod own;
mod refresh;
#[cfg(test)]
mod tests;
mod trusted;
mod verify;
mod weak;

use std::fmt::Display;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer};

pub use self::{
    claims::AccessClaims,
    config::{Jwt, JwtConfig},
    issue::{AccessToken, IssuedToken},
    key::JwtAlgorithm,
    keys::JwtKeys,
    trusted::{KeySource, TrustedIssuer},
    verify::Verified,
};
pub(crate) use self::{
    issue::Issue,
    own::own_claims,
    refresh::{Exchange, NewFamily, RefreshLifetime, RefreshTokens},
    trusted::{Foreign, Remembered, claimed_issuer},
};
use crate::error::Error;

/// Keys or settings that tokens cannot be built on.
fn refused(what: impl Display) -> Error {
    Error::Misconfigured(what.to_string())
}

/// A member that may be missing but not `null`.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Option<T>, D::Error> {
    T::deserialize(d).map(Some)
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Strict: no padding, no other alphabet, no bits after the last byte. There is one text for every
/// value, so that a signature cannot be written in two ways.
fn unbase64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
