//! Forging tokens, and presenting them where they do not belong.

use auth_tests::{World, world::JWT_SECRET};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&BASE64.decode(part).unwrap()).unwrap()
}

fn encoded(value: &Value) -> String {
    BASE64.encode(value.to_string())
}

/// A token with other claims and a right signature: what only the holder of the key could make.
fn signed(header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, JWT_SECRET);
    let signature = aws_lc_rs::hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", BASE64.encode(signature))
}

async fn is_invalid(world: &World, token: &str, what: &str) {
    for path in ["/me", "/maybe", "/guard/role"] {
        let answer = world.browser().get(path).bearer(token).await;
        assert_eq!(answer.outcome(), (401, "invalid_token".into()), "{what} {path}");
        assert_eq!(answer.all("www-authenticate").len(), 1);
    }
}

#[tokio::test]
async fn whatever_is_no_token_of_ours_is_refused() {
    let world = World::new().await;
    let token = world.token("ann").await;
    let bob = world.token("bob").await;
    let [header, claims, signature]: [&str; 3] =
        token.split('.').collect::<Vec<_>>().try_into().unwrap();
    let bobs_signature = bob.split('.').nth(2).unwrap();
    let mut lies = part(&token, 1);
    lies["sub"] = json!(world.user("bob").id);
    let (lies, none) = (encoded(&lies), encoded(&json!({ "alg": "none", "typ": "at+jwt" })));
    let cases = [
        ("empty", String::new()),
        ("garbage", "garbage".into()),
        ("dots", "..".into()),
        ("two parts", format!("{header}.{claims}")),
        ("four parts", format!("{token}.x")),
        ("padded", format!("{token}=")),
        ("two tokens", format!("{token} {token}")),
        ("two tokens in a list", format!("{token}, {token}")),
        ("no signature", format!("{header}.{claims}.")),
        ("a cut signature", token[..token.len() - 1].to_owned()),
        ("another's signature", format!("{header}.{claims}.{bobs_signature}")),
        ("other claims", format!("{header}.{lies}.{signature}")),
        ("alg none", format!("{none}.{lies}.")),
        ("alg none with a signature", format!("{none}.{lies}.{signature}")),
        ("very long", "A".repeat(1 << 20)),
    ];
    for (what, forged) in cases {
        is_invalid(&world, &forged, what).await;
    }
    assert_eq!(world.browser().get("/me").bearer(&token).await.is(200).body, "ann");
}

#[tokio::test]
async fn every_claim_must_be_there_and_hold() {
    let world = World::new().await;
    let token = world.token("ann").await;
    let (header, claims) = (part(&token, 0), part(&token, 1));
    let answer = world.browser().get("/me").bearer(&signed(&header, &claims)).await;
    assert_eq!(answer.is(200).body, "ann", "the test signs as the framework does");

    for name in claims.as_object().unwrap().keys() {
        let mut without = claims.clone();
        without.as_object_mut().unwrap().remove(name);
        is_invalid(&world, &signed(&header, &without), name).await;
        for wrong in [json!(null), json!([]), json!({}), json!(true)] {
            let mut changed = claims.clone();
            changed[name] = wrong;
            is_invalid(&world, &signed(&header, &changed), name).await;
        }
    }
    let now = claims["iat"].as_i64().unwrap();
    for (name, value) in [
        ("exp", json!(now - 31)),
        ("nbf", json!(now + 31)),
        ("iss", json!("somebody")),
        ("sub", json!("nobody")),
        ("stamp", json!("AAAAAAAAAAAAAAAAAAAAAA")),
        ("stamp", json!("")),
    ] {
        let mut changed = claims.clone();
        changed[name] = value;
        is_invalid(&world, &signed(&header, &changed), name).await;
    }
    for (name, value) in [
        ("typ", json!("JWT")),
        ("typ", json!(null)),
        ("alg", json!("HS512")),
        ("alg", json!("none")),
        ("kid", json!("another")),
        ("crit", json!(["exp"])),
    ] {
        let mut changed = header.clone();
        changed[name] = value;
        is_invalid(&world, &signed(&changed, &claims), name).await;
    }
}

#[tokio::test]
async fn the_key_in_a_header_is_not_looked_at() {
    let world = World::new().await;
    let token = world.token("ann").await;
    let mut header = part(&token, 0);
    header["jwk"] =
        json!({ "kty": "oct", "k": BASE64.encode(b"the key of the attacker, 32 bytes") });
    let message = format!("{}.{}", encoded(&header), token.split('.').nth(1).unwrap());
    let key = aws_lc_rs::hmac::Key::new(
        aws_lc_rs::hmac::HMAC_SHA256,
        b"the key of the attacker, 32 bytes",
    );
    let signature = BASE64.encode(aws_lc_rs::hmac::sign(&key, message.as_bytes()));
    is_invalid(&world, &format!("{message}.{signature}"), "jwk").await;
}

#[tokio::test]
async fn a_token_anywhere_but_in_its_header_is_not_looked_at() {
    let world = World::new().await;
    let token = world.token("ann").await;
    let client = world.browser();
    for path in [
        format!("/me?access_token={token}"),
        format!("/me?token={token}"),
        format!("/me?authorization=Bearer%20{token}"),
    ] {
        assert_eq!(client.get(path).await.outcome(), (401, "missing_credentials".into()));
    }
    client.plant("access_token", &token);
    client.plant("authorization", &token);
    assert_eq!(client.get("/me").await.code(), "missing_credentials");
    let thief = world.browser();
    thief.plant("__Host-sid", &token);
    assert_eq!(thief.get("/me").await.code(), "invalid_session");
}

