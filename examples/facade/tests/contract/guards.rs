//! Who may do what: every operation, asked by everybody.

use example_kit::testing::{Body, Client};
use serde_json::{Value, json};

use super::client::{Refusal, Server};

/// How operations refuse whoever is signed in and may not.
const OWNER: (u16, &str, &str) = (403, "FORBIDDEN", "Only data owner can perform this operation");
const ADMIN: (u16, &str, &str) =
    (403, "NOT_IN_ROLE", "User must be admin to perform this operation");
const SITE_ADMIN: (u16, &str, &str) =
    (403, "NOT_IN_SITE_ROLE", "User must be site:admin to perform this operation");
const SITE_MANAGER: (u16, &str, &str) =
    (403, "NOT_IN_SITE_ROLE", "User must be site:admin or site:manager to perform this operation");
const SITE_USER: (u16, &str, &str) = (
    403,
    "NOT_IN_SITE_ROLE",
    "User must be site:admin or site:manager or site:user to perform this operation",
);

/// What a refusal says in `details`.
fn details(message: &str) -> Value {
    match message {
        _ if message == ADMIN.2 || message == SITE_ADMIN.2 => json!({"roles": "admin"}),
        _ if message == SITE_MANAGER.2 => json!({"roles": "admin,manager"}),
        _ if message == SITE_USER.2 => json!({"roles": "admin,manager,user"}),
        _ => json!(null),
    }
}

/// Asks as the people of the seed and a stranger do, from the one who may least on. The first
/// `refused` of them are refused, the next one is not.
#[track_caller]
fn check(
    people: &mut [Client],
    refused: usize,
    (status, code, message): (u16, &str, &str),
    (method, path): (&str, &str),
) {
    for (index, client) in people.iter_mut().enumerate().take(refused + 1) {
        let body = if path.contains("nothing") { Body::Empty } else { Body::Json(json!({})) };
        let answer = client.send(method, path, body);
        if index < refused {
            assert_eq!(answer.assert_error(status, code), &details(message), "{method} {path}");
            assert_eq!(answer.body["message"], message, "{method} {path}");
            assert_eq!(answer.body["category"], "Unauthorized");
        } else {
            assert!(answer.status < 300 || answer.status == 400, "{method} {path}: {answer:#?}");
        }
    }
}

#[test]
fn every_operation_asks_for_what_it_needs() {
    let server = Server::start();
    let mut nobody = server.client();
    // stranger < user < manager < admin
    let mut people = [server.stranger("ann"), server.user(), server.manager(), server.admin()];
    let cases = [
        (3, ADMIN, ("GET", "/sessions")),
        (3, ADMIN, ("GET", "/sites/all")),
        (3, ADMIN, ("DELETE", "/sites/nothing")),
        (3, ADMIN, ("PUT", "/users/3/roles")),
        (3, OWNER, ("GET", "/sessions/1")),
        (3, SITE_ADMIN, ("POST", "/sites/1/generate_code")),
        (3, SITE_ADMIN, ("PUT", "/sites/1")),
        (2, SITE_MANAGER, ("POST", "/sites/1/invitations")),
        (2, SITE_MANAGER, ("POST", "/sites/1/invitations/notify")),
        (2, SITE_MANAGER, ("DELETE", "/sites/1/invitations/nothing")),
        (2, SITE_MANAGER, ("POST", "/sites/1/invitations/nothing/approve")),
        (2, SITE_MANAGER, ("POST", "/sites/1/invitations/nothing/deny")),
        (2, SITE_MANAGER, ("POST", "/sites/1/invitations/nothing/resend")),
        (1, SITE_USER, ("GET", "/sites/1")),
        (1, SITE_USER, ("GET", "/sites/1/invitations")),
        (1, SITE_USER, ("GET", "/sites/1/invitations/nothing")),
        (1, SITE_USER, ("POST", "/sites/1/remove")),
        (0, ADMIN, ("GET", "/sessions/current")),
        (0, ADMIN, ("POST", "/sessions/restore?session_id=nothing")),
        (0, ADMIN, ("GET", "/sites")),
        (0, ADMIN, ("POST", "/sites")),
        (0, ADMIN, ("POST", "/sites/validate_code")),
        (0, ADMIN, ("POST", "/signup/verify")),
    ];
    for (refused, refusal, operation) in cases {
        let (method, path) = operation;
        let answer = nobody.send(method, path, Body::Empty);
        answer.assert_error(401, "NOT_SIGNED");
        assert_eq!(answer.body["message"], "User must be signed in to perform this operation");
        check(&mut people, refused, refusal, operation);
    }
    // Nobody needs to be signed in for these.
    for (method, path) in [
        ("GET", "/about"),
        ("POST", "/signup"),
        ("GET", "/signup/validate"),
        ("POST", "/signin"),
        ("POST", "/signout"),
        ("GET", "/sites/find_by_code"),
    ] {
        let status = nobody.send(method, path, Body::Json(json!({}))).status;
        assert!(status < 300 || status == 400, "{method} {path}: {status}");
    }
}

#[test]
fn a_role_at_one_site_is_none_at_another() {
    let server = Server::start();
    let mut admin = server.admin();
    let other = super::client::Caller::new_site(&mut admin, "Other");
    let mut people = [server.manager(), admin];
    for (refusal, (method, ending)) in [
        (SITE_USER, ("GET", "")),
        (SITE_ADMIN, ("PUT", "")),
        (SITE_USER, ("POST", "/remove")),
        (SITE_MANAGER, ("POST", "/invitations")),
        (SITE_MANAGER, ("POST", "/invitations/nothing/approve")),
    ] {
        check(&mut people, 1, refusal, (method, &format!("/sites/{other}{ending}")));
    }
    // Nor is a text that only looks like one.
    let mut manager = server.manager();
    for scope in ["", "1:manager", "11", "*", "%31", "1%00", "1%2F"] {
        let status = manager.get(&format!("/sites/{scope}")).status;
        // `%31` is a `1`.
        assert_eq!(status == 200, scope == "%31", "{scope}: {status}");
    }
}

#[test]
fn fixed_words_win_over_parameters() {
    let server = Server::start();
    // Somebody whose id or site is one of the words would otherwise be let in by it.
    let mut user = server.user();
    assert_eq!(user.get("/sessions/current").body["user_id"], "3");
    user.get("/sites/all").assert_error(403, "NOT_IN_ROLE");
    assert_eq!(user.get("/sites/find_by_code").status, 204);
    server.user().get("/sessions/restore").assert_error(405, "MethodNotAllowed");
}

#[test]
fn what_is_wrong_with_a_request_is_told_to_who_may_send_it() {
    let server = Server::start();
    let broken = || Body::Raw("application/json", b"{".to_vec());
    server.client().send("PUT", "/sites/1", broken()).assert_error(401, "NOT_SIGNED");
    server.user().send("PUT", "/sites/1", broken()).assert_error(403, "NOT_IN_SITE_ROLE");
    server.admin().send("PUT", "/sites/1", broken()).assert_error(400, "InvalidContent");
    server.user().get("/sessions?take=many").assert_error(403, "NOT_IN_ROLE");
}
