//! Coming in through a provider of identities.

use auth_poem::prelude::*;
use auth_tests::{
    Person, Provider,
    provider::{CLIENT_ID, CLIENT_SECRET},
};
use example_kit::testing::{Answer, Client};
use serde_json::json;

use crate::server::Server;

/// A provider, and an example that knows it as `main`.
async fn world() -> (Provider, Server) {
    let provider = Provider::start(&ManualClock::default()).await;
    let server = Server::start_with(&[
        ("OIDC_ISSUER", &provider.issuer),
        ("OIDC_CLIENT_ID", CLIENT_ID),
        ("OIDC_CLIENT_SECRET", CLIENT_SECRET),
    ]);
    (provider, server)
}

/// Where an answer sends the browser.
fn location(answer: &Answer) -> &str {
    assert_eq!(answer.status, 302, "{answer:?}");
    answer.header("location").unwrap()
}

/// Begins a login, and goes as far as to the answer of the provider.
fn at_the_provider(provider: &Provider, server: &Server, browser: &mut Client) -> String {
    let answer = browser.get("/oidc/main/login");
    let answer = server.conforming("GET", "/oidc/{provider}/login", answer);
    let person = Person::new("eve", "eve@example.org");
    let back = provider.log_in(location(&answer), &person);
    back.strip_prefix("/api").unwrap().to_owned()
}

/// Somebody who has come in.
fn come_in(provider: &Provider, server: &Server) -> Client {
    let mut browser = server.client();
    let back = at_the_provider(provider, server, &mut browser);
    let answer = browser.get(&back);
    let answer = server.conforming("GET", "/oidc/{provider}/callback", answer);
    assert_eq!(location(&answer), "/");
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_at_the_provider_is_one_here() {
    let (provider, server) = world().await;
    let mut eve = come_in(&provider, &server);
    let me = eve.get("/me");
    let known = (&me.body["username"], &me.body["scheme"]);
    assert_eq!(known, (&json!("main:eve"), &json!("session")), "{me:?}");
    eve.get("/reports").assert_refused(403, "forbidden");
    // She is the same the next time, and has no password to come in with.
    assert_eq!(come_in(&provider, &server).get("/me").body["id"], me.body["id"]);
    let guess = json!({ "username": "main:eve", "password": "" });
    server.client().post("/login", guess).assert_refused(401, "wrong_credentials");
    assert!([301, 302, 303, 307].contains(&server.root().get("/").status));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_survives_a_restart() {
    let (provider, mut server) = world().await;
    let id = come_in(&provider, &server).get("/me").body["id"].clone();
    server.stop();
    server.start_again();
    assert_eq!(come_in(&provider, &server).get("/me").body["id"], id);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_no_login_of_this_browser_logs_nobody_in() {
    let (provider, server) = world().await;
    let mut eve = server.client();
    let back = at_the_provider(&provider, &server, &mut eve);
    let mut victim = server.client();
    victim.get(&back).assert_refused(400, "invalid_login_state");
    assert_eq!(victim.get("/optional").body, json!({ "username": null }));
    assert_eq!(location(&eve.get(&back)), "/");
    eve.get(&back).assert_refused(400, "invalid_login_state");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_says_must_hold() {
    let (provider, server) = world().await;
    provider.tamper(|_, claims| claims["nonce"] = "another".into());
    let mut eve = server.client();
    let back = at_the_provider(&provider, &server, &mut eve);
    let answer = eve.get(&back);
    let answer = server.conforming("GET", "/oidc/{provider}/callback", answer);
    answer.assert_refused(403, "invalid_identity");
    assert_eq!(eve.get("/optional").body, json!({ "username": null }));
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_no_other_providers() {
    let (_provider, server) = world().await;
    server.client().get("/oidc/other/login").assert_refused(404, "not_found");
    let alone = Server::start();
    alone.client().get("/oidc/main/login").assert_refused(404, "not_found");
    assert!(!alone.root().get("/openapi.json").body.to_string().contains("/oidc/"));
}
