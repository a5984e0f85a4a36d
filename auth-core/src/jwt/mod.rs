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
//!
//! Every one is written and every one is checked; a claim that is missing or of another type makes
//! the token invalid.
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
mod key;
mod keys;
#[cfg(test)]
mod tests;
mod verify;
mod weak;

use std::fmt::Display;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

pub use self::{
    claims::AccessClaims,
    config::{Jwt, JwtConfig},
    issue::{AccessToken, IssuedToken},
    key::JwtAlgorithm,
    keys::JwtKeys,
    verify::Verified,
};
use crate::error::Error;

/// Keys or settings that tokens cannot be built on.
fn refused(what: impl Display) -> Error {
    Error::Misconfigured(what.to_string())
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Strict: no padding, no other alphabet, no bits after the last byte. There is one text for every
/// value, so that a signature cannot be written in two ways.
fn unbase64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
