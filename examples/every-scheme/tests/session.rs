//! Sessions: the cookie, logging out, what a restart keeps.

use example_kit::testing::{Body, Client};
use serde_json::json;

use crate::server::{ALICE, BOB, Server};

fn log_out(client: &mut Client) -> u16 {
    client.send("POST", "/logout", Body::Empty).status
}

#[test]
fn a_login_says_who_has_come_in() {
    let server = Server::start();
    let mut alice = server.client();
    let answer = server.conforming("POST", "/login", alice.post("/login", ALICE.credentials()));
    assert_eq!((answer.status, &answer.body["username"]), (200, &json!("alice")));
    assert_eq!(answer.body, alice.get("/me").body);
    let cookie = answer.set_cookie().unwrap();
    assert!(cookie.starts_with("sid=") && cookie.contains("HttpOnly"), "{cookie}");

    let wrong = json!({ "username": "alice", "password": "wrong" });
    let unknown = json!({ "username": "nobody", "password": "wrong" });
    for body in [wrong, unknown] {
        let answer = server.client().post("/login", body);
        server.conforming("POST", "/login", answer).assert_refused(401, "wrong_credentials");
    }
}

#[test]
fn a_session_is_over_after_the_logout() {
    let server = Server::start();
    let mut alice = server.logged_in(ALICE);
    let mut stale = alice.clone();
    assert_eq!(log_out(&mut alice), 204);
    assert!(alice.cookies.is_empty());
    stale.get("/me").assert_refused(401, "invalid_session");
    assert_eq!(log_out(&mut server.client()), 204);
}

#[test]
fn pages_of_other_sites_cannot_use_a_cookie_or_change_who_is_logged_in() {
    let server = Server::start();
    let mut alice = server.logged_in(ALICE);
    alice.set_header("sec-fetch-site", "cross-site");
    alice.send("POST", "/me/echo", Body::Empty).assert_refused(403, "cross_site");
    alice.post("/login", BOB.credentials()).assert_refused(403, "cross_site");
    alice.send("POST", "/logout", Body::Empty).assert_refused(403, "cross_site");
    assert_eq!(alice.get("/me").status, 200);
}

#[test]
fn sessions_survive_a_restart_and_a_kill() {
    let mut server = Server::start();
    let alice = server.logged_in(ALICE);
    for kill in [false, true] {
        if kill {
            server.kill()
        } else {
            server.stop()
        }
        server.start_again();
        let mut again = server.client();
        again.cookies = alice.cookies.clone();
        assert_eq!(again.get("/me").body["username"], "alice");
    }
}

#[test]
fn without_sessions_nobody_can_log_in_to_one() {
    let server = Server::start_with(&[("DISABLE", "session")]);
    let answer = server.client().post("/login", ALICE.credentials());
    server.conforming("POST", "/login", answer).assert_refused(404, "scheme_disabled");
}
