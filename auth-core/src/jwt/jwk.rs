//! JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037): what they are, and reading them.

mod write;

use aws_lc_rs::{
    error::KeyRejected,
    rsa::{KeyPairComponents, PublicKeyComponents as RsaPublicKeyComponents},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair},
};
use pkcs1::der::{Encode, asn1::UintRef};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

pub(super) use self::write::{thumbprint, write_private, write_public};
use super::{
    base64url,
    key::{JwtAlgorithm, JwtKey, Private, Public},
    refused, unbase64url,
};
use crate::error::Error;

/// A JWK: every member that this crate reads or writes.
#[derive(Serialize, Deserialize, Default)]
struct Jwk {
    kty: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    usage: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    k: Option<Member>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<Member>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<Member>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<Member>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<Member>,
    #[serde(skip_serializing_if = "Option::is_none")]
    d: Option<Member>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p: Option<Member>,
    #[serde(skip_serializing_if = "Option::is_none")]
    q: Option<Member>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dp: Option<Member>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dq: Option<Member>,
    #[serde(skip_serializing_if = "Option::is_none")]
    qi: Option<Member>,
    /// More than two primes: known, so that such a key is refused instead of misread.
    #[serde(skip_serializing)]
    oth: Option<de::IgnoredAny>,
}

#[derive(Serialize, Deserialize)]
struct JwkSet {
    keys: Vec<Jwk>,
}

/// A binary member, base64url in the JSON, wiped from memory when dropped.
struct Member(Zeroizing<Vec<u8>>);

impl Member {
    fn of(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.to_vec())))
    }
}

impl Serialize for Member {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(base64url(&self.0)))
    }
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = unbase64url(&text).ok_or_else(|| de::Error::custom("not base64url"))?;
        Ok(Self(Zeroizing::new(bytes)))
    }
}

/// Reads a JWK set, or one JWK by itself. The first key of the result is the first of the set.
pub(super) fn read(json: &str) -> Result<Vec<JwtKey>, Error> {
    #[derive(Deserialize)]
    struct Kind {
        keys: Option<de::IgnoredAny>,
    }
    let Kind { keys } = parse(json)?;
    let jwks = if keys.is_some() { parse::<JwkSet>(json)?.keys } else { vec![parse::<Jwk>(json)?] };
    jwks.into_iter().enumerate().map(|(index, jwk)| key(index + 1, jwk)).collect()
}

/// Reads those keys of a JWK set that are of use here.
pub(super) fn read_published(json: &str) -> Result<Vec<JwtKey>, Error> {
    #[derive(Deserialize)]
    struct Set<'a> {
        #[serde(borrow)]
        keys: Vec<&'a RawValue>,
    }
    let Set { keys } = parse(json)?;
    let read = |(index, json): (usize, &RawValue)| {
        let jwk: Jwk = parse(json.get())?;
        if jwk.kty == "oct" {
            return Err(refused("a shared secret is not published"));
        }
        key(index, jwk)
    };
    let usable = (1..).zip(keys).map(read).filter_map(|key| match key {
        Ok(key) => Some(key),
        Err(error) => {
            tracing::debug!(%error, "a published key is of no use");
            None
        }
    });
    Ok(usable.collect())
}

/// What serde says of a value may quote it, so only the place is passed on.
fn parse<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|error| {
        refused(format_args!(
            "not a JWK or a JWK set; see line {}, column {}",
            error.line(),
            error.column()
        ))
    })
}

/// Reads the keys of one `kty`.
type Read = fn(Jwk) -> Result<JwtKey, Error>;

