//! Tokens of other issuers: which claims must be there, and in which shape.

use super::*;
use crate::jwt::{Foreign, TrustedIssuer, claimed_issuer};

const PROVIDER: &str = "https://id.example";

/// The provider, who signs, and the service, which knows its public keys.
fn provider() -> (Jwt, TrustedIssuer) {
    let keys = JwtKeys::generate(JwtAlgorithm::Es256).unwrap();
    let published = JwtKeys::published_jwks(&keys.public_jwks().unwrap()).unwrap();
    (with(keys), TrustedIssuer::new(PROVIDER, AUDIENCE, published))
}

fn header() -> Value {
    json!({ "alg": "ES256", "typ": "JWT" })
}

fn claims() -> Value {
    let at = now().timestamp();
    json!({
        "iss": PROVIDER, "sub": "ann", "aud": [AUDIENCE, "https://other.example"],
        "exp": at + 600, "nbf": at, "iat": at, "auth_time": at - 60, "jti": "1", "scope": "a b",
    })
}

fn verify(issuer: &TrustedIssuer, token: &str) -> Foreign {
    issuer.verify_now(token, issuer.remembered(token), now()).unwrap()
}

fn is_invalid(issuer: &TrustedIssuer, token: &str, what: &str) {
    let foreign = verify(issuer, token);
    assert!(matches!(foreign, Foreign::Invalid(_)), "{what}: {foreign:?}");
}

#[test]
fn says_who_the_user_is() {
    let (provider, issuer) = provider();
    let token = sign(&provider, &header().to_string(), &claims().to_string());
    assert_eq!(claimed_issuer(&token).as_deref(), Some(PROVIDER));
    // The second time out of the cache.
    for _ in 0..2 {
        let Foreign::Valid(said) = verify(&issuer, &token) else { panic!() };
        assert_eq!(said.auth_time(), Some(now() - TimeDelta::seconds(60)));
        assert_eq!(serde_json::from_str::<Value>(&said.json).unwrap(), claims());
    }
    let later = now() + TimeDelta::seconds(631);
    let known = issuer.remembered(&token);
    assert!(known.is_some());
    assert!(matches!(issuer.verify_now(&token, known, later), Some(Foreign::Invalid("expired"))));
}

#[test]
fn takes_the_types_that_providers_write() {
    let (provider, issuer) = provider();
    for (typ, good) in [
        (Some(json!("JWT")), true),
        (Some(json!("jwt")), true),
        (Some(json!("at+jwt")), true),
        (Some(json!("application/at+JWT")), true),
        (None, true),
        (Some(json!("id+jwt")), false),
        (Some(json!("logout+jwt")), false),
        (Some(json!("dpop+jwt")), false),
        (Some(json!("")), false),
        (Some(json!(null)), false),
        (Some(json!(["JWT"])), false),
    ] {
        let token = sign(&provider, &set(&header(), "typ", typ.clone()), &claims().to_string());
        let valid = matches!(verify(&issuer, &token), Foreign::Valid(_));
        assert_eq!(valid, good, "{typ:?}");
    }
}

