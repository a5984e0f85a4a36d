//! The examples of RFC 7515 (appendix A), RFC 7520 (section 4) and RFC 8037 (appendix A), through the
//! layer that knows signed messages and nothing of claims: what they say is not for us.
//!
//! Those of algorithms that do not exist here (PS384, ES512) are refused like everything else.

use super::*;
use crate::jwt::{
    jws,
    key::{JwtKey, Private},
};

/// The key of an example. Its secrets are published, so that no ring would take them.
fn ring(jwk: &str) -> JwtKeys {
    let jwk: Value = serde_json::from_str(jwk).unwrap();
    match jwk["k"].as_str() {
        Some(secret) => {
            assert!(JwtKeys::from_jwks(&jwk.to_string()).is_err(), "published");
            let secret = Private::hmac(&unbase64url(secret).unwrap());
            let kid = jwk["kid"].as_str().map(str::to_owned);
            JwtKeys::ring(vec![JwtKey::signing(secret, kid).unwrap()])
        }
        None => JwtKeys::verify_only_jwks(&jwk.to_string()).unwrap(),
    }
}

fn payload(jwk: &str, token: &str) -> Result<Vec<u8>, &'static str> {
    jws::payload(&ring(jwk), token, &jws::header(token)?)
}

const JOE: &str =
    "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
const JOE_ENCODED: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const FRODO: &str = "It\u{2019}s a dangerous business, Frodo, going out your door. You step onto the road, and if you don't keep your feet, there\u{2019}s no knowing where you might be swept off to.";
const FRODO_ENCODED: &str = "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4";

const A1_KEY: &str = r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;
const A1_HEADER: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9";
const A1_SIGNATURE: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const A2_KEY: &str = r#"{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}"#;
const A2_SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const A3_KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
const A3_SIGNATURE: &str =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const BILBO: &str = r#"{"kty":"RSA","kid":"bilbo.baggins@hobbiton.example","use":"sig","n":"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw","e":"AQAB"}"#;
const BILBO_RS256: &str = "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg";
const HMAC_4_4: &str = r#"{"kty":"oct","kid":"018c0ae5-4d9b-471b-bfd6-eef314bc7037","use":"sig","alg":"HS256","k":"hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg"}"#;
const HEADER_4_4: &str =
    "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9";
const SIGNATURE_4_4: &str = "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0";

#[test]
fn the_examples_verify() {
    let rs256 = base64url(br#"{"alg":"RS256"}"#);
    let es256 = base64url(br#"{"alg":"ES256"}"#);
    let bilbo = base64url(br#"{"alg":"RS256","kid":"bilbo.baggins@hobbiton.example"}"#);
    let ed25519 =
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let signed =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    for (example, key, token, says) in [
        ("7515 A.1", A1_KEY, [A1_HEADER, JOE_ENCODED, A1_SIGNATURE].join("."), JOE),
        ("7515 A.2", A2_KEY, [&rs256, JOE_ENCODED, A2_SIGNATURE].join("."), JOE),
        ("7515 A.3", A3_KEY, [&es256, JOE_ENCODED, A3_SIGNATURE].join("."), JOE),
        ("7520 4.1", BILBO, [&bilbo, FRODO_ENCODED, BILBO_RS256].join("."), FRODO),
        ("7520 4.4", HMAC_4_4, [HEADER_4_4, FRODO_ENCODED, SIGNATURE_4_4].join("."), FRODO),
        (
            "8037 A.4",
            ed25519,
            format!("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.{signed}"),
            "Example of Ed25519 signing",
        ),
    ] {
        let read = payload(key, &token).unwrap_or_else(|reason| panic!("{example}: {reason}"));
        assert_eq!(String::from_utf8(read).unwrap(), says, "{example}");
        // One bit of each part.
        for part in 0..3 {
            let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
            let mut bytes = unbase64url(&parts[part]).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            parts[part] = base64url(&bytes);
            assert!(payload(key, &parts.join(".")).is_err(), "{example}, part {part}");
        }
    }
}

/// Also where the signature is right: other forms than the compact one of a single signature.
#[test]
fn other_forms_are_refused() {
    let flat = format!(
        r#"{{"payload":"{FRODO_ENCODED}","protected":"{HEADER_4_4}","signature":"{SIGNATURE_4_4}"}}"#
    );
    let general = format!(
        r#"{{"payload":"{FRODO_ENCODED}","signatures":[{{"protected":"{HEADER_4_4}","signature":"{SIGNATURE_4_4}"}}]}}"#
    );
    let compact = [HEADER_4_4, FRODO_ENCODED, SIGNATURE_4_4].join(".");
    for (what, token) in [
        ("7520 4.4.3, flattened JSON", flat.clone()),
        ("7520 4.8, several signatures", general.clone()),
        ("JSON, encoded", base64url(general.as_bytes())),
        ("7520 4.5, detached payload", format!("{HEADER_4_4}..{SIGNATURE_4_4}")),
        ("7515 A.5, unsecured", format!("eyJhbGciOiJub25lIn0.{JOE_ENCODED}.")),
        ("two signatures", format!("{compact}.{SIGNATURE_4_4}")),
        ("five parts, as an encrypted token has", format!("{compact}.x.y")),
        (
            "an encrypted token around it",
            format!("{}.{compact}.a.b", base64url(br#"{"alg":"dir","enc":"A128GCM"}"#)),
        ),
    ] {
        assert!(payload(HMAC_4_4, &token).is_err(), "{what}");
        assert!(!is_valid(&hs256(), &token), "{what}");
    }
    assert!(payload(HMAC_4_4, &compact).is_ok());
}

/// RFC 7797: the payload stands there as it is. RFC 7520 4.6 and 4.7: parts of the header are not
/// protected, and the compact form has no place for them.
#[test]
fn unencoded_payloads_and_extensions_are_refused_under_a_right_signature() {
    let keys = ring(HMAC_4_4);
    let signed = |header: &str, message: &str| {
        let message = format!("{}.{message}", base64url(header.as_bytes()));
        let signature = keys.signing_key().unwrap().sign(message.as_bytes()).unwrap().unwrap();
        format!("{message}.{}", base64url(&signature))
    };
    assert!(payload(HMAC_4_4, &signed(r#"{"alg":"HS256"}"#, FRODO_ENCODED)).is_ok());
    for header in [
        r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#,
        r#"{"alg":"HS256","b64":false}"#,
        r#"{"alg":"HS256","b64":true}"#,
        r#"{"alg":"HS256","crit":[]}"#,
        r#"{"alg":"HS256","crit":["exp"],"exp":1}"#,
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":["HS256"]}"#,
        r#"["HS256"]"#,
        r#"{"alg":"HS256","kid":null}"#,
    ] {
        assert!(payload(HMAC_4_4, &signed(header, FRODO_ENCODED)).is_err(), "{header}");
    }
    assert!(payload(HMAC_4_4, &signed(r#"{"alg":"HS256"}"#, "$.02")).is_err(), "RFC 7797, 4.2");
    // A token in a token is its text, and no token of ours.
    let jwt = hs256();
    let inner = issue(&jwt);
    let nested = sign(&jwt, r#"{"alg":"HS256","typ":"at+jwt","cty":"JWT"}"#, &inner);
    assert_eq!(reason(&jwt, &nested), "the claims are malformed");
}
