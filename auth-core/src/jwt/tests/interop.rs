//! The same tokens through another implementation, both ways.

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, jwk::JwkSet,
};

use super::*;

fn theirs(algorithm: JwtAlgorithm) -> Algorithm {
    algorithm.name().parse().unwrap()
}

fn validation(algorithm: JwtAlgorithm) -> Validation {
    let mut validation = Validation::new(theirs(algorithm));
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
    validation
}

#[test]
fn another_implementation_takes_our_tokens_and_our_public_keys() {
    for algorithm in ALL {
        let jwt = with(match algorithm {
            JwtAlgorithm::Hs256 => JwtKeys::hs256(SECRET).unwrap(),
            other => keys(other),
        });
        let issued = jwt.issue(&user(), stamp(), Utc::now(), None, Utc::now()).unwrap();
        let key = if algorithm == JwtAlgorithm::Hs256 {
            DecodingKey::from_secret(SECRET)
        } else {
            let set: JwkSet = serde_json::from_str(&jwt.keys.public_jwks().unwrap()).unwrap();
            DecodingKey::from_jwk(&set.keys[0]).unwrap()
        };
        let token = decode::<Value>(issued.token.expose(), &key, &validation(algorithm)).unwrap();
        assert_eq!(token.claims["sub"], "7");
        assert_eq!(token.header.typ.as_deref(), Some("at+jwt"));
        assert_eq!(token.header.kid.as_deref(), Some(jwt.keys.signing_key().unwrap().kid()));
    }
}

#[test]
fn we_take_the_tokens_of_another_implementation() {
    for (algorithm, ring, key) in [
        (JwtAlgorithm::Hs256, JwtKeys::hs256(SECRET).unwrap(), EncodingKey::from_secret(SECRET)),
        (
            JwtAlgorithm::EdDsa,
            JwtKeys::from_pem(JwtAlgorithm::EdDsa, include_str!("pem/ed25519.pem")).unwrap(),
            EncodingKey::from_ed_pem(include_bytes!("pem/ed25519.pem")).unwrap(),
        ),
        (
            JwtAlgorithm::Es256,
            JwtKeys::from_pem(JwtAlgorithm::Es256, include_str!("pem/p256.pem")).unwrap(),
            EncodingKey::from_ec_pem(include_bytes!("pem/p256.pem")).unwrap(),
        ),
        (
            JwtAlgorithm::Rs256,
            keys(JwtAlgorithm::Rs256),
            EncodingKey::from_rsa_pem(include_bytes!("pem/rsa2048.pem")).unwrap(),
        ),
    ] {
        let jwt = with(ring);
        let (_, claims) = parts(&issue(&jwt));
        let mut header = Header::new(theirs(algorithm));
        header.typ = Some("at+jwt".into());
        let token = encode(&header, &claims, &key).unwrap();
        assert!(is_valid(&jwt, &token), "{algorithm}");
        header.kid = Some(jwt.keys.signing_key().unwrap().kid().to_owned());
        assert!(is_valid(&jwt, &encode(&header, &claims, &key).unwrap()), "{algorithm}");
        header.typ = Some("JWT".into());
        assert_eq!(reason(&jwt, &encode(&header, &claims, &key).unwrap()), "not an access token");
    }
}
