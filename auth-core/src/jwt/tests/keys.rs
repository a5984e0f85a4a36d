//! Which keys make a ring, and what a ring gives away.

use super::*;
use crate::{
    error::Error,
    jwt::key::{JwtKey, Private},
};

fn message(result: Result<JwtKeys, Error>) -> String {
    match result {
        Err(Error::Misconfigured(message)) => message,
        other => panic!("{other:?}"),
    }
}

/// A JWK of every kind, with its private members.
fn jwk(algorithm: JwtAlgorithm) -> Value {
    let set: Value =
        serde_json::from_str(&keys(algorithm).dangerous_private_jwks().unwrap()).unwrap();
    set["keys"][0].clone()
}

fn set_of(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

#[test]
fn a_generated_ring_survives_its_own_text() {
    for algorithm in ALL {
        let ring = JwtKeys::generate(algorithm).unwrap();
        let text = ring.dangerous_private_jwks().unwrap();
        let again = JwtKeys::from_jwks(&text).unwrap();
        assert_eq!(again.dangerous_private_jwks().unwrap(), text);

        let (first, second) = (with(ring), with(again));
        assert!(is_valid(&second, &issue(&first)), "{algorithm}");
        assert!(is_valid(&first, &issue(&second)), "{algorithm}");

        let other = with(JwtKeys::generate(algorithm).unwrap());
        assert_eq!(reason(&other, &issue(&first)), "unknown key", "{algorithm}");
    }
}

#[test]
fn the_public_half_verifies_and_cannot_sign() {
    for algorithm in [JwtAlgorithm::EdDsa, JwtAlgorithm::Es256, JwtAlgorithm::Rs256] {
        let ring = keys(algorithm);
        let public = ring.public_jwks().unwrap();
        for member in ["\"d\"", "\"p\"", "\"q\"", "\"dp\"", "\"k\""] {
            assert!(!public.contains(member), "{public}");
        }
        assert!(message(JwtKeys::from_jwks(&public)).contains("cannot sign"));

        let issuer = with(ring);
        let verifier = with(JwtKeys::verify_only_jwks(&public).unwrap());
        assert!(is_valid(&verifier, &issue(&issuer)), "{algorithm}");
        let error = verifier.issue(&user(), stamp(), now(), None, now()).unwrap_err();
        assert!(matches!(error, Error::Misconfigured(_)));
    }
    assert_eq!(keys(JwtAlgorithm::Hs256).public_jwks().unwrap(), r#"{"keys":[]}"#);
    for algorithm in ALL {
        let private = keys(algorithm).dangerous_private_jwks().unwrap();
        assert!(message(JwtKeys::verify_only_jwks(&private)).contains("public keys only"));
    }
}

#[test]
fn a_public_key_may_stand_behind_the_one_that_signs() {
    let previous = with(keys(JwtAlgorithm::EdDsa));
    let mut public = jwk(JwtAlgorithm::EdDsa);
    let own: Value = serde_json::from_str(&previous.keys.public_jwks().unwrap()).unwrap();
    public.clone_from(&own["keys"][0]);
    let ring = JwtKeys::from_jwks(&set_of(&[jwk(JwtAlgorithm::Es256), public])).unwrap();
    assert!(is_valid(&with(ring), &issue(&previous)));
}

#[test]
fn reads_private_keys_in_pem() {
    for (algorithm, pem) in [
        (JwtAlgorithm::EdDsa, include_str!("pem/ed25519.pem")),
        (JwtAlgorithm::Es256, include_str!("pem/p256.pem")),
        (JwtAlgorithm::Es256, include_str!("pem/p256.sec1.pem")),
        (JwtAlgorithm::Rs256, include_str!("pem/rsa2048.pem")),
        (JwtAlgorithm::Rs256, include_str!("pem/rsa2048.pkcs1.pem")),
    ] {
        let jwt = with(JwtKeys::from_pem(algorithm, pem).unwrap());
        let again = with(JwtKeys::from_jwks(&jwt.keys.dangerous_private_jwks().unwrap()).unwrap());
        assert!(is_valid(&again, &issue(&jwt)));
        for other in ALL.into_iter().filter(|other| *other != algorithm) {
            assert!(JwtKeys::from_pem(other, pem).is_err(), "{other}");
        }
    }
    // One key in two forms has one name.
    let kid = |pem| JwtKeys::from_pem(JwtAlgorithm::Rs256, pem).unwrap().keys_kid();
    assert_eq!(kid(include_str!("pem/rsa2048.pem")), kid(include_str!("pem/rsa2048.pkcs1.pem")));

    for (algorithm, pem) in [
        (JwtAlgorithm::Rs256, include_str!("pem/rsa2048.public.pem")),
        (JwtAlgorithm::Rs256, include_str!("pem/rsa1024.pem")),
        (JwtAlgorithm::Es256, include_str!("pem/p384.pem")),
        (JwtAlgorithm::EdDsa, ""),
        (JwtAlgorithm::EdDsa, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
    ] {
        message(JwtKeys::from_pem(algorithm, pem));
    }
}

impl JwtKeys {
    fn keys_kid(&self) -> String {
        self.signing_key().unwrap().kid().to_owned()
    }
}

#[test]
fn refuses_rings_that_are_no_rings() {
    let (hs, ed, es) =
        (jwk(JwtAlgorithm::Hs256), jwk(JwtAlgorithm::EdDsa), jwk(JwtAlgorithm::Es256));
    let mut named = [ed.clone(), es.clone()];
    for key in &mut named {
        key["kid"] = json!("a");
    }
    for (set, expected) in [
        (set_of(&[]), "is empty"),
        (set_of(&[hs.clone(), ed.clone()]), "do not go into one ring"),
        (set_of(&[ed.clone(), hs]), "do not go into one ring"),
        (set_of(&[ed.clone(), ed.clone()]), "two token keys have the `kid`"),
        (set_of(&named), "two token keys have the `kid` \"a\""),
    ] {
        let message = message(JwtKeys::from_jwks(&set));
        assert!(message.contains(expected), "{message}");
    }
    let mixed = keys(JwtAlgorithm::Hs256).with_previous(keys(JwtAlgorithm::EdDsa));
    assert!(message(mixed).contains("do not go into one ring"));
    let same = JwtKeys::hs256(SECRET).unwrap().with_previous(JwtKeys::hs256(SECRET).unwrap());
    assert!(message(same).contains("two token keys"));
}

#[test]
fn refuses_keys_that_are_no_keys() {
    for algorithm in ALL {
        let good = jwk(algorithm);
        let text: Vec<_> = good.as_object().unwrap().keys().cloned().collect();
        assert!(JwtKeys::from_jwks(&good.to_string()).is_ok());
        for member in &text {
            // `kid`, `alg` and `use` may be missing, everything else may not.
            let missing = JwtKeys::from_jwks(&set(&good, member, None));
            assert_eq!(missing.is_ok(), ["kid", "alg", "use"].contains(&&**member), "{member}");
            for value in [json!(7), json!("%"), json!([]), json!(""), json!("AAAA=")] {
                let altered = set(&good, member, Some(value));
                if member != "kid" || !altered.contains("%") && !altered.contains("AAAA=") {
                    message(JwtKeys::from_jwks(&altered));
                }
            }
        }
        let other = jwk(algorithm);
        for member in ["x", "y", "d", "n", "e", "p", "q", "dp", "dq", "qi"] {
            // A key pair of two halves that do not belong together.
            if algorithm != JwtAlgorithm::Rs256 && good.get(member).is_some() {
                message(JwtKeys::from_jwks(&set(&good, member, Some(other[member].clone()))));
            } else if let Some(text) = good.get(member).and_then(Value::as_str) {
                let mut bytes = unbase64url(text).unwrap();
                bytes[0] ^= 2;
                message(JwtKeys::from_jwks(&set(&good, member, Some(json!(base64url(&bytes))))));
            }
        }
        for alg in ["none", "HS512", "PS256", "ES384", "RS512", "eddsa", ""] {
            let message = message(JwtKeys::from_jwks(&set(&good, "alg", Some(json!(alg)))));
            assert!(message.contains("its `alg` is not"), "{message}");
        }
        assert!(
            message(JwtKeys::from_jwks(&set(&good, "use", Some(json!("enc"))))).contains("use")
        );
        for crv in ["P-384", "secp256k1", "X25519", "Ed448"] {
            if good.get("crv").is_some() {
                message(JwtKeys::from_jwks(&set(&good, "crv", Some(json!(crv)))));
            }
        }
    }
    // A point that is not on the curve (RFC 8725 section 3.4).
    let off =
        json!({ "kty": "EC", "crv": "P-256", "x": base64url(&[1; 32]), "y": base64url(&[1; 32]) });
    message(JwtKeys::verify_only_jwks(&off.to_string()));
    let small = json!({ "kty": "RSA", "n": base64url(&[0xc1; 128]), "e": "AQAB" });
    assert!(message(JwtKeys::verify_only_jwks(&small.to_string())).contains("has 1024"));
    let secret = json!({ "kty": "oct", "k": base64url(b"your-256-bit-secret-0123456789ab") });
    assert!(message(JwtKeys::from_jwks(&secret.to_string())).contains("placeholder"));
}

#[test]
fn reads_the_environment_and_never_shows_it() {
    let name = "AUTH_CORE_TEST_NO_SUCH_VARIABLE";
    let text = message(JwtKeys::from_env(name));
    assert!(text.contains(name) && text.contains("not set") && text.contains("\"kty\""), "{text}");

    let read = |value: &str| JwtKeys::from_variable("KEYS", Some(value.into()));
    assert!(message(read(" \n")).contains("KEYS: empty"));
    assert!(read(&jwk(JwtAlgorithm::EdDsa).to_string()).is_ok());
    for value in [
        "hunter2hunter2",
        r#""hunter2hunter2""#,
        r#"{"keys":"hunter2hunter2"}"#,
        r#"{"kty":"hunter2hunter2"}"#,
        r#"{"kty":"oct","k":"hunter2hunter2!"}"#,
        r#"{"kty":"oct","k":"hunter2hunter2"}"#,
        r#"{"kty":"oct","k":["hunter2hunter2"]}"#,
        r#"{"kty":"oct","hunter2hunter2":1,"k":7}"#,
        r#"{"kty":"OKP","crv":"Ed25519","x":"hunter2hunter2","d":"hunter2hunter2"}"#,
    ] {
        let text = message(read(value));
        assert!(text.contains("KEYS") && !text.contains("hunter2"), "{text}");
    }
}

#[test]
fn debug_shows_names_and_algorithms_only() {
    for algorithm in ALL {
        let key = jwk(algorithm);
        let jwt = with(JwtKeys::from_jwks(&key.to_string()).unwrap());
        let shown = format!("{:?} {jwt:?}", jwt.keys);
        assert!(shown.contains(key["kid"].as_str().unwrap()), "{shown}");
        for member in ["k", "x", "y", "d", "n", "p", "q", "dp", "dq", "qi"] {
            if let Some(value) = key.get(member).and_then(Value::as_str) {
                assert!(!shown.contains(value), "{member}");
            }
        }
        assert!(shown.len() < 600, "{shown}");
    }
}

/// RFC 8037 appendix A.3.
#[test]
fn names_a_key_by_its_thumbprint() {
    let key = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let ring = JwtKeys::from_jwks(key).unwrap();
    assert_eq!(ring.keys_kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

/// RFC 7515 appendix A.1: the key of the example, which no ring takes.
#[test]
fn signs_as_the_standard_does() {
    let secret = unbase64url(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    )
    .unwrap();
    assert!(message(JwtKeys::hs256(&secret)).contains("published"));
    let key = JwtKey::signing(Private::hmac(&secret), None).unwrap();
    let message = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4\
                   MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let signature = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert_eq!(base64url(&key.sign(message.as_bytes()).unwrap().unwrap()), signature);
    assert!(key.verify(message.as_bytes(), &unbase64url(signature).unwrap()));
}

/// RFC 8037 appendix A.4.
#[test]
fn signs_with_ed25519_as_the_standard_does() {
    let ring = JwtKeys::from_jwks(
        r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
    )
    .unwrap();
    let key = ring.signing_key().unwrap();
    let message = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_eq!(base64url(&key.sign(message.as_bytes()).unwrap().unwrap()), signature);
}
