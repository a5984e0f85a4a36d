//! Providers that lie: tokens, documents and answers that do not hold are refused, and no account is
//! touched.

use auth_poem::prelude::Duration;
use auth_tests::{
    OidcWorld, Signed,
    provider::{CLIENT_ID, CLIENT_SECRET},
};
use serde_json::{Value, json};

use crate::oidc::{eve, nothing_happened};

#[tokio::test]
async fn an_id_token_that_does_not_hold_logs_nobody_in() {
    type Lie = Box<dyn Fn(&mut Value, &mut Value) + Send + Sync>;
    fn claim(name: &'static str, value: Value) -> Lie {
        Box::new(move |_, claims| claims[name] = value.clone())
    }
    fn without(name: &'static str) -> Lie {
        Box::new(move |_, claims| drop(claims.as_object_mut().unwrap().remove(name)))
    }
    fn header(name: &'static str, value: Value) -> Lie {
        Box::new(move |header, _| header[name] = value.clone())
    }
    let world = OidcWorld::new().await;
    let before = world.accounts();
    let now = auth_poem::prelude::Clock::now(&world.world.clock).timestamp();
    let main = world.main.issuer.clone();
    let lies: Vec<(&str, Lie)> = vec![
        ("issuer", claim("iss", world.other.issuer.clone().into())),
        ("issuer with a slash", claim("iss", format!("{main}/").into())),
        ("no issuer", without("iss")),
        ("audience", claim("aud", "another shop".into())),
        ("empty audience", claim("aud", "".into())),
        ("no audience", without("aud")),
        ("audience beside ours", claim("aud", json!([CLIENT_ID, "another shop"]))),
        ("audience list without us", claim("aud", json!(["another shop"]))),
        ("party", claim("azp", "another shop".into())),
        ("nonce", claim("nonce", "another login's".into())),
        ("empty nonce", claim("nonce", "".into())),
        ("no nonce", without("nonce")),
        ("expired", claim("exp", (now - 30).into())),
        ("no expiry", without("exp")),
        ("expiry as text", claim("exp", "never".into())),
        ("issued in the future", claim("iat", (now + 31).into())),
        ("another access token", claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA".into())),
        ("no subject", without("sub")),
        ("empty subject", claim("sub", "".into())),
        ("subject as a number", claim("sub", 7.into())),
        ("long subject", claim("sub", "x".repeat(256).into())),
        ("none", header("alg", "none".into())),
        ("None", header("alg", "None".into())),
        ("nOnE", header("alg", "nOnE".into())),
        ("no algorithm", Box::new(|header, _| drop(header.as_object_mut().unwrap().remove("alg")))),
        ("another algorithm", header("alg", "RS256".into())),
        ("crit", header("crit", json!(["exp"]))),
        ("encrypted", header("alg", "RSA-OAEP".into())),
        ("type", header("typ", "at+jwt".into())),
        ("unknown key", header("kid", "unknown".into())),
        ("key as a path", header("kid", "../../dev/null".into())),
    ];
    for (lie, tamper) in lies {
        world.main.behave();
        world.main.tamper(tamper);
        let browser = world.browser();
        let answer = world.log_in(&browser, &eve()).await;
        assert_eq!(answer.outcome(), (403, "invalid_identity".into()), "{lie}");
        nothing_happened(&world, &browser, &before).await;
    }
    world.main.behave();
    let _ = world.log_in(&world.browser(), &eve()).await.is(302);
}

#[tokio::test]
async fn an_id_token_with_another_signature_logs_nobody_in() {
    let world = OidcWorld::new().await;
    let before = world.accounts();
    for signed in [
        Signed::ByAnotherKey,
        Signed::NotAtAll,
        // The secret is what openid allows; it is not what this application allows.
        Signed::With(CLIENT_SECRET.into()),
        Signed::With(world.main.public_key()),
        Signed::With(Vec::new()),
    ] {
        world.main.sign(signed.clone());
        let browser = world.browser();
        let answer = world.log_in(&browser, &eve()).await;
        assert_eq!(answer.outcome(), (403, "invalid_identity".into()), "{signed:?}");
        nothing_happened(&world, &browser, &before).await;
    }
    world.main.behave();
    world.main.rotate(false);
    let browser = world.browser();
    let answer = world.log_in(&browser, &eve()).await;
    assert_eq!(answer.outcome(), (403, "invalid_identity".into()));
    nothing_happened(&world, &browser, &before).await;
}

#[tokio::test]
async fn nothing_in_a_token_makes_this_process_ask_anybody_else() {
    let world = OidcWorld::new().await;
    let canary = world.other.issuer.clone();
    let requests = world.other.requests();
    for (name, value) in [
        ("jku", json!(format!("{canary}/jwks"))),
        ("x5u", json!(format!("{canary}/jwks"))),
        ("iss", json!(canary)),
    ] {
        world.main.tamper(move |header, _| {
            header[name] = value.clone();
            header["kid"] = "unknown".into();
        });
        let answer = world.log_in(&world.browser(), &eve()).await;
        assert_eq!(answer.outcome(), (403, "invalid_identity".into()));
    }
    assert_eq!(world.other.requests(), requests);
    // And the provider itself is asked no more often than it was.
    assert_eq!(world.main.asked("/jwks"), 1);
    world.world.wait(Duration::seconds(10));
    for _ in 0..5 {
        let _ = world.log_in(&world.browser(), &eve()).await.is(403);
    }
    assert_eq!(world.main.asked("/jwks"), 2);
}

#[tokio::test]
async fn a_document_of_another_issuer_or_over_plain_http_is_a_fault() {
    for change in [
        (|d: &mut Value| d["issuer"] = "https://evil.example".into()) as fn(&mut Value),
        |d| d["token_endpoint"] = "http://evil.example/token".into(),
        |d| d["jwks_uri"] = "http://evil.example/jwks".into(),
        |d| d["authorization_endpoint"] = "http://evil.example/".into(),
        |d| d["userinfo_endpoint"] = "ftp://evil.example/".into(),
        |d| d["jwks_uri"] = 7.into(),
        |d| d["padding"] = "x".repeat(300_000).into(),
    ] {
        let world = OidcWorld::new().await;
        world.main.discovery(change);
        let answer = world.browser().get("/oidc/main/login").await;
        assert_eq!(answer.outcome(), (503, "unavailable".into()));
        assert_eq!(world.main.requests(), 1);
    }
}

#[tokio::test]
async fn somebody_elses_userinfo_is_not_taken_over() {
    let world = OidcWorld::new().await;
    let before = world.accounts();
    world.main.tamper(|_, claims| drop(claims.as_object_mut().unwrap().remove("email")));
    for sub in [json!("mallory"), json!(null), json!(7), json!("")] {
        world.main.userinfo(move |claims| claims["sub"] = sub.clone());
        let browser = world.browser();
        let answer = world.log_in(&browser, &eve()).await;
        assert_eq!(answer.outcome(), (403, "invalid_identity".into()));
        nothing_happened(&world, &browser, &before).await;
    }
}
