//! A code by e-mail, in a typed session.

use std::{collections::BTreeMap, thread};

use example_kit::testing::Client;
use serde_json::{Value, json};

use super::server::Server;

const ADDRESS: &str = "ann@example.org";

/// A client that has asked for a code, and the code.
fn asked(server: &Server) -> (Client, String) {
    let mut client = server.client();
    let answer = client.post("/email/send_code", json!({"email": ADDRESS}));
    assert_eq!((answer.status, &answer.body), (200, &json!({"expires_in": 300})));
    let message = server.outbox().pop().unwrap();
    (client, message["code"].as_str().unwrap().to_owned())
}

fn guess(email: &str, code: &str) -> Value {
    json!({"email": email, "code": code})
}

fn wrong(code: &str) -> &'static str {
    if code == "123456" { "654321" } else { "123456" }
}

#[test]
fn sends_a_code_and_takes_it_once() {
    let server = Server::start();
    let (mut client, code) = asked(&server);
    let message = server.outbox().pop().unwrap();
    let members: Vec<&String> = message.as_object().unwrap().keys().collect();
    assert_eq!(members, ["code", "subject", "text", "to"]);
    assert_eq!(message["to"], ADDRESS);
    assert!(message["text"].as_str().unwrap().contains(&code));
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");

    let answer = client.post("/email/verify_code", guess(ADDRESS, &code));
    assert_eq!((answer.status, &answer.body), (200, &json!({"verified": true})));
    client.post("/email/verify_code", guess(ADDRESS, &code)).assert_refused(422, "no_code");
}

#[test]
fn refuses_what_is_no_address() {
    let server = Server::start();
    for email in ["", "ann", "ann@", "@example.org", "ann@example.org\nBcc: all@example.org"] {
        let answer = server.client().post("/email/send_code", json!({"email": email}));
        answer.assert_refused(422, "malformed_email");
    }
    assert!(server.outbox().is_empty());
}

#[test]
fn knows_a_code_only_for_its_address_and_session() {
    let server = Server::start();
    let (mut client, code) = asked(&server);
    let verify = "/email/verify_code";
    server.client().post(verify, guess(ADDRESS, &code)).assert_refused(422, "no_code");
    client.post(verify, guess("ben@example.org", &code)).assert_refused(422, "no_code");
    client.post(verify, guess(ADDRESS, wrong(&code))).assert_refused(422, "wrong_code");
    assert_eq!(client.post(verify, guess(ADDRESS, &code)).status, 200);
}

#[test]
fn a_new_code_replaces_the_old_one_and_its_guesses() {
    let server = Server::start();
    let (mut client, old) = asked(&server);
    for _ in 0..4 {
        let answer = client.post("/email/verify_code", guess(ADDRESS, wrong(&old)));
        answer.assert_refused(422, "wrong_code");
    }
    client.post("/email/send_code", json!({"email": ADDRESS}));
    let code = server.outbox().pop().unwrap()["code"].as_str().unwrap().to_owned();
    if old != code {
        let answer = client.post("/email/verify_code", guess(ADDRESS, &old));
        answer.assert_refused(422, "wrong_code");
    }
    assert_eq!(client.post("/email/verify_code", guess(ADDRESS, &code)).status, 200);
}

#[test]
fn looks_at_five_wrong_guesses() {
    let server = Server::start();
    let (mut client, code) = asked(&server);
    for _ in 0..5 {
        let answer = client.post("/email/verify_code", guess(ADDRESS, wrong(&code)));
        answer.assert_refused(422, "wrong_code");
    }
    for code in [wrong(&code), &code] {
        let answer = client.post("/email/verify_code", guess(ADDRESS, code));
        answer.assert_refused(422, "code_exhausted");
    }
}

#[test]
fn looks_at_five_wrong_guesses_of_fifty_at_once() {
    let server = Server::start();
    let (client, code) = asked(&server);
    let outcomes = at_once(&client, wrong(&code));
    assert_eq!(outcomes["wrong_code"], 5, "{outcomes:?}");
    assert_eq!(outcomes["code_exhausted"], 45, "{outcomes:?}");
    let answer = client.clone().post("/email/verify_code", guess(ADDRESS, &code));
    answer.assert_refused(422, "code_exhausted");
}

#[test]
fn takes_a_code_once_of_fifty_at_once() {
    let server = Server::start();
    let (client, code) = asked(&server);
    let outcomes = at_once(&client, &code);
    assert_eq!(outcomes["verified"], 1, "{outcomes:?}");
    assert_eq!(outcomes["no_code"], 49, "{outcomes:?}");
}

/// Fifty guesses in one session, and how often each answer came.
fn at_once(client: &Client, code: &str) -> BTreeMap<String, usize> {
    let mut outcomes = BTreeMap::new();
    thread::scope(|scope| {
        let calls: Vec<_> = (0..50)
            .map(|_| {
                let mut client = client.clone();
                scope.spawn(move || client.post("/email/verify_code", guess(ADDRESS, code)))
            })
            .collect();
        for call in calls {
            let answer = call.join().unwrap();
            let outcome = match answer.status {
                200 => "verified".to_owned(),
                422 => answer.body["code"].as_str().unwrap().to_owned(),
                other => format!("{other} {}", answer.body),
            };
            *outcomes.entry(outcome).or_default() += 1;
        }
    });
    outcomes
}

#[test]
fn keeps_the_login_beside_the_code() {
    let server = Server::start();
    let mut ann = server.signed_up("ann");
    ann.post("/email/send_code", json!({"email": ADDRESS}));
    let code = server.outbox().pop().unwrap()["code"].as_str().unwrap().to_owned();
    assert_eq!(ann.post("/email/verify_code", guess(ADDRESS, &code)).status, 200);
    assert_eq!(ann.get("/user").body["username"], "ann");
}
