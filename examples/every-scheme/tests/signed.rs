//! Signed requests: access keys, what a signature covers, replays, the form of UtilMeta.

use auth_poem::{prelude::*, signature::Signer};
use aws_lc_rs::{
    hmac,
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use example_kit::testing::{Answer, Body, Client};
use serde_json::{Value, json};

use crate::{
    server::{ALICE, BOB, Server},
    way::{Visitor, Way, added, url},
};

fn create(server: &Server, client: &mut Client, wanted: Value) -> Answer {
    let answer = client.post("/access-keys", wanted);
    server.conforming("POST", "/access-keys", answer)
}

type Headers = Vec<(&'static str, String)>;

/// Sends headers that were made for something, with any method, path and body.
fn send(server: &Server, headers: &Headers, method: &str, path: &str, body: &[u8]) -> Answer {
    let mut client = server.client();
    client.headers = headers.clone();
    let body = if body.is_empty() { Body::Empty } else { Body::Raw("text/plain", body.into()) };
    client.send(method, path, body)
}

/// What a signer adds to a request.
fn signed(server: &Server, signer: &Signer, method: &str, path: &str, body: &[u8]) -> Headers {
    added(signer, &url(server, path), method, body)
}

#[test]
fn a_secret_is_in_the_first_answer_only() {
    let server = Server::start();
    let mut alice = server.logged_in(ALICE);
    let made = create(&server, &mut alice, json!({ "name": "ci", "algorithm": "hmac-sha256" }));
    assert_eq!(made.status, 201, "{made:?}");
    let secret = made.body["secret"].as_str().unwrap().to_owned();
    let listed = server.conforming("GET", "/access-keys", alice.get("/access-keys"));
    let mut expected = made.body.clone();
    expected.as_object_mut().unwrap().remove("secret");
    assert_eq!(listed.body, json!([expected]));
    assert!(!listed.body.to_string().contains(&secret) && !server.log().contains(&secret));
    for file in std::fs::read_dir(server.path(".")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap_or_default();
        assert!(!bytes.windows(secret.len()).any(|text| text == secret.as_bytes()));
    }
    assert_eq!(server.logged_in(BOB).get("/access-keys").body, json!([]));
}

#[test]
fn a_public_key_is_enough_for_the_server() {
    let server = Server::start();
    let pair = Ed25519KeyPair::generate().unwrap();
    let public_key = STANDARD.encode(pair.public_key());
    let wanted = json!({ "name": "laptop", "algorithm": "ed25519", "public_key": public_key });
    let made = create(&server, &mut server.logged_in(ALICE), wanted);
    assert_eq!((made.status, &made.body["public_key"]), (201, &json!(public_key)), "{made:?}");
    assert!(made.body.get("secret").is_none());
    let private = pair.to_pkcs8v1().unwrap();
    let signer = Signer::ed25519(made.body["id"].as_str().unwrap(), private.as_ref()).unwrap();
    let headers = signed(&server, &signer, "GET", "/me", b"");
    let me = send(&server, &headers, "GET", "/me", b"");
    assert_eq!((&me.body["username"], &me.body["scheme"]), (&json!("alice"), &json!("signature")));
    for (algorithm, key) in [
        ("ed25519", Value::Null),
        ("ed25519", json!("AAAA")),
        ("ed25519", json!("no base64")),
        ("hmac-sha256", json!(public_key)),
    ] {
        let wanted = json!({ "name": "x", "algorithm": algorithm, "public_key": key });
        let answer = create(&server, &mut server.logged_in(ALICE), wanted);
        answer.assert_refused(422, "invalid_public_key");
    }
    let wanted = json!({ "name": "x", "algorithm": "none" });
    create(&server, &mut server.logged_in(ALICE), wanted).assert_refused(400, "malformed_request");
}

#[test]
fn a_request_is_good_once_and_as_it_was_signed() {
    let server = Server::start();
    let (signer, _) = server.signer(ALICE);
    let sign = || signed(&server, &signer, "POST", "/me/echo?a=1", b"abc");
    let headers = sign();
    assert_eq!(send(&server, &headers, "POST", "/me/echo?a=1", b"abc").status, 200);
    let again = send(&server, &headers, "POST", "/me/echo?a=1", b"abc");
    again.assert_refused(401, "invalid_signature");
    for (path, body) in [
        ("/me/echo?a=1", &b"abd"[..]),
        ("/me/echo?a=1", b""),
        ("/me/echo?a=2", b"abc"),
        ("/me/echo", b"abc"),
    ] {
        let changed = send(&server, &sign(), "POST", path, body);
        changed.assert_refused(401, "invalid_signature");
    }
    let headers = signed(&server, &signer, "GET", "/me", b"");
    send(&server, &headers, "GET", "/optional", b"").assert_refused(401, "invalid_signature");
}

#[test]
fn a_revoked_key_signs_nothing_and_keys_survive_a_kill() {
    let mut server = Server::start();
    let (kept, _) = server.signer(ALICE);
    let (ended, id) = server.signer(ALICE);
    let mut alice = server.logged_in(ALICE);
    let path = format!("/access-keys/{id}");
    server.logged_in(BOB).delete(&path).assert_refused(404, "not_found");
    let gone = server.conforming("DELETE", "/access-keys/{id}", alice.delete(&path));
    assert_eq!(gone.status, 204);
    let replayed = signed(&server, &kept, "GET", "/me", b"");
    assert_eq!(send(&server, &replayed, "GET", "/me", b"").status, 200);
    server.kill();
    server.start_again();
    for path in ["/me", "/optional"] {
        let headers = signed(&server, &ended, "GET", path, b"");
        send(&server, &headers, "GET", path, b"").assert_refused(401, "invalid_signature");
        let headers = signed(&server, &kept, "GET", path, b"");
        assert_eq!(send(&server, &headers, "GET", path, b"").body["username"], "alice");
    }
}

#[test]
fn a_signature_makes_no_keys() {
    let server = Server::start();
    let mut program: Visitor = Way::Signed.visitor(&server, ALICE);
    let wanted = Body::Json(json!({ "name": "more", "algorithm": "hmac-sha256" }));
    program.send("POST", "/access-keys", wanted).assert_refused(401, "unsupported_scheme");
    assert_eq!(program.get("/access-keys").status, 200);
}

#[test]
fn clients_of_utilmeta_are_let_in_where_that_was_chosen() {
    for chosen in [false, true] {
        let settings: &[_] = if chosen { &[("LEGACY_SIGNATURE", "1")] } else { &[] };
        let server = Server::start_with(settings);
        let made = server.access_key(ALICE);
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        let (id, secret) = (text("id"), text("secret"));
        let sign = |timestamp: i64, body: &[u8]| {
            let url = url(&server, "/me/echo");
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
            let message = [format!("{timestamp}POST{url}").as_bytes(), body].concat();
            let tag = hmac::sign(&key, &message);
            let signature = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            vec![
                ("x-access-key", id.clone()),
                ("x-timestamp", timestamp.to_string()),
                ("x-signature", signature),
            ]
        };
        let now = Utc::now().timestamp();
        let headers = sign(now, b"abc");
        let answer = send(&server, &headers, "POST", "/me/echo", b"abc");
        if !chosen {
            answer.assert_refused(401, "missing_credentials");
            continue;
        }
        assert_eq!(
            (answer.status, &answer.body["scheme"]),
            (200, &json!("signature")),
            "{answer:?}"
        );
        let refused = (401, "invalid_signature");
        let again = send(&server, &headers, "POST", "/me/echo", b"abc");
        again.assert_refused(refused.0, refused.1);
        for (headers, body) in [
            (sign(now, b"abc"), &b"abd"[..]),
            (sign(now - 3600, b"abc"), b"abc"),
            (sign(now + 3600, b"abc"), b"abc"),
        ] {
            send(&server, &headers, "POST", "/me/echo", body).assert_refused(refused.0, refused.1);
        }
    }
}
