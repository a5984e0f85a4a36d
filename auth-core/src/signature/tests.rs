//! The examples of RFC 9421, appendix B, for the two algorithms.

use aws_lc_rs::{
    hmac,
    signature::{ED25519, UnparsedPublicKey},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta};
use http::{HeaderMap, HeaderName, Method, Uri};

use super::*;

const BODY: &[u8] = br#"{"hello": "world"}"#;

/// `test-request` of B.2.
fn test_request(more: &[(&str, &str)]) -> (Method, Uri, HeaderMap) {
    let digest = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLv\
                  RwEmTHWXvJwew==:";
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("host", "example.com"),
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("content-type", "application/json"),
        ("content-digest", digest),
        ("content-length", "18"),
    ]
    .iter()
    .chain(more)
    {
        headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    (Method::POST, Uri::from_static("/foo?param=Value&Pet=dog"), headers)
}

fn presented(headers: &HeaderMap) -> PresentedSignature {
    PresentedSignature::of(headers).unwrap().unwrap()
}

#[test]
fn the_hmac_example_of_the_rfc_verifies() {
    // B.1.5 and B.2.5.
    let secret = STANDARD
        .decode(
            "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTM\
             tDQ==",
        )
        .unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let (method, uri, headers) = test_request(&[
        (
            "signature-input",
            "sig-b25=(\"date\" \"@authority\" \"content-type\");created=1618884473;\
             keyid=\"test-shared-secret\"",
        ),
        ("signature", "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:"),
    ]);
    let presented = presented(&headers);
    let message = Message { method: &method, uri: &uri, headers: &headers };
    let bases = presented.bases(&message).unwrap();
    let expected = "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\
                    \"@authority\": example.com\n\
                    \"content-type\": application/json\n\
                    \"@signature-params\": (\"date\" \"@authority\" \"content-type\")\
                    ;created=1618884473;keyid=\"test-shared-secret\"";
    assert_eq!(bases, [expected]);
    hmac::verify(&key, bases[0].as_bytes(), &presented.signature).unwrap();
    assert_eq!(presented.key_id, "test-shared-secret");
    assert_eq!(presented.uncovered(&message, BODY), Some("the method is not signed"));
}

#[test]
fn the_ed25519_example_of_the_rfc_verifies() {
    // B.1.4 and B.2.6.
    let public = STANDARD.decode("JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=").unwrap();
    let (method, uri, headers) = test_request(&[
        (
            "signature-input",
            "sig-b26=(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \
             \"content-length\");created=1618884473;keyid=\"test-key-ed25519\"",
        ),
        (
            "signature",
            "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lI\
             p5WPpBKRCw==:",
        ),
    ]);
    let presented = presented(&headers);
    let message = Message { method: &method, uri: &uri, headers: &headers };
    let bases = presented.bases(&message).unwrap();
    let key = UnparsedPublicKey::new(&ED25519, &public);
    key.verify(bases[0].as_bytes(), &presented.signature).unwrap();
    let other = test_request(&[]).2;
    let other = Message { method: &Method::PUT, uri: &uri, headers: &other };
    let base = presented.bases(&other).unwrap();
    key.verify(base[0].as_bytes(), &presented.signature).unwrap_err();
}

