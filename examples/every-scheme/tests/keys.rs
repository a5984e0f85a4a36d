//! API keys: made, shown once, used, listed, rotated, ended.

use example_kit::testing::{Answer, Body, Client};
use serde_json::{Value, json};

use crate::{
    server::{ALICE, BOB, Server},
    way::Way,
};

fn create(server: &Server, client: &mut Client, wanted: Value) -> Answer {
    let answer = client.post("/keys", wanted);
    server.conforming("POST", "/keys", answer)
}

#[test]
fn a_key_reaches_as_far_as_its_scopes_and_its_user() {
    let server = Server::start();
    for way in [Way::KeyInHeader, Way::KeyAsBearer] {
        let reads = server.key(ALICE, &["reports:read"]);
        let mut reads = way.with_key(&server, &reads["key"]);
        let me = server.conforming("GET", "/me", reads.get("/me"));
        assert_eq!(
            (&me.body["username"], &me.body["scheme"]),
            (&json!("alice"), &json!("api_key"))
        );
        assert_eq!(me.body["scopes"], json!(["reports:read"]));
        assert_eq!(reads.get("/optional").body, me.body);
        assert_eq!(reads.get("/reports").status, 200);
        for scopes in [&[][..], &["reports:write"], &["role:admin"]] {
            let other = server.key(ALICE, scopes);
            let mut other = way.with_key(&server, &other["key"]);
            assert_eq!(other.get("/me").body["scopes"], json!(scopes));
            let refused = other.get("/reports");
            let refused = server.conforming("GET", "/reports", refused);
            refused.assert_refused(403, "insufficient_scope");
        }
        // A key does not make more of its user than he is.
        let bobs = server.key(BOB, &["reports:read"]);
        way.with_key(&server, &bobs["key"]).get("/reports").assert_refused(403, "forbidden");
    }
}

#[test]
fn the_secret_is_in_the_first_answer_only() {
    let server = Server::start();
    let mut alice = server.logged_in(ALICE);
    let wanted = json!({ "name": "deploy", "scopes": ["reports:read"], "expires_in": 3600 });
    let made = create(&server, &mut alice, wanted);
    let secret = made.body["key"].as_str().unwrap().to_owned();
    assert_eq!(made.header("cache-control"), Some("no-store"));
    assert_eq!(
        (&made.body["name"], &made.body["scopes"]),
        (&json!("deploy"), &json!(["reports:read"]))
    );
    let listed = server.conforming("GET", "/keys", alice.get("/keys"));
    let mut expected = made.body.clone();
    expected.as_object_mut().unwrap().remove("key");
    assert_eq!(listed.body, json!([expected]));
    assert!(!listed.body.to_string().contains(&secret[30..]));
    assert_eq!(Way::KeyInHeader.with_key(&server, &json!(secret)).get("/me").status, 200);
    assert!(alice.get("/keys").body[0]["last_used_at"].is_string());
    assert_eq!(server.logged_in(BOB).get("/keys").body, json!([]));
    assert!(!server.log().contains(&secret[30..]));
}

#[test]
fn a_rotated_key_has_a_new_secret_and_a_revoked_one_has_none() {
    let server = Server::start();
    let (mut alice, mut bob) = (server.logged_in(ALICE), server.logged_in(BOB));
    let made = server.key(ALICE, &["reports:read"]);
    let path = format!("/keys/{}", made["id"].as_str().unwrap());
    let rotate = format!("{path}/rotate");
    bob.send("POST", &rotate, Body::Empty).assert_refused(404, "not_found");
    bob.delete(&path).assert_refused(404, "not_found");
    let rotated = alice.send("POST", &rotate, Body::Empty);
    let rotated = server.conforming("POST", "/keys/{id}/rotate", rotated);
    assert_eq!((rotated.status, &rotated.body["id"]), (200, &made["id"]));
    for way in [Way::KeyInHeader, Way::KeyAsBearer] {
        way.with_key(&server, &made["key"]).get("/me").assert_refused(401, "invalid_api_key");
        assert_eq!(way.with_key(&server, &rotated.body["key"]).get("/me").status, 200);
    }
    let gone = server.conforming("DELETE", "/keys/{id}", alice.delete(&path));
    assert_eq!(gone.status, 204);
    for path in ["/me", "/optional"] {
        Way::KeyInHeader
            .with_key(&server, &rotated.body["key"])
            .get(path)
            .assert_refused(401, "invalid_api_key");
    }
    alice.delete(&path).assert_refused(404, "not_found");
}

