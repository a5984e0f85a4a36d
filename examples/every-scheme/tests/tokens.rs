//! Tokens: the endpoint, refreshing, ending, the public keys.

use example_kit::testing::Answer;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use serde_json::{Value, json};

use crate::server::{ALICE, BOB, Server, Tokens};

/// Sends a refresh token in.
fn refresh(server: &Server, token: &str) -> Answer {
    server.token(&[("grant_type", "refresh_token"), ("refresh_token", token)])
}

/// Asks for a token to be ended.
fn revoke(server: &Server, token: &str) {
    let answer = server.client().post_form("/oauth/revoke", &[("token", token)]);
    let answer = server.conforming("POST", "/oauth/revoke", answer);
    assert_eq!((answer.status, answer.body.is_null()), (200, true));
}

#[track_caller]
fn refused(answer: &Answer, error: &str) {
    assert_eq!((answer.status, &answer.body["error"]), (400, &json!(error)), "{answer:?}");
    assert!(answer.body["error_description"].is_string());
}

fn me(server: &Server, access: &str) -> Answer {
    let mut client = server.client();
    client.token = Some(access.to_owned());
    client.get("/me")
}

#[test]
fn the_token_endpoint_speaks_as_the_rfc_does() {
    let server = Server::start();
    let form = [("grant_type", "password"), ("username", "alice"), ("password", ALICE.password)];
    let answer = server.token(&form);
    assert_eq!((answer.status, &answer.body["token_type"]), (200, &json!("Bearer")));
    assert_eq!(answer.body["expires_in"], 600);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.set_cookie(), None);
    for (form, error) in [
        (
            &[("grant_type", "password"), ("username", "alice"), ("password", "x")][..],
            "invalid_grant",
        ),
        (&[("grant_type", "password"), ("username", "x"), ("password", "x")], "invalid_grant"),
        (&[("grant_type", "password"), ("username", "alice")], "invalid_request"),
        (&[("grant_type", "refresh_token"), ("refresh_token", "x")], "invalid_grant"),
        (&[("grant_type", "client_credentials")], "unsupported_grant_type"),
        (&[], "invalid_request"),
    ] {
        refused(&server.token(form), error);
    }
    let json = json!({ "grant_type": "password", "username": "alice", "password": ALICE.password });
    assert_eq!(server.client().post("/oauth/token", json).status, 400);
}

#[test]
fn a_refresh_token_is_good_once_and_a_second_use_ends_its_login() {
    let server = Server::start_with(&[("REFRESH_GRACE", "0")]);
    let first = server.tokens(ALICE);
    let other = server.tokens(ALICE);
    let second = Tokens::of(&refresh(&server, &first.refresh));
    let third = Tokens::of(&refresh(&server, &second.refresh));
    assert_eq!(me(&server, &third.access).body["username"], "alice");
    assert_ne!(first.refresh, second.refresh);
    refused(&refresh(&server, &first.refresh), "invalid_grant");
    refused(&refresh(&server, &third.refresh), "invalid_grant");
    assert!(server.log().contains("refresh_token_reused"), "{}", server.log());
    let _ = Tokens::of(&refresh(&server, &other.refresh));
}

#[test]
fn an_accident_does_no_harm() {
    let server = Server::start();
    let first = server.tokens(ALICE);
    let second = Tokens::of(&refresh(&server, &first.refresh));
    let again = refresh(&server, &first.refresh);
    refused(&again, "invalid_grant");
    assert!(again.header("retry-after").is_some());
    let _ = Tokens::of(&refresh(&server, &second.refresh));
}

#[test]
fn tokens_can_be_ended() {
    let server = Server::start();
    let tokens = server.tokens(ALICE);
    let other = server.tokens(ALICE);
    revoke(&server, &tokens.access);
    me(&server, &tokens.access).assert_refused(401, "invalid_token");
    revoke(&server, &other.refresh);
    refused(&refresh(&server, &other.refresh), "invalid_grant");
    // What is none holds no longer either.
    revoke(&server, "nothing");
    assert_eq!(me(&server, &server.tokens(ALICE).access).status, 200);
}

#[test]
fn a_logout_ends_the_presented_token() {
    let server = Server::start();
    let mut alice = server.with_token(ALICE);
    assert_eq!(alice.post("/logout", json!({})).status, 204);
    alice.get("/me").assert_refused(401, "invalid_token");
    alice.get("/optional").assert_refused(401, "invalid_token");
}

#[test]
fn tokens_survive_a_restart_and_a_kill_and_ended_ones_stay_ended() {
    let mut server = Server::start();
    let tokens = server.tokens(ALICE);
    let ended = server.tokens(BOB);
    revoke(&server, &ended.access);
    revoke(&server, &ended.refresh);
    let mut latest = tokens.refresh;
    for kill in [false, true] {
        if kill {
            server.kill()
        } else {
            server.stop()
        }
        server.start_again();
        assert_eq!(me(&server, &tokens.access).body["username"], "alice");
        latest = Tokens::of(&refresh(&server, &latest)).refresh;
        me(&server, &ended.access).assert_refused(401, "invalid_token");
        refused(&refresh(&server, &ended.refresh), "invalid_grant");
    }
}

#[test]
fn anybody_can_verify_a_token_by_the_public_keys() {
    let server = Server::start();
    let access = server.tokens(ALICE).access;
    let answer = server.root().get("/.well-known/jwks.json");
    assert_eq!(answer.header("content-type"), Some("application/jwk-set+json"));
    let keys: JwkSet = serde_json::from_value(answer.body).unwrap();
    let header = jsonwebtoken::decode_header(&access).unwrap();
    let key = keys.find(&header.kid.unwrap()).unwrap();
    assert_eq!(header.alg, Algorithm::EdDSA);
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&["every-scheme"]);
    validation.set_audience(&["every-scheme"]);
    let key = DecodingKey::from_jwk(key).unwrap();
    let verified = jsonwebtoken::decode::<Value>(&access, &key, &validation).unwrap();
    assert!(verified.claims["sub"].is_string() && verified.claims["jti"].is_string());
    let file = std::fs::read_to_string(server.path("every-scheme.keys.json")).unwrap();
    let private: Value = serde_json::from_str(&file).unwrap();
    let private = private["keys"][0]["d"].as_str().unwrap().to_owned();
    let published = server.root().get("/.well-known/jwks.json").body.to_string();
    assert!(!published.contains(&private) && !published.contains("\"d\""));
}

#[test]
fn without_tokens_there_is_no_token_endpoint() {
    let server = Server::start_with(&[("DISABLE", "bearer")]);
    let form = [("grant_type", "password"), ("username", "alice"), ("password", ALICE.password)];
    server.client().post_form("/oauth/token", &form).assert_refused(404, "not_found");
    let document = server.root().get("/openapi.json").body;
    assert!(document["paths"].get("/oauth/token").is_none());
}
