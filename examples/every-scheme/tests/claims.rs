//! Tokens of another issuer, and users who are made of them.

use std::fs;

use auth_poem::prelude::*;
use auth_tests::{Provider, provider::Signed};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use example_kit::testing::{Answer, empty_folder};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::server::{ALICE, Server};

const AUDIENCE: &str = "https://api.example";

/// Another issuer.
struct Issuer {
    name: &'static str,
    pair: Ed25519KeyPair,
}

impl Issuer {
    fn new() -> Self {
        Self { name: "https://id.example", pair: Ed25519KeyPair::generate().unwrap() }
    }

    /// Its public key, as it publishes it.
    fn jwks(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.pair.public_key());
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "1", "x": x });
        json!({ "keys": [key] })
    }

    /// A token that says this.
    fn token(&self, claims: &Value) -> String {
        let header = Header { kid: Some("1".into()), ..Header::new(Algorithm::EdDSA) };
        let key = EncodingKey::from_ed_der(self.pair.to_pkcs8v1().unwrap().as_ref());
        jsonwebtoken::encode(&header, claims, &key).unwrap()
    }
}

/// An issuer, and an example that trusts it.
fn world() -> (Issuer, Server) {
    let (issuer, folder) = (Issuer::new(), empty_folder());
    let file = folder.path().join("issuer.json");
    fs::write(&file, issuer.jwks().to_string()).unwrap();
    let server = Server::start_with(&[
        ("TRUSTED_ISSUER", issuer.name),
        ("TRUSTED_JWKS", file.to_str().unwrap()),
        ("TRUSTED_AUDIENCE", AUDIENCE),
    ]);
    (issuer, server)
}

fn claims(issuer: &Issuer, change: Value) -> Value {
    let now = Utc::now().timestamp();
    let mut claims = json!({
        "iss": issuer.name, "sub": "eve", "aud": AUDIENCE, "iat": now, "exp": now + 300,
        "email": "eve@example.org", "groups": ["staff"],
    });
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn ask(server: &Server, token: &str) -> Answer {
    let mut client = server.client();
    client.token = Some(token.to_owned());
    let answer = client.get("/claims");
    server.conforming("GET", "/claims", answer)
}

#[test]
fn a_token_of_the_trusted_issuer_says_who_somebody_is() {
    let (issuer, server) = world();
    let claims = claims(&issuer, json!({}));
    let token = issuer.token(&claims);
    ask(&server, &token).assert(200, &claims);
    // It names nobody who has an account here, and a token of here is none of that issuer's.
    let mut client = server.client();
    client.token = Some(token);
    assert_eq!(client.get("/me").status, 401);
    let own = server.tokens(ALICE).access;
    assert_eq!(ask(&server, &own).status, 401);
    server.client().get("/claims").assert_refused(401, "missing_credentials");
}

#[test]
fn what_does_not_hold_is_refused() {
    let (issuer, server) = world();
    let now = Utc::now().timestamp();
    for change in [
        json!({ "iss": "https://evil.example" }),
        json!({ "exp": now - 300 }),
        json!({ "nbf": now + 300 }),
        json!({ "sub": "" }),
        json!({ "exp": "soon" }),
    ] {
        let answer = ask(&server, &issuer.token(&claims(&issuer, change.clone())));
        assert_eq!(answer.status, 401, "{change}: {answer:?}");
    }
    let elsewhere = issuer.token(&claims(&issuer, json!({ "aud": "https://other.example" })));
    ask(&server, &elsewhere).assert_refused(403, "wrong_audience");
    let forged = Issuer::new().token(&claims(&issuer, json!({})));
    ask(&server, &forged).assert_refused(401, "invalid_token");
}

/// An issuer that publishes its keys, an example that trusts it, and claims that it makes.
async fn published() -> (Provider, Server, Value) {
    let provider = Provider::start(&ManualClock::default()).await;
    let server = Server::start_with(&[
        ("TRUSTED_ISSUER", &*provider.issuer),
        ("TRUSTED_JWKS", &format!("{}/jwks", provider.issuer)),
        ("TRUSTED_AUDIENCE", AUDIENCE),
    ]);
    let exp = Utc::now().timestamp() + 300;
    let claims = json!({ "iss": provider.issuer, "sub": "eve", "aud": AUDIENCE, "exp": exp });
    (provider, server, claims)
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_fetched_from_where_the_issuer_publishes_them() {
    let (provider, server, claims) = published().await;
    // The example needs no provider to start, and a token that it cannot judge is nobody's fault.
    assert_eq!(provider.requests(), 0);
    provider.down("/jwks");
    let token = provider.token(claims.clone());
    let mut client = server.client();
    client.token = Some(token.clone());
    client.get("/claims").assert_refused(503, "unavailable");
    // Nor is it asked again at once.
    provider.behave();
    client.get("/claims").assert_refused(503, "unavailable");
    assert_eq!(provider.asked("/jwks"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_good_with_a_key_that_the_issuer_publishes_at_the_moment() {
    let (provider, server, claims) = published().await;
    for _ in 0..3 {
        ask(&server, &provider.token(claims.clone())).assert(200, &claims);
    }
    provider.sign(Signed::ByAnotherKey);
    ask(&server, &provider.token(claims.clone())).assert_refused(401, "invalid_token");
    provider.sign(Signed::NotAtAll);
    ask(&server, &provider.token(claims.clone())).assert_refused(401, "invalid_token");
    assert_eq!(provider.requests(), 1, "one set of keys");
}

#[test]
fn without_an_issuer_there_is_nobody_to_make() {
    let server = Server::start();
    server.client().get("/claims").assert_refused(404, "not_found");
    let document = server.root().get("/openapi.json").body;
    assert!(document["paths"].get("/claims").is_none());
}

#[test]
fn without_tokens_nobody_is_made_of_them() {
    let file = empty_folder();
    let keys = file.path().join("issuer.json");
    fs::write(&keys, Issuer::new().jwks().to_string()).unwrap();
    let server = Server::start_with(&[
        ("TRUSTED_ISSUER", "https://id.example"),
        ("TRUSTED_JWKS", keys.to_str().unwrap()),
        ("TRUSTED_AUDIENCE", AUDIENCE),
        ("DISABLE", "bearer"),
    ]);
    server.client().get("/claims").assert_refused(404, "not_found");
}
