//! Requests that are signed: HTTP Message Signatures, and the form of UtilMeta.

use auth_poem::{access_keys::Signatures, prelude::*, signature::Signer};
use auth_tests::{
    Depot, World,
    depot::{DepotApi, Keeper},
};
use aws_lc_rs::{
    hmac,
    signature::{Ed25519KeyPair, KeyPair},
};
use poem::{EndpointExt, Route};
use serde_json::{Value, json};

#[tokio::test]
async fn a_signed_request_is_its_users() {
    for wait in [false, true] {
        let depot = Depot::new().await;
        if wait {
            depot.stores_wait();
        }
        let (signer, _) = depot.signer("ann", None).await;
        for path in ["/me", "/maybe", "/me?a=1&b=%20", "/maybe?"] {
            assert_eq!(depot.signed_get(&signer, path).await.is(200).body, "ann", "{path}");
        }
        let known = depot.signed_get(&signer, "/identity").await.is(200).json();
        assert_eq!(known, json!({ "name": "ann", "scheme": "signature", "scopes": null }));
    }
}

#[tokio::test]
async fn the_operation_gets_the_body_that_was_signed() {
    let depot = Depot::new().await;
    let (signer, _) = depot.signer("ann", None).await;
    for body in ["", "hello", &"x".repeat(1000)] {
        let headers = depot.sign(&signer, "POST", "/echo", body.as_bytes());
        let answer = depot.send("POST", "/echo", &headers, body.to_owned()).await;
        assert_eq!(answer.is(200).body, format!("ann: {body}"));
    }
    let large = "x".repeat(1001);
    let headers = depot.sign(&signer, "POST", "/echo", large.as_bytes());
    let answer = depot.send("POST", "/echo", &headers, large.clone()).await;
    assert_eq!(answer.outcome(), (413, "payload_too_large".into()));
    // Nobody who does not sign is held to it.
    let token = depot.token("ann").await;
    let answer =
        depot.browser().post("/echo").bearer(&token).body("application/octet-stream", large);
    assert_eq!(answer.await.is(200).body.len(), 1006);
}

#[tokio::test]
async fn a_public_key_is_enough_for_the_server() {
    let depot = Depot::new().await;
    let pair = Ed25519KeyPair::generate().unwrap();
    let ann = depot.logged_in("ann").await;
    let wanted = json!({ "name": "laptop", "public_key": pair.public_key().as_ref() });
    let made = ann.post("/access-keys").json(wanted).await.is(200).json();
    assert_eq!((&made["algorithm"], &made["secret"]), (&json!("ed25519"), &Value::Null));
    let seed = pair.seed().unwrap();
    let id = made["id"].as_str().unwrap();
    let signer = {
        use aws_lc_rs::encoding::AsBigEndian;
        let bytes: aws_lc_rs::encoding::Curve25519SeedBin<'_> = seed.as_be_bytes().unwrap();
        Signer::ed25519(id, bytes.as_ref()).unwrap()
    };
    let headers = depot.sign(&signer, "POST", "/echo", b"hello");
    assert_eq!(depot.send("POST", "/echo", &headers, "hello").await.is(200).body, "ann: hello");
    let other = Ed25519KeyPair::generate().unwrap().to_pkcs8().unwrap();
    let other = Signer::ed25519(id, other.as_ref()).unwrap();
    let answer = depot.signed_get(&other, "/me").await;
    assert_eq!(answer.outcome(), (401, "invalid_signature".into()));
    let wanted = json!({ "name": "x", "public_key": [1, 2, 3] });
    let answer = ann.post("/access-keys").json(wanted).await;
    assert_eq!(answer.outcome(), (422, "invalid_public_key".into()));
}

