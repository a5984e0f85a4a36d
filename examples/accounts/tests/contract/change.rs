//! Changing name and password.

use serde_json::json;

use super::{OTHER_PASSWORD, PASSWORD, client::Caller, server::Server};

#[test]
fn a_new_name_ends_nothing() {
    let server = Server::start();
    let mut ann = server.signed_up("ann");
    let mut elsewhere = server.logged_in("ann", PASSWORD);
    let mut token = server.with_token("ann", PASSWORD);
    let before = ann.cookies.clone();
    let answer = ann.put("/user", json!({"username": "anna"}));
    assert_eq!((answer.status, &answer.body["username"]), (200, &json!("anna")));
    assert_eq!(ann.cookies, before);
    for client in [&mut ann, &mut elsewhere, &mut token] {
        assert_eq!(client.get("/user").body["username"], "anna");
    }
    server.client().log_in("ann", PASSWORD).assert_refused(401, "wrong_credentials");
    assert_eq!(server.client().log_in("anna", PASSWORD).status, 200);
}

#[test]
fn a_new_password_gives_this_session_a_new_key_and_ends_everything_else() {
    let server = Server::start();
    let mut ann = server.signed_up("ann");
    let mut elsewhere = server.logged_in("ann", PASSWORD);
    let mut token = server.with_token("ann", PASSWORD);
    let mut old = ann.clone();
    let mut ben = server.signed_up("ben");

    let change = json!({"password": OTHER_PASSWORD, "current_password": PASSWORD});
    let answer = ann.put("/user", change);
    assert_eq!((answer.status, &answer.body["username"]), (200, &json!("ann")));
    assert_ne!(ann.cookies, old.cookies);
    assert_eq!(ann.me(), 200);

    old.get("/user").assert_refused(401, "invalid_session");
    elsewhere.get("/user").assert_refused(401, "invalid_session");
    token.get("/user").assert_refused(401, "invalid_token");
    assert_eq!(ben.me(), 200, "another user lost his session");

    server.client().log_in("ann", PASSWORD).assert_refused(401, "wrong_credentials");
    assert_eq!(server.client().log_in("ann", OTHER_PASSWORD).status, 200);
    assert_eq!(server.with_token("ann", OTHER_PASSWORD).me(), 200);
}

#[test]
fn a_token_may_change_the_password_too() {
    let server = Server::start();
    let mut session = server.signed_up("ann");
    let mut token = server.with_token("ann", PASSWORD);
    let change =
        json!({"username": "anna", "password": OTHER_PASSWORD, "current_password": PASSWORD});
    let answer = token.put("/user", change);
    assert_eq!((answer.status, &answer.body["username"]), (200, &json!("anna")));
    assert_eq!(answer.set_cookie(), None);
    token.get("/user").assert_refused(401, "invalid_token");
    session.get("/user").assert_refused(401, "invalid_session");
    assert_eq!(server.client().log_in("anna", OTHER_PASSWORD).status, 200);
}

#[test]
fn a_refused_change_changes_nothing() {
    let server = Server::start();
    server.signed_up("ben");
    let mut ann = server.signed_up("ann");
    let before = ann.cookies.clone();
    let both = |name: &str, password: &str, current: &str| json!({"username": name, "password": password, "current_password": current});
    for change in [
        json!({"password": OTHER_PASSWORD}),
        json!({"password": OTHER_PASSWORD, "current_password": "wrong"}),
        both("anna", OTHER_PASSWORD, "wrong"),
    ] {
        ann.put("/user", change).assert_refused(403, "wrong_current_password");
    }
    ann.put("/user", both("anna", "short", PASSWORD)).assert_refused(422, "weak_password");
    let taken = both("ben", OTHER_PASSWORD, PASSWORD);
    ann.put("/user", taken).assert_refused(409, "username_taken");
    let malformed = both("a b", OTHER_PASSWORD, PASSWORD);
    ann.put("/user", malformed).assert_refused(422, "malformed_username");

    assert_eq!(ann.cookies, before);
    assert_eq!(ann.get("/user").body["username"], "ann");
    assert_eq!(server.client().log_in("ann", PASSWORD).status, 200);
    server.client().put("/user", json!({})).assert_refused(401, "missing_credentials");
}
