//! The keys of another issuer: fetched, kept, fetched anew, and never more often than that.

use auth_poem::{fault::Error, jwt::TrustedIssuer, oidc::RemoteJwks, prelude::*};
use auth_tests::{
    Browser, Provider, World,
    provider::{AUDIENCE, Published},
};
use poem_openapi::payload::PlainText;
use serde::Deserialize;
use serde_json::json;

async fn world() -> (ManualClock, Provider, RemoteJwks) {
    let clock = ManualClock::default();
    let provider = Provider::start(&clock).await;
    let keys = RemoteJwks::of_issuer(&provider.issuer).unwrap();
    (clock, provider, keys)
}

#[tokio::test]
async fn a_set_is_fetched_once_an_hour() {
    let (clock, provider, keys) = world().await;
    let kid = provider.kid();
    for _ in 0..3 {
        let found = keys.key(Some(&kid), clock.now()).await.unwrap().unwrap();
        assert!(format!("{found:?}").contains(&kid));
        assert!(keys.key(None, clock.now()).await.unwrap().is_some(), "there is only one");
    }
    assert_eq!(provider.asked("/jwks"), 1);
    clock.advance(Duration::minutes(59));
    let _ = keys.key(Some(&kid), clock.now()).await.unwrap();
    assert_eq!(provider.asked("/jwks"), 1);
    clock.advance(Duration::minutes(1));
    let _ = keys.key(Some(&kid), clock.now()).await.unwrap();
    assert_eq!(provider.asked("/jwks"), 2);
    let direct = RemoteJwks::new(format!("{}/jwks", provider.issuer)).unwrap();
    assert!(direct.key(Some(&kid), clock.now()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_new_key_is_found_and_a_crowd_of_unknown_ones_asks_once() {
    let (clock, provider, keys) = world().await;
    let old = provider.kid();
    assert!(keys.key(Some(&old), clock.now()).await.unwrap().is_some());
    provider.rotate(true);
    let new = provider.kid();
    assert!(keys.key(Some(&new), clock.now()).await.unwrap().is_none(), "asked a moment ago");
    clock.advance(Duration::seconds(10));
    let now = clock.now();
    let all = futures_util::future::join_all((0..50).map(|_| keys.key(Some(&new), now))).await;
    assert!(all.into_iter().all(|found| found.unwrap().is_some()));
    assert_eq!(provider.asked("/jwks"), 2);
    assert!(keys.key(None, now).await.unwrap().is_none(), "which of two?");
    for index in 0..50 {
        let unknown = format!("../{index}' OR 1=1");
        assert!(keys.key(Some(&unknown), now).await.unwrap().is_none());
    }
    assert_eq!(provider.asked("/jwks"), 2);
    clock.advance(Duration::seconds(10));
    for index in 0..50 {
        assert!(keys.key(Some(&index.to_string()), clock.now()).await.unwrap().is_none());
    }
    assert_eq!(provider.asked("/jwks"), 3);
    assert!(keys.key(Some(&old), clock.now()).await.unwrap().is_some());
}

#[tokio::test]
async fn while_there_is_no_answer_the_last_one_serves_for_a_day() {
    let (clock, provider, keys) = world().await;
    let kid = provider.kid();
    provider.down("/jwks");
    let fault = keys.key(Some(&kid), clock.now()).await.unwrap_err();
    assert!(matches!(fault, Error::Provider { .. }), "{fault}");
    assert!(keys.key(Some(&kid), clock.now()).await.is_err());
    assert_eq!(provider.asked("/jwks"), 1, "it is left in peace");
    provider.behave();
    clock.advance(Duration::seconds(10));
    assert!(keys.key(Some(&kid), clock.now()).await.unwrap().is_some());
    provider.down("/jwks");
    clock.advance(Duration::hours(23));
    assert!(keys.key(Some(&kid), clock.now()).await.unwrap().is_some());
    // Of a key that is not in it nobody can tell.
    assert!(keys.key(Some("new"), clock.now()).await.is_err());
    clock.advance(Duration::hours(1));
    assert!(keys.key(Some(&kid), clock.now()).await.is_err());
}

#[tokio::test]
async fn of_a_set_only_public_keys_that_are_of_use_are_taken() {
    let (clock, provider, keys) = world().await;
    let kid = provider.kid();
    provider.publish(Published::Also(vec![
        json!({ "kty": "oct", "kid": "secret", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0" }),
        json!({ "kty": "EC", "crv": "P-521", "kid": "large", "x": "AA", "y": "AA" }),
        json!({ "kty": "RSA", "use": "enc", "kid": "enc", "n": "AA", "e": "AQAB" }),
        json!({ "kty": "new" }),
        json!("no key at all"),
        json!({ "kty": "EC", "crv": "P-256", "kid": kid, "x": "AA", "y": "AA" }),
    ]));
    let found = keys.key(Some(&kid), clock.now()).await.unwrap().unwrap();
    assert_eq!(format!("{found:?}").matches("kid").count(), 1, "{found:?}");
    for kid in ["secret", "large", "enc"] {
        assert!(keys.key(Some(kid), clock.now()).await.unwrap().is_none(), "{kid}");
    }
    for published in [
        Published::Instead(json!({ "keys": [] })),
        Published::Instead(json!([])),
        Published::Instead(json!({ "keys": "x".repeat(300_000) })),
    ] {
        let (clock, provider, keys) = world().await;
        provider.publish(published);
        let fault = keys.key(Some(&provider.kid()), clock.now()).await;
        assert!(matches!(fault, Err(Error::Provider { .. })), "{fault:?}");
    }
}

#[test]
fn keys_come_over_https() {
    for url in ["http://login.example/jwks", "login.example", "file:///etc/passwd", ""] {
        assert!(matches!(RemoteJwks::new(url), Err(Error::Misconfigured(_))), "{url}");
        assert!(matches!(RemoteJwks::of_issuer(url), Err(Error::Misconfigured(_))), "{url}");
    }
}

#[derive(AuthUser, Deserialize, Clone, Debug)]
#[auth(claims, schemes(bearer))]
struct Caller {
    #[auth(id)]
    #[serde(flatten)]
    id: Subject,
}

struct Api;

#[auth_api]
impl Api {
    #[oai(path = "/caller", method = "get")]
    async fn caller(&self, caller: Caller) -> PlainText<String> {
        PlainText(caller.id.subject)
    }

    #[oai(path = "/maybe", method = "get")]
    async fn maybe(&self, caller: Option<Caller>) -> PlainText<String> {
        PlainText(caller.map_or("nobody".into(), |caller| caller.id.subject))
    }
}

/// A provider, and a service that takes its tokens.
async fn service() -> (ManualClock, Provider, Browser) {
    let (clock, provider, keys) = world().await;
    let keys = keys.clock(clock.clone());
    let issuer = TrustedIssuer::with_source(&provider.issuer, AUDIENCE, keys);
    let auth = AuthConfig::new()
        .user::<Caller>(ClaimsUsers::new())
        .trust(issuer)
        .clock(clock.clone())
        .build()
        .unwrap();
    (clock, provider, World::serve(auth.openapi(Api, "Callers", "1.0")))
}

fn token(clock: &ManualClock, provider: &Provider) -> String {
    let exp = clock.now().timestamp() + 300;
    provider.token(json!({ "iss": provider.issuer, "sub": "ann", "aud": AUDIENCE, "exp": exp }))
}

#[tokio::test]
async fn a_service_takes_the_tokens_of_a_provider() {
    let (clock, provider, client) = service().await;
    assert_eq!(provider.requests(), 0, "nothing is fetched before it is needed");
    let old = token(&clock, &provider);
    for _ in 0..3 {
        assert_eq!(client.get("/caller").bearer(&old).await.is(200).body, "ann");
    }
    assert_eq!(client.get("/maybe").await.is(200).body, "nobody");
    assert_eq!(provider.asked("/jwks"), 1);
    // A new key is found by its name, and the old one is still good.
    provider.rotate(true);
    clock.advance(Duration::seconds(10));
    let new = token(&clock, &provider);
    for token in [&new, &old, &new] {
        assert_eq!(client.get("/caller").bearer(token).await.is(200).body, "ann");
    }
    assert_eq!(provider.asked("/jwks"), 2);
}

#[tokio::test]
async fn a_key_that_was_withdrawn_ends_what_it_has_signed() {
    let (clock, provider, client) = service().await;
    let exp = clock.now().timestamp() + 7_200;
    let claims = json!({ "iss": provider.issuer, "sub": "ann", "aud": AUDIENCE, "exp": exp });
    let long = provider.token(claims);
    assert_eq!(client.get("/caller").bearer(&long).await.is(200).body, "ann");
    provider.withdraw();
    clock.advance(Duration::hours(1));
    for path in ["/caller", "/maybe"] {
        let answer = client.get(path).bearer(&long).await;
        assert_eq!(answer.outcome(), (401, "invalid_token".into()), "{path}");
    }
    let new = token(&clock, &provider);
    clock.advance(Duration::seconds(10));
    assert_eq!(client.get("/caller").bearer(&new).await.is(200).body, "ann");
}

#[tokio::test]
async fn a_known_token_ends_when_it_says() {
    let (clock, provider, client) = service().await;
    let token = token(&clock, &provider);
    assert_eq!(client.get("/caller").bearer(&token).await.is(200).body, "ann");
    // Half a minute for clocks that differ.
    clock.advance(Duration::seconds(329));
    assert_eq!(client.get("/caller").bearer(&token).await.is(200).body, "ann");
    clock.advance(Duration::seconds(1));
    for path in ["/caller", "/maybe"] {
        let answer = client.get(path).bearer(&token).await;
        assert_eq!(answer.outcome(), (401, "invalid_token".into()), "{path}");
    }
}

#[tokio::test]
async fn a_document_of_another_issuer_names_no_keys() {
    let (clock, provider, keys) = world().await;
    let kid = provider.kid();
    provider.discovery(|document| document["issuer"] = json!("https://evil.example"));
    let fault = keys.key(Some(&kid), clock.now()).await.unwrap_err();
    assert!(matches!(fault, Error::Provider { .. }), "{fault}");
    assert_eq!(provider.asked("/jwks"), 0);
    let plain = "http://login.example/jwks";
    provider.discovery(move |document| document["jwks_uri"] = json!(plain));
    clock.advance(Duration::seconds(10));
    assert!(keys.key(Some(&kid), clock.now()).await.is_err());
    provider.behave();
    clock.advance(Duration::seconds(10));
    assert!(keys.key(Some(&kid), clock.now()).await.unwrap().is_some());
}

#[tokio::test]
async fn what_a_token_says_of_its_keys_asks_nobody() {
    let (clock, provider, client) = service().await;
    let evil = Provider::start(&clock).await;
    let (jku, jwk) = (format!("{}/jwks", evil.issuer), json!({ "kty": "oct", "k": "AAAA" }));
    for name in ["jku", "x5u", "jwk"] {
        let value = if name == "jwk" { jwk.clone() } else { json!(jku) };
        provider.tamper(move |header, _| header[name] = value.clone());
        let answer = client.get("/caller").bearer(&token(&clock, &provider)).await;
        assert!([200, 401].contains(&answer.status), "{name}: {}", answer.status);
    }
    assert_eq!(evil.requests(), 0);
    // A crowd of names that nobody has costs one request in ten seconds.
    provider.behave();
    let before = provider.asked("/jwks");
    for index in 0..50 {
        let kid = format!("http://{index}.evil.example/jwks");
        provider.tamper(move |header, _| header["kid"] = json!(kid));
        let answer = client.get("/maybe").bearer(&token(&clock, &provider)).await;
        assert_eq!(answer.outcome(), (401, "invalid_token".into()));
    }
    assert!(provider.asked("/jwks") <= before + 1, "{}", provider.asked("/jwks"));
    assert_eq!(evil.requests(), 0);
}

#[tokio::test]
async fn keys_that_cannot_be_had_are_a_fault() {
    let (clock, provider, client) = service().await;
    provider.down("/jwks");
    for path in ["/caller", "/maybe"] {
        let answer = client.get(path).bearer(&token(&clock, &provider)).await;
        assert_eq!(answer.outcome(), (503, "unavailable".into()), "{path}");
    }
    assert_eq!(client.get("/maybe").await.is(200).body, "nobody");
    provider.behave();
    clock.advance(Duration::seconds(10));
    assert_eq!(client.get("/maybe").bearer(&token(&clock, &provider)).await.is(200).body, "ann");
}
