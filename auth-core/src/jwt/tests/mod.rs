//! Tokens from the outside: what is issued, what is accepted, what never is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod claims;
mod compact;
mod interop;
mod jose;
mod keys;
mod lifetime;
mod trusted;
mod wycheproof;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Jwt, JwtAlgorithm, JwtConfig, JwtKeys, Verified, base64url, unbase64url};
use crate::{secret::SecurityStamp, user::UserKey};

const ISSUER: &str = "https://accounts.example";
const AUDIENCE: &str = "https://api.example";
const SECRET: &[u8] = b"\xf3k0\x11zQ\x9a\x04-\xc8\xee\x7fw2\x01\xb5Jt\xdd\x93\x68\xae/\x0c\x55\xe1\x88\x1a\xfb\x26\x40\xd7";
const ALL: [JwtAlgorithm; 4] =
    [JwtAlgorithm::Hs256, JwtAlgorithm::EdDsa, JwtAlgorithm::Es256, JwtAlgorithm::Rs256];

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_900_000_000)
}

/// A ring of one key. RSA comes from a file, for making such a key takes a while. The keys in
/// `pem` were made by OpenSSL for these tests and guard nothing.
fn keys(algorithm: JwtAlgorithm) -> JwtKeys {
    match algorithm {
        JwtAlgorithm::Rs256 => {
            JwtKeys::from_pem(algorithm, include_str!("pem/rsa2048.pem")).unwrap()
        }
        other => JwtKeys::generate(other).unwrap(),
    }
}

fn with(keys: JwtKeys) -> Jwt {
    JwtConfig::new(keys, ISSUER, AUDIENCE).build().unwrap()
}

/// HS256 under [`SECRET`].
fn hs256() -> Jwt {
    with(JwtKeys::hs256(SECRET).unwrap())
}

fn user() -> UserKey {
    UserKey::from("users:7".to_owned())
}

fn stamp() -> SecurityStamp {
    SecurityStamp::of_epoch(3)
}

fn issue(jwt: &Jwt) -> String {
    let issued = jwt.issue(&user(), stamp(), now() - TimeDelta::seconds(5), None, now());
    issued.unwrap().token.expose().to_owned()
}

/// The parts of a token as JSON, to be altered and signed again.
fn parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| unbase64url(part).unwrap_or_default());
    let mut next = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (next(), next())
}

/// A token of these texts, signed by the signing key.
fn sign(jwt: &Jwt, header: &str, claims: &str) -> String {
    sign_bytes(jwt, header.as_bytes(), claims.as_bytes())
}

fn sign_bytes(jwt: &Jwt, header: &[u8], claims: &[u8]) -> String {
    let message = format!("{}.{}", base64url(header), base64url(claims));
    let key = jwt.keys.signing_key().unwrap();
    let signature = key.sign(message.as_bytes()).unwrap().unwrap();
    format!("{message}.{}", base64url(&signature))
}

fn is_valid(jwt: &Jwt, token: &str) -> bool {
    matches!(jwt.verify(token, now()), Verified::Valid(_))
}

fn reason(jwt: &Jwt, token: &str) -> &'static str {
    match jwt.verify(token, now()) {
        Verified::Invalid(reason) => reason,
        other => panic!("{other:?}: {token}"),
    }
}

/// The value with one member set; `None` takes it out.
fn set(value: &Value, member: &str, to: Option<Value>) -> String {
    let mut value = value.clone();
    let members = value.as_object_mut().unwrap();
    match to {
        Some(to) => members.insert(member.to_owned(), to),
        None => members.remove(member),
    };
    json!(value).to_string()
}
