//! Writing keys down, and naming them.

use aws_lc_rs::{hmac, signature::ParsedPublicKey};
use pkcs1::der::Decode;
use serde::Serialize;

use super::{
    super::{
        base64url,
        key::{JwtKey, Private, Public, ed25519_seed, p256_scalar, rsa_pkcs8, rsa_public},
        refused,
    },
    Jwk, JwkSet, Member,
};
use crate::{error::Error, secret::sha256};

/// The JWK set of the keys with their private members.
pub(in crate::jwt) fn write_private(keys: &[JwtKey]) -> Result<String, Error> {
    let mut set = JwkSet { keys: Vec::with_capacity(keys.len()) };
    for key in keys {
        let mut jwk = public_members(key.public())?;
        match key.private() {
            None => {}
            Some(Private::Hmac(_, secret)) => jwk.k = Member::of(secret),
            Some(Private::Ed25519(pair)) => jwk.d = Member::of(&ed25519_seed(pair)?),
            Some(Private::P256(pair)) => jwk.d = Member::of(&p256_scalar(pair)?),
            Some(Private::Rsa(pair)) => {
                let der = rsa_pkcs8(pair)?;
                let unreadable = |_| refused("an RSA key cannot be written");
                let der = pkcs8::PrivateKeyInfoRef::from_der(der.as_ref()).map_err(unreadable)?;
                let parts = pkcs1::RsaPrivateKeyRef::from_der(der.private_key.as_bytes())
                    .map_err(unreadable)?;
                jwk.d = Member::of(parts.private_exponent.as_bytes());
                jwk.p = Member::of(parts.prime1.as_bytes());
                jwk.q = Member::of(parts.prime2.as_bytes());
                jwk.dp = Member::of(parts.exponent1.as_bytes());
                jwk.dq = Member::of(parts.exponent2.as_bytes());
                jwk.qi = Member::of(parts.coefficient.as_bytes());
            }
        }
        set.keys.push(described(jwk, key));
    }
    json(&set)
}

/// The JWK set of the keys that anybody may have; shared secrets are left out.
pub(in crate::jwt) fn write_public(keys: &[JwtKey]) -> Result<String, Error> {
    let asymmetric = keys.iter().filter(|key| !key.algorithm().is_symmetric());
    let jwks = asymmetric.map(|key| Ok(described(public_members(key.public())?, key)));
    json(&JwkSet { keys: jwks.collect::<Result<_, Error>>()? })
}

/// A name for a key that has none, always the same for the same key.
///
/// The SHA-256 thumbprint of RFC 7638. For a shared secret that would publish a hash of it
/// (section 7), so it is named by half of a MAC that it makes: as hard to run backwards as the
/// signatures that stand beside it.
pub(in crate::jwt) fn thumbprint(public: &Public) -> Result<String, Error> {
    // Required members only, in lexicographic order. Nothing in them needs an escape.
    let members = match public {
        Public::Hmac(key) => return Ok(base64url(&hmac::sign(key, b"kid").as_ref()[..8])),
        Public::Ed25519(key) => {
            let x = base64url(key.as_ref());
            format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)
        }
        Public::P256(key) => {
            let (x, y) = coordinates(key);
            let (x, y) = (base64url(x), base64url(y));
            format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
        }
        Public::Rsa(key) => {
            let parts = rsa_public(key.as_ref())?;
            let n = base64url(parts.modulus.as_bytes());
            let e = base64url(parts.public_exponent.as_bytes());
            format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#)
        }
    };
    Ok(base64url(&sha256(members.as_bytes())))
}

/// The two numbers of a point, behind the byte that says "uncompressed".
fn coordinates(point: &ParsedPublicKey) -> (&[u8], &[u8]) {
    point.as_ref()[1..].split_at(32)
}

fn public_members(public: &Public) -> Result<Jwk, Error> {
    Ok(match public {
        Public::Hmac(_) => Jwk { kty: "oct".into(), ..Jwk::default() },
        Public::Ed25519(key) => Jwk {
            kty: "OKP".into(),
            crv: Some("Ed25519".into()),
            x: Member::of(key.as_ref()),
            ..Jwk::default()
        },
        Public::P256(key) => {
            let (x, y) = coordinates(key);
            Jwk {
                kty: "EC".into(),
                crv: Some("P-256".into()),
                x: Member::of(x),
                y: Member::of(y),
                ..Jwk::default()
            }
        }
        Public::Rsa(key) => {
            let parts = rsa_public(key.as_ref())?;
            Jwk {
                kty: "RSA".into(),
                n: Member::of(parts.modulus.as_bytes()),
                e: Member::of(parts.public_exponent.as_bytes()),
                ..Jwk::default()
            }
        }
    })
}

fn described(jwk: Jwk, key: &JwtKey) -> Jwk {
    Jwk {
        kid: Some(key.kid().into()),
        alg: Some(key.algorithm().name().into()),
        usage: Some("sig".into()),
        ..jwk
    }
}

fn json(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| refused(format_args!("no JSON: {error}")))
}