#[tokio::test]
async fn a_key_is_listed_revoked_and_ends() {
    let refused = (401, "invalid_signature".to_owned());
    let depot = Depot::new().await;
    let ann = depot.logged_in("ann").await;
    let wanted = json!({ "name": "ci", "scopes": ["reports:read"], "expires_in": 100 });
    let made = ann.post("/access-keys").json(wanted).await.is(200).json();
    let text = |member: &str| made[member].as_str().unwrap().to_owned();
    let signer = Signer::hmac_sha256(text("id"), text("secret").as_bytes());
    let listed = ann.get("/access-keys").await.is(200);
    assert!(!listed.body.contains(&text("secret")));
    let mut expected = made.clone();
    expected["secret"] = Value::Null;
    assert_eq!(listed.json(), json!([expected]));
    assert_eq!(depot.signed_get(&signer, "/reports").await.is(200).body, "ann");
    assert!(ann.get("/access-keys").await.json()[0]["last_used_at"].is_string());
    depot.clock.advance(Duration::seconds(100));
    assert_eq!(depot.signed_get(&signer, "/me").await.outcome(), refused);
    assert_eq!(ann.get("/access-keys").await.json(), json!([]));

    let (signer, id) = depot.signer("ann", None).await;
    assert_eq!(depot.signed_get(&signer, "/me").await.is(200).body, "ann");
    depot.change("ann", |ann| ann.active = false);
    assert_eq!(depot.signed_get(&signer, "/maybe").await.outcome(), refused);
    depot.change("ann", |ann| ann.active = true);
    let eve = depot.logged_in("eve").await;
    let path = format!("/access-keys/{id}");
    assert_eq!(eve.ask("DELETE", &path).await.status, 404, "another user's");
    let _ = ann.ask("DELETE", &path).await.is(200);
    assert_eq!(depot.signed_get(&signer, "/maybe").await.outcome(), refused);
}