#[test]
fn a_key_makes_no_keys() {
    let server = Server::start();
    let made = server.key(ALICE, &[]);
    let mut program = Way::KeyInHeader.with_key(&server, &made["key"]);
    let answer = create(&server, &mut program, json!({ "name": "more", "scopes": [] }));
    answer.assert_refused(401, "unsupported_scheme");
    let path = format!("/keys/{}", made["id"].as_str().unwrap());
    program.delete(&path).assert_refused(401, "unsupported_scheme");
    program
        .send("POST", &format!("{path}/rotate"), Body::Empty)
        .assert_refused(401, "unsupported_scheme");
    assert_eq!(program.get("/me").status, 200);
    assert_eq!(program.get("/keys").body[0]["id"], made["id"]);
    // Every other way does.
    for way in [Way::Session, Way::Basic, Way::Bearer] {
        let mut alice = way.visitor(&server, ALICE).client;
        let answer = create(&server, &mut alice, json!({ "name": "more", "scopes": [] }));
        assert_eq!(answer.status, 201, "{way:?}: {answer:?}");
    }
}

#[test]
fn what_is_no_key_is_not_made() {
    let server = Server::start();
    let mut alice = server.logged_in(ALICE);
    for wanted in [
        json!({ "name": "", "scopes": [] }),
        json!({ "name": "x" }),
        json!({ "name": "x", "scopes": [], "expires_in": 0 }),
        json!({ "scopes": [] }),
    ] {
        create(&server, &mut alice, wanted).assert_refused(400, "malformed_request");
    }
    for scope in ["", "a b", "\"", "ä"] {
        let answer = create(&server, &mut alice, json!({ "name": "x", "scopes": [scope] }));
        answer.assert_refused(422, "malformed_scope");
    }
    assert_eq!(alice.get("/keys").body, json!([]));
    server.client().get("/keys").assert_refused(401, "missing_credentials");
    let longest = json!({ "name": "x", "scopes": [], "expires_in": i64::MAX });
    assert_eq!(create(&server, &mut alice, longest).status, 201);
}

#[test]
fn keys_survive_a_restart_and_a_kill_and_revoked_ones_stay_ended() {
    let mut server = Server::start();
    let kept = server.key(ALICE, &["reports:read"]);
    let ended = server.key(ALICE, &[]);
    let path = format!("/keys/{}", ended["id"].as_str().unwrap());
    assert_eq!(server.logged_in(ALICE).delete(&path).status, 204);
    for kill in [false, true] {
        if kill {
            server.kill()
        } else {
            server.stop()
        }
        server.start_again();
        let me = Way::KeyInHeader.with_key(&server, &kept["key"]).get("/me");
        assert_eq!(me.body["scopes"], json!(["reports:read"]), "{me:?}");
        Way::KeyInHeader
            .with_key(&server, &ended["key"])
            .get("/me")
            .assert_refused(401, "invalid_api_key");
    }
}

#[test]
fn where_keys_are_switched_off_none_are_made() {
    let server = Server::start_with(&[("DISABLE", "api_key")]);
    let mut alice = server.logged_in(ALICE);
    let answer = create(&server, &mut alice, json!({ "name": "x", "scopes": [] }));
    answer.assert_refused(404, "scheme_disabled");
    let answer = server.conforming("GET", "/keys", alice.get("/keys"));
    answer.assert_refused(404, "scheme_disabled");
}
