//! The compact form, the header, and the signature.

use super::*;

#[test]
fn the_header_cannot_choose_the_algorithm() {
    for algorithm in ALL {
        let jwt = with(keys(algorithm));
        let token = issue(&jwt);
        let (header, claims) = parts(&token);
        let claims = claims.to_string();
        for alg in [
            "none", "None", "NONE", "nOnE", "", " ", "HS256", "HS384", "HS512", "RS256", "RS384",
            "PS256", "ES256", "ES384", "EdDSA", "Ed25519", "hs256", "eddsa", "HS256 ",
        ] {
            if alg == algorithm.name() {
                continue;
            }
            let header = set(&header, "alg", Some(json!(alg)));
            let signed = sign(&jwt, &header, &claims);
            assert_eq!(reason(&jwt, &signed), "not the algorithm of the key", "{algorithm} {alg}");
            let (message, _) = signed.rsplit_once('.').unwrap();
            assert!(!is_valid(&jwt, &format!("{message}.")), "{algorithm} {alg}, no signature");
            assert!(!is_valid(&jwt, message), "{algorithm} {alg}, two parts");
        }
        for alg in [None, Some(Value::Null), Some(json!([algorithm.name()])), Some(json!(0))] {
            assert!(!is_valid(&jwt, &sign(&jwt, &set(&header, "alg", alg), &claims)));
        }
    }
}

#[test]
fn a_public_key_is_no_shared_secret() {
    let pem = include_str!("pem/rsa2048.public.pem");
    let jwt = with(keys(JwtAlgorithm::Rs256));
    let (header, claims) = parts(&issue(&jwt));
    let forged = format!(
        "{}.{}",
        base64url(set(&header, "alg", Some(json!("HS256"))).as_bytes()),
        base64url(claims.to_string().as_bytes())
    );
    let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, der).unwrap();
    let pkcs1 = jwt.keys.public_jwks().unwrap();
    for secret in [pem.as_bytes(), pem.trim().as_bytes(), &der[..], &der[24..], pkcs1.as_bytes()] {
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
        let mac = aws_lc_rs::hmac::sign(&key, forged.as_bytes());
        let token = format!("{forged}.{}", base64url(mac.as_ref()));
        assert_eq!(reason(&jwt, &token), "not the algorithm of the key");
    }
    assert!(JwtKeys::hs256(pem.as_bytes()).is_err());
}

#[test]
fn a_key_verifies_only_its_own_algorithm() {
    let ring = keys(JwtAlgorithm::EdDsa)
        .with_previous(keys(JwtAlgorithm::Es256))
        .unwrap()
        .with_previous(keys(JwtAlgorithm::Rs256))
        .unwrap();
    let kids: Vec<_> = (0..3).map(|index| ring_kid(&ring, index)).collect();
    let jwt = with(ring);
    let (header, claims) = parts(&issue(&jwt));
    for kid in &kids[1..] {
        let swapped = set(&header, "kid", Some(json!(kid)));
        let token = sign(&jwt, &swapped, &claims.to_string());
        assert_eq!(reason(&jwt, &token), "not the algorithm of the key");
    }
    let swapped = set(&header, "kid", Some(json!(kids[1]))).replace("EdDSA", "ES256");
    assert_eq!(reason(&jwt, &sign(&jwt, &swapped, &claims.to_string())), "wrong signature");
}

fn ring_kid(ring: &JwtKeys, index: usize) -> String {
    let set: Value = serde_json::from_str(&ring.public_jwks().unwrap()).unwrap();
    set["keys"][index]["kid"].as_str().unwrap().to_owned()
}

#[test]
fn keys_come_from_the_configuration_alone() {
    let jwt = with(keys(JwtAlgorithm::EdDsa));
    let attacker = with(keys(JwtAlgorithm::EdDsa));
    let (header, claims) = parts(&issue(&jwt));
    let claims = claims.to_string();
    let jwk: Value = serde_json::from_str(&attacker.keys.public_jwks().unwrap()).unwrap();
    for (member, value) in [
        ("jwk", jwk["keys"][0].clone()),
        ("jku", json!("http://127.0.0.1:1/jwks.json")),
        ("x5u", json!("http://127.0.0.1:1/cert.pem")),
        ("x5c", json!(["MIIB"])),
    ] {
        let header = set(&header, member, Some(value));
        assert_eq!(reason(&jwt, &sign(&attacker, &header, &claims)), "wrong signature", "{member}");
        assert!(is_valid(&jwt, &sign(&jwt, &header, &claims)), "{member} is not looked at");
    }
    for kid in ["", "../../dev/null", "' OR 1=1 --", "/proc/self/environ", "\0", "0"] {
        let header = set(&header, "kid", Some(json!(kid)));
        assert_eq!(reason(&jwt, &sign(&jwt, &header, &claims)), "unknown key", "{kid:?}");
    }
    for kid in [Value::Null, json!(0), json!([header["kid"]]), json!({})] {
        let header = set(&header, "kid", Some(kid));
        assert_eq!(reason(&jwt, &sign(&jwt, &header, &claims)), "the header is malformed");
    }
}