#[tokio::test]
async fn a_key_reaches_as_far_as_its_scopes() {
    let depot = Depot::new().await;
    let (signer, _) = depot.signer("bob", Some(&["reports:read"])).await;
    assert_eq!(depot.signed_get(&signer, "/reports").await.is(200).body, "bob");
    let answer = depot.signed_get(&signer, "/chief").await;
    assert_eq!(answer.outcome(), (403, "insufficient_scope".into()));
    let headers = depot.sign(&signer, "POST", "/access-keys", br#"{"name":"x"}"#);
    let mut ask = depot.browser().post("/access-keys").json(json!({ "name": "x" }));
    for (name, value) in headers {
        ask = ask.header(name, value);
    }
    assert_eq!(ask.await.outcome(), (403, "reauthentication_required".into()));
}

#[tokio::test]
async fn a_request_that_two_ask_about_is_one_request() {
    let depot = Depot::new().await;
    let (signer, _) = depot.signer("ann", None).await;
    let guard = depot.auth.guard::<Keeper>();
    let api = depot.auth.openapi(DepotApi, "Depot", "1.0").guarded_by(&guard);
    let guarded = World::serve(Route::new().nest("/", api).with(guard));
    let headers = depot.sign(&signer, "POST", "/echo", b"hello");
    let mut ask = guarded.post("/echo").body("application/octet-stream", "hello");
    for (name, value) in &headers {
        ask = ask.header(name, value);
    }
    assert_eq!(ask.await.is(200).body, "ann: hello", "the guard has read the body before");
    assert_eq!(depot.nonces.noted(), 1);
}

#[tokio::test]
async fn what_utilmeta_clients_send_is_taken_where_that_was_chosen() {
    let sign = |secret: &str, time: &str, method: &str, url: &str, body: &str| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, format!("{time}{method}{url}{body}").as_bytes());
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let depot = Depot::signed_as(Signatures::dangerous_utilmeta_form, |config| config).await;
    let (id, secret) = depot.access_key("ann", None).await;
    let now = depot.clock.now().timestamp();
    let send = |depot: &Depot, time: String, signature: String, body: &str| {
        let headers = [
            ("host", "depot.example".to_owned()),
            ("x-access-key", id.clone()),
            ("x-timestamp", time),
            ("x-signature", signature),
        ];
        depot.send("POST", "/echo?a=1", &headers, body.to_owned())
    };
    let url = "https://depot.example/echo?a=1";
    for (time, url) in [
        (now.to_string(), url),
        ((now - 29).to_string(), "http://depot.example/echo?a=1"),
        (depot.clock.now().to_rfc3339(), url),
    ] {
        let signature = sign(&secret, &time, "POST", url, "hello");
        let answer = send(&depot, time.clone(), signature.clone(), "hello").await;
        assert_eq!(answer.is(200).body, "ann: hello", "{time} {url}");
        let again = send(&depot, time, signature, "hello").await;
        assert_eq!(again.outcome(), (401, "invalid_signature".into()), "a second time");
    }
    let time = now.to_string();
    let right = sign(&secret, &time, "POST", url, "changed later");
    for (time, signature, body) in [
        (time.clone(), right.clone(), "hello"),
        ((now - 1).to_string(), right.clone(), "changed later"),
        (time.clone(), sign(&secret, &time, "GET", url, "hello"), "hello"),
        (time.clone(), sign("another", &time, "POST", url, "hello"), "hello"),
        ((now - 61).to_string(), sign(&secret, &(now - 61).to_string(), "POST", url, ""), ""),
        ((now + 61).to_string(), sign(&secret, &(now + 61).to_string(), "POST", url, ""), ""),
    ] {
        let answer = send(&depot, time.clone(), signature, body).await;
        assert_eq!(answer.outcome(), (401, "invalid_signature".into()), "{time} {body}");
    }
    for (time, signature) in [("".into(), right.clone()), (time.clone(), right[1..].to_owned())] {
        let answer = send(&depot, time, signature, "").await;
        assert_eq!(answer.outcome(), (401, "malformed_credentials".into()));
    }
    // One request says in one form who has sent it.
    let mut headers =
        depot.sign(&Signer::hmac_sha256(&id, secret.as_bytes()), "POST", "/echo", b"");
    headers.push(("x-access-key", id.clone()));
    headers.push(("x-timestamp", time.clone()));
    headers.push(("x-signature", right.clone()));
    let answer = depot.send("POST", "/echo", &headers, String::new()).await;
    assert_eq!(answer.outcome(), (401, "malformed_credentials".into()));
    let names: Vec<_> = depot.auth.cors_headers().iter().map(ToString::to_string).collect();
    for name in ["content-digest", "signature", "signature-input", "x-access-key", "x-timestamp"] {
        assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
    }

    let plain = Depot::new().await;
    let answer = send(&plain, time, right, "changed later").await;
    assert_eq!(answer.outcome(), (401, "missing_credentials".into()), "it has to be chosen");
}

#[test]
fn what_it_needs_is_checked_when_the_application_starts() {
    #[derive(AuthUser, Debug, Clone)]
    #[auth(table = "robots", schemes(signature))]
    struct Robot {
        #[auth(id)]
        id: i64,
    }
    let robots = AuthConfig::new().user::<Robot>(MemoryUsers::default());
    let expected =
        "Robot declares the scheme `signature`, but AuthConfig::signatures was not called";
    assert_eq!(robots.build().unwrap_err().problems(), [expected]);
}

#[tokio::test]
async fn the_document_names_the_scheme_and_what_it_refuses() {
    let depot = Depot::new().await;
    let scheme = &depot.document["components"]["securitySchemes"]["signature"];
    assert_eq!((&scheme["in"], &scheme["name"]), (&json!("header"), &json!("Signature")));
    assert!(scheme["description"].as_str().unwrap().contains("RFC 9421"), "{scheme}");
    let echo = &depot.document["paths"]["/echo"]["post"]["responses"];
    assert!(echo["413"].is_object() && echo["401"].is_object(), "{echo}");
}