#[tokio::test]
async fn a_session_key_is_no_token() {
    let world = World::new().await;
    let key = world.logged_in("ann").await.cookie().unwrap();
    is_invalid(&world, &key, "session key").await;
}

#[tokio::test]
async fn a_token_of_one_type_is_not_turned_into_one_of_the_other() {
    let world = World::new().await;
    // Administrator 1, and a user whose id the attacker would like to be 1.
    let token = world.admin_token("root").await;
    let (header, mut claims) = (part(&token, 0), part(&token, 1));
    assert_eq!(claims["realm"], "admins");
    assert_eq!(claims["sub"], "1");
    claims["realm"] = json!("users");
    is_invalid(&world, &signed(&header, &claims), "realm").await;
}

/// Whoever is asked for keys while this lives.
struct Canary(std::net::TcpListener);

impl Canary {
    fn new() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn url(&self) -> String {
        format!("http://{}/keys", self.0.local_addr().unwrap())
    }

    #[track_caller]
    fn was_not_asked(&self) {
        let asked = self.0.accept().map_err(|error| error.kind());
        assert_eq!(asked.unwrap_err(), std::io::ErrorKind::WouldBlock, "somebody asked for keys");
    }
}

#[tokio::test]
async fn no_header_makes_us_ask_anybody() {
    let world = World::new().await;
    let canary = Canary::new();
    let token = world.token("ann").await;
    let (header, claims) = (part(&token, 0), part(&token, 1));
    let url = canary.url();
    for (member, value) in [
        ("jku", json!(url)),
        ("x5u", json!(url)),
        ("kid", json!(url)),
        ("iss", json!(url)),
        ("jwk", json!({ "kty": "oct", "k": "AA", "jku": url })),
        ("x5c", json!([BASE64.encode("no certificate")])),
        ("x5t", json!("AA")),
        ("kid", json!("../../../../dev/null")),
        ("kid", json!("/proc/self/environ")),
        ("kid", json!("' OR '1'='1")),
        ("kid", json!("x' UNION SELECT 'key' --")),
        ("kid", json!("\u{0}")),
        ("kid", json!("a".repeat(4000))),
    ] {
        let mut forged = header.clone();
        forged[member] = value.clone();
        // Signed with the attacker's key, to which the header leads.
        let message = format!("{}.{}", encoded(&forged), encoded(&claims));
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"");
        let signature = BASE64.encode(aws_lc_rs::hmac::sign(&key, message.as_bytes()));
        is_invalid(&world, &format!("{message}.{signature}"), &format!("{member} {value}")).await;
    }
    let mut elsewhere = claims.clone();
    elsewhere["iss"] = json!(url);
    is_invalid(&world, &signed(&header, &elsewhere), "iss").await;
    canary.was_not_asked();
    drop(std::net::TcpStream::connect(canary.0.local_addr().unwrap()).unwrap());
    assert!(canary.0.accept().is_ok(), "the canary would have noticed");
}

#[tokio::test]
async fn every_claim_in_every_shape_is_401_and_never_a_fault() {
    let world = World::new().await;
    let token = world.token("ann").await;
    let (header, claims) = (part(&token, 0), part(&token, 1));
    for name in ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "auth_time"] {
        for wrong in [
            json!(null),
            json!(""),
            json!("1900000000"),
            json!(1.5),
            json!(-1),
            json!(1e300),
            json!(u64::MAX),
            json!([]),
            json!([null]),
            json!([1900000000]),
            json!({}),
            json!(false),
        ] {
            let mut changed = claims.clone();
            changed[name] = wrong.clone();
            let answer = world.browser().get("/me").bearer(&signed(&header, &changed)).await;
            let is_audience = name == "aud" && wrong == json!("1900000000");
            // Any text names a token, and another audience than ours is said to be one.
            let expected = match (name, &wrong) {
                ("jti", Value::String(jti)) if !jti.is_empty() => 200,
                _ if is_audience => 403,
                _ => 401,
            };
            assert_eq!(answer.status, expected, "{name}: {wrong}");
        }
    }
    for value in [json!("none"), json!("None"), json!("NONE"), json!("nOnE"), json!(["none"])] {
        let mut changed = header.clone();
        changed["alg"] = value.clone();
        let unsigned = format!("{}.{}.", encoded(&changed), encoded(&claims));
        is_invalid(&world, &unsigned, &value.to_string()).await;
        is_invalid(&world, &signed(&changed, &claims), &value.to_string()).await;
    }
    for (what, bytes) in [
        ("64 KiB of dots", ".".repeat(1 << 16)),
        ("64 KiB of parts", "a.".repeat(1 << 15)),
        ("a megabyte of claims", format!("{}.{}.", encoded(&header), "A".repeat(1 << 20))),
    ] {
        is_invalid(&world, &bytes, what).await;
    }
    let raw = |claims: &[u8]| {
        let message = format!("{}.{}", encoded(&header), BASE64.encode(claims));
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, JWT_SECRET);
        format!("{message}.{}", BASE64.encode(aws_lc_rs::hmac::sign(&key, message.as_bytes())))
    };
    let text = claims.to_string();
    for (what, bytes) in [
        ("not UTF-8", &b"{\"sub\":\"\xff\"}"[..]),
        ("UTF-16", &[0xff, 0xfe, b'{', 0, b'}', 0]),
        ("a list", b"[]"),
        ("nothing", b""),
        ("null", b"null"),
        ("cut", &text.as_bytes()[..text.len() - 1]),
        ("two objects", format!("{text}{text}").as_bytes()),
        ("deep", "[".repeat(2000).as_bytes()),
    ] {
        is_invalid(&world, &raw(bytes), what).await;
    }
    assert_eq!(world.browser().get("/me").bearer(&raw(text.as_bytes())).await.status, 200);
}