#[test]
fn a_token_without_kid_is_of_the_only_key() {
    let one = hs256();
    let (header, claims) = parts(&issue(&one));
    let header = set(&header, "kid", None);
    let token = sign(&one, &header, &claims.to_string());
    assert!(is_valid(&one, &token));

    let two = JwtKeys::hs256(SECRET).unwrap();
    let two = with(two.with_previous(keys(JwtAlgorithm::Hs256)).unwrap());
    assert_eq!(reason(&two, &token), "unknown key");
}

#[test]
fn only_access_tokens_pass() {
    let jwt = hs256();
    let (header, claims) = parts(&issue(&jwt));
    let verify = |header: &str| is_valid(&jwt, &sign(&jwt, header, &claims.to_string()));
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
        assert!(verify(&set(&header, "typ", Some(json!(typ)))), "{typ}");
    }
    for typ in ["JWT", "jwt", "", "at+jwt ", "rt+jwt", "logout+jwt", "text/at+jwt", "application/"]
    {
        assert!(!verify(&set(&header, "typ", Some(json!(typ)))), "{typ}");
    }
    for typ in [None, Some(Value::Null), Some(json!(["at+jwt"]))] {
        assert!(!verify(&set(&header, "typ", typ)));
    }
    for crit in [json!(["exp"]), json!([]), Value::Null, json!("b64")] {
        assert!(!verify(&set(&header, "crit", Some(crit))));
    }
    let positional = json!(["HS256", "at+jwt", header["kid"]]).to_string();
    assert!(!verify(&positional));
}

#[test]
fn only_the_token_as_it_was_issued_is_valid() {
    for algorithm in ALL {
        let jwt = with(keys(algorithm));
        let token = issue(&jwt);
        assert!(is_valid(&jwt, &token));

        let (message, signature) = token.rsplit_once('.').unwrap();
        let (header, claims) = message.split_once('.').unwrap();
        let bytes = unbase64url(signature).unwrap();
        for bit in (0..bytes.len() * 8).step_by(7) {
            let mut altered = bytes.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            let token = format!("{message}.{}", base64url(&altered));
            assert_eq!(reason(&jwt, &token), "wrong signature", "{algorithm}, bit {bit}");
        }
        for other in [
            &bytes[..bytes.len() - 1],
            &[&bytes[..], &[0]].concat(),
            &[&[0], &bytes[..]].concat(),
            &vec![0; bytes.len()],
            &[],
        ] {
            assert!(!is_valid(&jwt, &format!("{message}.{}", base64url(other))), "{algorithm}");
        }

        let (_, other) = parts(&issue(&jwt));
        let other = base64url(set(&other, "sub", Some(json!("8"))).as_bytes());
        for forged in [
            format!("{header}.{other}.{signature}"),
            format!("{header}.{claims}.{claims}.{signature}"),
            format!("{header}.{claims}.{signature}."),
            format!(".{header}.{claims}.{signature}"),
            format!("{header}.{claims}."),
            format!("{header}..{signature}"),
            format!("..{signature}"),
            format!("{header}.{claims}.{signature}="),
            format!("{header}.{claims}=.{signature}"),
            format!("{header}.{claims}.{signature} "),
            format!(" {header}.{claims}.{signature}"),
            format!("{header}.{claims}.{signature}\n"),
            format!("{header}.{claims}.ü{signature}"),
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            ".".repeat(64 * 1024),
            "A".repeat(64 * 1024),
        ] {
            assert!(!is_valid(&jwt, &forged), "{algorithm}: {forged}");
        }
        for end in (0..token.len()).step_by(11) {
            assert!(!is_valid(&jwt, &token[..end]), "{algorithm}, cut at {end}");
        }
        // All of this with the good token in memory, which is still good.
        assert!(is_valid(&jwt, &token));
    }
}

#[test]
fn base64url_has_one_form() {
    let jwt = hs256();
    let token = issue(&jwt);
    // 32 bytes end in a character of which two bits mean nothing.
    let last = token.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let index = alphabet.find(last).unwrap();
    assert_eq!(index % 4, 0);
    for other in &alphabet[index + 1..index + 4].chars().collect::<Vec<_>>() {
        let altered = format!("{}{other}", &token[..token.len() - 1]);
        assert_eq!(reason(&jwt, &altered), "the signature is not base64url");
    }
    // The standard alphabet is another one.
    let (message, _) = token.rsplit_once('.').unwrap();
    for signature in ["++++", "////", "ab cd", "ab%3D"] {
        assert_eq!(
            reason(&jwt, &format!("{message}.{signature}")),
            "the signature is not base64url"
        );
    }
}