#[test]
fn the_content_digests_of_the_rfcs_hold() {
    let (_, _, headers) = test_request(&[]);
    assert!(digest_holds(&headers, BODY));
    assert!(!digest_holds(&headers, br#"{"hello": "World"}"#));
    let with = |value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("content-digest", value.parse().unwrap());
        headers
    };
    // RFC 9530, appendix B.1 gives the first for this body and a newline.
    let right = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
    let body = b"{\"hello\": \"world\"}\n";
    assert!(digest_holds(&with(right), body));
    assert!(digest_holds(&with(&format!("md5=:AAAA:, {right}")), body), "others are not asked");
    for wrong in [
        "",
        "md5=:AAAA:",
        "sha-256=:AAAA:",
        "sha-256=1",
        "sha-256",
        "RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=",
        &format!("{right}, sha-512=:AAAA:"),
    ] {
        assert!(!digest_holds(&with(wrong), body), "{wrong}");
    }
    assert!(!digest_holds(&HeaderMap::new(), b""));
}

#[test]
fn a_signer_signs_what_the_server_wants() {
    let signer = Signer::hmac_sha256("k1", b"a secret of thirty-two bytes, ok");
    let mut request =
        http::Request::post("https://API.example:443/a%20b?x=1&y=").body("body").unwrap();
    signer.clone().with_header(http::header::ACCEPT).sign(&mut request).unwrap();
    let (head, body) = request.into_parts();
    let message = Message { method: &head.method, uri: &head.uri, headers: &head.headers };
    let presented = presented(&head.headers);
    assert_eq!(presented.uncovered(&message, body.as_bytes()), None);
    assert!(digest_holds(&head.headers, body.as_bytes()));
    // As the server sees it: no host in the address.
    let uri = Uri::from_static("/a%20b?x=1&y=");
    let mut headers = head.headers.clone();
    headers.insert("host", "api.example".parse().unwrap());
    let seen = Message { method: &head.method, uri: &uri, headers: &headers };
    let base = &presented.bases(&seen).unwrap()[0];
    assert!(base.contains("\"@path\": /a%20b\n\"@query\": ?x=1&y=\n"), "{base}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"a secret of thirty-two bytes, ok");
    hmac::verify(&key, base.as_bytes(), &presented.signature).unwrap();
    assert!(!format!("{signer:?}").contains("thirty"));
}

#[test]
fn what_cannot_be_read_is_malformed_and_nothing_else() {
    let right_input = "s=(\"@method\");created=1;keyid=\"k\"";
    let right = "s=:AAAA:";
    let read = |input: Option<&str>, signature: Option<&str>| {
        let mut headers = HeaderMap::new();
        for (name, value) in [("signature-input", input), ("signature", signature)] {
            if let Some(value) = value {
                headers.insert(name, value.parse().unwrap());
            }
        }
        PresentedSignature::of(&headers).map(|found| found.is_some())
    };
    assert_eq!(read(None, None), Ok(false));
    assert_eq!(read(Some(right_input), Some(right)), Ok(true));
    let long = format!("s=(\"@method\");created=1;keyid=\"{}\"", "k".repeat(9000));
    for (input, signature) in [
        (None, Some(right)),
        (Some(right_input), None),
        (Some(right_input), Some("t=:AAAA:")),
        (Some(right_input), Some("s=1")),
        (Some(right_input), Some("s=:AAAA:, t=:AAAA:")),
        (Some("s=\"@method\";created=1;keyid=\"k\""), Some(right)),
        (Some("s=(\"@method\");keyid=\"k\""), Some(right)),
        (Some("s=(\"@method\");created=1"), Some(right)),
        (Some("s=(\"@method\");created=\"1\";keyid=\"k\""), Some(right)),
        (Some("s=(\"@method\");created=1.5;keyid=\"k\""), Some(right)),
        (Some("s=(\"@method\");created=1;keyid=k"), Some(right)),
        (Some("s=(\"@method\");created=1;keyid=\"k\";alg=\"none\""), Some(right)),
        (Some("s=(\"@method\");created=1;keyid=\"k\";nonce=1"), Some(right)),
        (Some("s=(\"@method\");created=1;keyid=\"k\";expires=x"), Some(right)),
        (Some("s=(\"@method\" ;created=1"), Some(right)),
        (Some(&long), Some(right)),
    ] {
        let expected = Err(crate::rejection::Rejection::MalformedCredentials);
        assert_eq!(read(input, signature), expected, "{input:?} {signature:?}");
    }
}

#[test]
fn a_signature_lives_within_its_window() {
    let window = TimeDelta::seconds(60);
    let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
    let with = |input: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("signature-input", input.parse().unwrap());
        headers.insert("signature", "s=:AAAA:".parse().unwrap());
        presented(&headers)
    };
    let plain = with("s=();created=1000;keyid=\"k\"");
    for (now, holds) in [(939, false), (940, true), (1000, true), (1060, true), (1061, false)] {
        assert_eq!(plain.until(at(now), window).is_some(), holds, "{now}");
    }
    assert!(plain.until(at(1060), window).unwrap() > at(1060), "remembered for as long");
    let short = with("s=();created=1000;keyid=\"k\";expires=1010");
    assert!(short.until(at(1009), window).is_some());
    assert!(short.until(at(1010), window).is_none());
}

#[test]
fn what_should_be_signed_is_asked_for() {
    let (method, uri, headers) = test_request(&[]);
    let message = Message { method: &method, uri: &uri, headers: &headers };
    let asks = |components: &str, body: &[u8]| {
        let mut headers = HeaderMap::new();
        let input = format!("s=({components});created=1;keyid=\"k\"");
        headers.insert("signature-input", input.parse().unwrap());
        headers.insert("signature", "s=:AAAA:".parse().unwrap());
        presented(&headers).uncovered(&message, body)
    };
    let all = "\"@method\" \"@authority\" \"@path\" \"@query\"";
    assert_eq!(asks(all, b""), None);
    assert_eq!(asks("\"@method\" \"@target-uri\"", b""), None);
    assert_eq!(asks("\"@method\" \"@authority\" \"@request-target\"", b""), None);
    assert_eq!(asks(&format!("{all} \"content-digest\""), b"x"), None);
    for (components, body, expected) in [
        (all, &b"x"[..], "the body is not signed"),
        ("\"@authority\" \"@path\" \"@query\"", b"", "the method is not signed"),
        ("\"@method\" \"@path\" \"@query\"", b"", "the host is not signed"),
        ("\"@method\" \"@authority\" \"@query\"", b"", "the path is not signed"),
        ("\"@method\" \"@authority\" \"@path\"", b"", "the query is not signed"),
        ("\"@method\" \"@method\"", b"", "a component is named twice"),
        ("", b"", "the method is not signed"),
    ] {
        assert_eq!(asks(components, body), Some(expected), "{components}");
    }
}

#[test]
fn a_component_that_is_not_understood_or_not_there_makes_no_base() {
    let (method, uri, headers) = test_request(&[]);
    let message = Message { method: &method, uri: &uri, headers: &headers };
    let base = |components: &str| {
        let mut headers = HeaderMap::new();
        let input = format!("s=({components});created=1;keyid=\"k\"");
        headers.insert("signature-input", input.parse().unwrap());
        headers.insert("signature", "s=:AAAA:".parse().unwrap());
        presented(&headers).bases(&message)
    };
    assert_eq!(base("\"@target-uri\"").unwrap().len(), 2, "by https or by http");
    for bad in [
        "\"x-missing\"",
        "\"@status\"",
        "\"@query-param\";name=\"Pet\"",
        "\"content-type\";sf",
        "\"content-type\";bs",
        "\"Content-Type\"",
        "\"@signature-params\"",
        "date",
        "1",
    ] {
        assert!(base(bad).is_none(), "{bad}");
    }
}