fn key(number: usize, jwk: Jwk) -> Result<JwtKey, Error> {
    let at = |what: String| refused(format_args!("key {number} of the JWK set: {what}"));
    if jwk.usage.as_deref().is_some_and(|usage| usage != "sig") {
        return Err(at("its `use` is not `sig`".into()));
    }
    let (algorithm, read): (_, Read) = match (&*jwk.kty, jwk.crv.as_deref()) {
        ("oct", _) => (JwtAlgorithm::Hs256, oct),
        ("OKP", Some("Ed25519")) => (JwtAlgorithm::EdDsa, ed25519),
        ("EC", Some("P-256")) => (JwtAlgorithm::Es256, p256),
        ("RSA", _) => (JwtAlgorithm::Rs256, rsa),
        _ => {
            return Err(at(
                "only `oct`, `OKP` on Ed25519, `EC` on P-256 and `RSA` are supported".into()
            ));
        }
    };
    if jwk.alg.as_deref().is_some_and(|alg| alg != algorithm.name()) {
        return Err(at(format!("its `alg` is not {algorithm}, the one for its `kty`")));
    }
    read(jwk).map_err(|error| at(error.to_string()))
}

fn oct(jwk: Jwk) -> Result<JwtKey, Error> {
    JwtKey::hs256(&need(jwk.k, "k")?, jwk.kid)
}

fn ed25519(jwk: Jwk) -> Result<JwtKey, Error> {
    let x = sized(jwk.x, "x")?;
    if jwk.d.is_none() {
        return JwtKey::verifying(Public::ed25519(&x)?, jwk.kid);
    }
    let pair = Ed25519KeyPair::from_seed_and_public_key(&sized(jwk.d, "d")?, &x);
    JwtKey::signing(Private::Ed25519(pair.map_err(inconsistent)?), jwk.kid)
}

fn p256(jwk: Jwk) -> Result<JwtKey, Error> {
    // The uncompressed form of SEC 1 section 2.3.3.
    let point = [&[4], &sized(jwk.x, "x")?[..], &sized(jwk.y, "y")?[..]].concat();
    if jwk.d.is_none() {
        return JwtKey::verifying(Public::p256(&point)?, jwk.kid);
    }
    let pair = EcdsaKeyPair::from_private_key_and_public_key(
        &ECDSA_P256_SHA256_FIXED_SIGNING,
        &sized(jwk.d, "d")?,
        &point,
    );
    JwtKey::signing(Private::P256(pair.map_err(inconsistent)?), jwk.kid)
}

#[allow(non_snake_case, reason = "the library writes the members as the standards do")]
fn rsa(jwk: Jwk) -> Result<JwtKey, Error> {
    if jwk.oth.is_some() {
        return Err(refused("more than two primes are not supported"));
    }
    let (n, e) = (need(jwk.n, "n")?, need(jwk.e, "e")?);
    // Read for a private key as well: it says what is wrong with a key that is too small.
    let public = Public::rsa(&rsa_public_der(&n, &e)?)?;
    if jwk.d.is_none() {
        return JwtKey::verifying(public, jwk.kid);
    }
    let pair = RsaKeyPair::from_components(&KeyPairComponents {
        public_key: RsaPublicKeyComponents { n: &*n, e: &*e },
        d: &*need(jwk.d, "d")?,
        p: &*need(jwk.p, "p")?,
        q: &*need(jwk.q, "q")?,
        dP: &*need(jwk.dp, "dp")?,
        dQ: &*need(jwk.dq, "dq")?,
        qInv: &*need(jwk.qi, "qi")?,
    });
    JwtKey::signing(Private::Rsa(pair.map_err(inconsistent)?), jwk.kid)
}

fn need(member: Option<Member>, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    member.map(|Member(bytes)| bytes).ok_or_else(|| refused(format_args!("`{name}` is missing")))
}

/// A member of an elliptic curve key: all of them have 32 bytes, leading zeros included.
fn sized(member: Option<Member>, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let bytes = need(member, name)?;
    if bytes.len() != 32 {
        return Err(refused(format_args!("`{name}` does not have 32 bytes")));
    }
    Ok(bytes)
}

fn inconsistent(_: KeyRejected) -> Error {
    refused("its members do not make a key")
}

fn rsa_public_der(n: &[u8], e: &[u8]) -> Result<Vec<u8>, Error> {
    let unreadable = |_| refused("its members do not make a key");
    let modulus = UintRef::new(n).map_err(unreadable)?;
    let public_exponent = UintRef::new(e).map_err(unreadable)?;
    pkcs1::RsaPublicKeyRef { modulus, public_exponent }.to_der().map_err(unreadable)
}