#[test]
fn no_claim_may_be_of_another_shape() {
    let (provider, issuer) = provider();
    let signed = |claims: &str| sign(&provider, &header().to_string(), claims);
    let at = now().timestamp();
    for name in ["iss", "sub", "aud", "exp"] {
        is_invalid(&issuer, &signed(&set(&claims(), name, None)), name);
    }
    for name in ["nbf", "iat", "auth_time", "jti", "scope"] {
        let token = signed(&set(&claims(), name, None));
        assert!(matches!(verify(&issuer, &token), Foreign::Valid(_)), "{name} may be missing");
    }
    for name in ["iss", "sub", "aud", "exp", "nbf", "iat", "auth_time", "jti"] {
        for wrong in [json!(null), json!({}), json!(true), json!([[]]), json!(1.5), json!("")] {
            // An issuer that calls its users by numbers writes them as text.
            is_invalid(&issuer, &signed(&set(&claims(), name, Some(wrong.clone()))), name);
        }
    }
    for name in ["exp", "nbf", "iat", "auth_time"] {
        for wrong in [json!("1900000600"), json!(-1), json!(1e300), json!(u64::MAX), json!(1.9e9)] {
            is_invalid(&issuer, &signed(&set(&claims(), name, Some(wrong.clone()))), name);
        }
    }
    for (name, value) in [
        ("exp", json!(at - 30)),
        ("nbf", json!(at + 31)),
        ("iat", json!(at + 31)),
        ("auth_time", json!(at + 31)),
        ("iss", json!("https://id.example/")),
        ("aud", json!([])),
    ] {
        is_invalid(&issuer, &signed(&set(&claims(), name, Some(value))), name);
    }
    for other in [json!("https://other.example"), json!(["x", "y"]), json!("https://api.example/")]
    {
        let token = signed(&set(&claims(), "aud", Some(other)));
        assert!(matches!(verify(&issuer, &token), Foreign::WrongAudience));
    }
    let twice = claims().to_string().replacen('{', r#"{"sub":"bob","#, 1);
    is_invalid(&issuer, &signed(&twice), "sub twice");
}

#[test]
fn the_header_chooses_nothing() {
    let (provider, issuer) = provider();
    let signed = |header: &Value| sign(&provider, &header.to_string(), &claims().to_string());
    for alg in ["none", "HS256", "RS256", "EdDSA", "ES384", "es256", ""] {
        let mut header = header();
        header["alg"] = json!(alg);
        is_invalid(&issuer, &signed(&header), alg);
    }
    let public = provider.keys.public_jwks().unwrap();
    for secret in [public.as_bytes(), b"".as_slice()] {
        let message = format!(
            "{}.{}",
            base64url(br#"{"alg":"HS256","typ":"JWT"}"#),
            base64url(claims().to_string().as_bytes())
        );
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
        let mac = aws_lc_rs::hmac::sign(&key, message.as_bytes());
        is_invalid(&issuer, &format!("{message}.{}", base64url(mac.as_ref())), "HS256");
    }
    for kid in ["../../dev/null", "' OR 1=1 --", "https://evil.example/key", "\u{0}", ""] {
        let mut header = header();
        header["kid"] = json!(kid);
        is_invalid(&issuer, &signed(&header), kid);
    }
    // Of another key, which the header brings along.
    let (stranger, _) = self::provider();
    let jwk: Value = serde_json::from_str(&stranger.keys.public_jwks().unwrap()).unwrap();
    let mut header = header();
    header["jwk"] = jwk["keys"][0].clone();
    header["jku"] = json!("https://evil.example/jwks");
    is_invalid(&issuer, &sign(&stranger, &header.to_string(), &claims().to_string()), "jwk");
}

#[test]
fn whatever_is_no_token_is_invalid() {
    let (provider, issuer) = provider();
    let token = sign(&provider, &header().to_string(), &claims().to_string());
    let [head, body, signature]: [&str; 3] =
        token.split('.').collect::<Vec<_>>().try_into().unwrap();
    for bad in [
        "",
        ".",
        "..",
        "...",
        &".".repeat(1 << 16),
        &"A".repeat(1 << 16),
        &format!("{head}.{body}"),
        &format!("{head}.{body}."),
        &format!("{head}..{signature}"),
        &format!(".{body}.{signature}"),
        &token[..token.len() - 1],
        &format!("{token}="),
        &format!("{token}.x"),
        &format!("{}.{body}.{signature}", base64url(b"\xff\xfe")),
    ] {
        is_invalid(&issuer, bad, bad.get(..40).unwrap_or(bad));
    }
    let not_text = sign_bytes(&provider, header().to_string().as_bytes(), b"{\"iss\":\"\xff\"}");
    is_invalid(&issuer, &not_text, "not text");
}

#[test]
fn of_a_published_set_what_is_of_use_is_taken() {
    let own = JwtKeys::generate(JwtAlgorithm::EdDsa).unwrap();
    let set: Value = serde_json::from_str(&own.public_jwks().unwrap()).unwrap();
    let key = &set["keys"][0];
    let mut for_encryption = key.clone();
    for_encryption["use"] = json!("enc");
    for_encryption["kid"] = json!("enc");
    let mixed = json!({ "keys": [
        { "kty": "EC", "crv": "P-384", "x": "AA", "y": "AA", "kid": "p384" },
        { "kty": "RSA", "alg": "RSA-OAEP", "n": "AA", "e": "AQAB", "kid": "oaep" },
        { "kty": "oct", "k": base64url(SECRET), "kid": "shared" },
        { "kty": "AKP", "pub": "AA", "alg": "ML-DSA-44" },
        for_encryption, key, 7,
    ] });
    let ring = JwtKeys::published_jwks(&mixed.to_string()).unwrap();
    assert!(ring.find(key["kid"].as_str()).is_some());
    for kid in ["p384", "oaep", "shared", "enc"] {
        assert!(ring.find(Some(kid)).is_none(), "{kid}");
    }
    for nothing in [json!({ "keys": [] }), json!({}), json!([]), json!({ "keys": [7] })] {
        assert!(JwtKeys::published_jwks(&nothing.to_string()).is_err(), "{nothing}");
    }
}
