//! Sessions: the current one, lists, closing, the header.

use std::io::{Read, Write};

use serde_json::json;

use super::client::{Caller, Refusal, Server};

#[test]
fn shows_the_current_session() {
    let server = Server::start();
    let mut user = server.user();
    let session = user.get("/sessions/current");
    assert_eq!(session.status, 200);
    assert_eq!((&session.body["user_id"], &session.body["active"]), (&json!("3"), &json!(true)));
    for time in ["open_time", "request_time"] {
        assert!(session.body[time].as_str().unwrap().ends_with("+00:00"), "{}", session.body);
    }
    assert!(session.body.get("close_time").is_none() && session.body.get("token").is_none());
    assert_eq!(session.header("x-session-id"), None, "a token is told once");
    server.client().get("/sessions/current").assert_error(401, "NOT_SIGNED");
}

#[test]
fn restores_an_open_session_of_ones_own() {
    let server = Server::start();
    let (mut here, mut there) = (server.user(), server.user());
    let id = there.session_id();
    let answer = here.poke(&format!("/sessions/restore?session_id={id}"));
    assert_eq!((answer.status, &answer.body["id"]), (200, &json!(id)));
    assert!(answer.body.get("token").is_none());
    there.poke("/signout");
    for gone in [&*id, "00000000000000000000000000000000", "x"] {
        let answer = here.poke(&format!("/sessions/restore?session_id={gone}"));
        assert_eq!((answer.status, answer.body.is_null()), (204, true), "{gone}");
    }
    here.poke("/sessions/restore").assert_error(400, "InvalidContent");
}

#[test]
fn lists_sessions_by_page_and_filter() {
    let server = Server::start();
    let mut admin = server.admin();
    let mut users = [server.user(), server.user(), server.user()];
    let ids = users.each_mut().map(|user| user.session_id());

    let all = admin.get("/sessions?total=true");
    assert_eq!((all.status, &all.body["total"]), (200, &json!(4)));
    assert_eq!(all.body["data"].as_array().unwrap().len(), 4);
    assert_eq!(admin.get("/sessions").body["total"], json!(null));
    let listed = |answer: example_kit::testing::Answer| -> Vec<String> {
        assert_eq!(answer.status, 200, "{answer:#?}");
        let sessions = answer.body["data"].as_array().unwrap();
        sessions.iter().map(|session| session["id"].as_str().unwrap().to_owned()).collect()
    };
    for (query, expected) in [
        ("user_id=3", &ids[..]),
        ("user_id=3&skip=1", &ids[1..]),
        ("user_id=3&take=2", &ids[..2]),
        ("user_id=3&skip=1&take=1", &ids[1..2]),
        ("user_id=3&take=0", &ids[..]),
        ("user_id=3&take=-1", &[]),
        ("user_id=3&take=1000&skip=-5", &ids[..]),
        ("user_id=3&active=true", &ids[..]),
        ("user_id=3&active=false", &[]),
        ("user_id=3&from_time=2020-01-01T00:00:00Z", &ids[..]),
        ("user_id=3&to_time=2020-01-01T00:00:00Z", &[]),
        ("user_id=3&correlation_id=123", &ids[..]),
        ("user_id=nobody", &[]),
        (&format!("id={}", ids[1]), &ids[1..2]),
        ("id=x", &[]),
        ("skip=1&take=3", &ids[..]),
        (&format!("skip={}", i64::MAX), &[]),
    ] {
        assert_eq!(listed(admin.get(&format!("/sessions?{query}"))), expected, "{query}");
    }
    assert_eq!(listed(admin.get("/sessions/3")), ids);
    assert_eq!(listed(users[0].get("/sessions/3?take=2")), ids[..2]);
    admin.get("/sessions?take=many").assert_error(400, "InvalidContent");
}

#[test]
fn closes_a_session_of_an_account() {
    let server = Server::start();
    let (mut here, mut there) = (server.user(), server.user());
    let id = there.session_id();
    let answer = here.delete(&format!("/sessions/3/{id}"));
    assert_eq!((answer.status, &answer.body["id"]), (200, &json!(id)));
    assert_eq!(answer.body["active"], false);
    assert!(answer.body["close_time"].is_string());
    there.get("/sessions/current").assert_error(440, "SESSION_NOT_FOUND");
    here.delete(&format!("/sessions/3/{id}")).assert_error(404, "SESSION_NOT_FOUND");
    let id = here.session_id();
    assert_eq!(server.admin().delete(&format!("/sessions/3/{id}")).status, 200);
    here.get("/about").assert_error(440, "SESSION_NOT_FOUND");
}

#[test]
fn a_session_that_is_none_is_refused_everywhere() {
    let server = Server::start();
    let forged = "B".repeat(42) + "A";
    for token in ["forged", "111", &forged, &server.admin().session_id()] {
        let mut client = server.client();
        client.set_header("x-session-id", token);
        for answer in [
            client.get("/about"),
            client.get("/signup/validate?login=ann"),
            client.get("/sites/find_by_code?code=x"),
            client.sign_in("user2", "user2-password-1"),
            client.sign_up("ann"),
            client.poke("/signout"),
            client.get("/sessions/current"),
            client.get("/sites/all"),
        ] {
            let details = answer.assert_error(440, "SESSION_NOT_FOUND");
            assert_eq!(details, &json!(null));
            assert_eq!(answer.body["message"], "Session invalid or already expired.");
            assert_eq!(answer.body["category"], "Unauthorized");
            assert!(!answer.body.to_string().contains(token), "what was sent is not echoed");
        }
    }
    let mut client = server.client();
    client.set_header("x-session-id", "");
    assert_eq!(client.get("/about").status, 200, "an empty header is none");
    // Outside of the API nobody looks at it.
    let mut root = server.root();
    root.set_header("x-session-id", "x");
    assert_eq!(root.get("/openapi.json").status, 200);
}

#[test]
fn two_headers_that_disagree_are_no_session() {
    let server = Server::start();
    let token = |client: &example_kit::testing::Client| client.headers[0].1.clone();
    let (one, two) = (token(&server.user()), token(&server.manager()));
    for (first, second, status) in [(&one, &two, "440"), (&one, &one, "200")] {
        let mut stream = server.connect();
        let request = format!(
            "GET /api/v1/sessions/current HTTP/1.1\r\nHost: x\r\nx-session-id: {first}\r\n\
             x-session-id: {second}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).unwrap();
        assert_eq!(String::from_utf8_lossy(&head), format!("HTTP/1.1 {status}"));
    }
}

#[test]
fn shows_roles_as_they_are_by_now() {
    let server = Server::start();
    let (mut admin, mut here, mut there) = (server.admin(), server.user(), server.user());
    let site = here.new_site("Mine");
    let grant = format!("{site}:admin");
    // What one session was told, the others know too.
    assert_eq!(there.get(&format!("/sites/{site}")).status, 200);
    let mut grants = ["1:user", &grant];
    grants.sort_unstable();
    assert_eq!(there.roles(), json!(grants));
    let session = there.get("/sessions/current").body;
    let sites = session["user"]["sites"].as_array().unwrap();
    assert!(sites.contains(&json!({"id": site, "name": "Mine"})), "{sites:?}");

    admin.put("/users/3/roles", json!({"roles": ["1:manager"]}));
    here.get(&format!("/sites/{site}")).assert_error(403, "NOT_IN_SITE_ROLE");
    let listed = admin.get("/sessions/3").body;
    for session in listed["data"].as_array().unwrap() {
        assert_eq!(session["user"]["roles"], json!(["1:manager"]));
    }
    assert_eq!(here.roles(), json!(["1:manager"]));
    let session = here.get("/sessions/current").body;
    assert_eq!(session["user"]["sites"], json!([{"id": "1", "name": "Site #1"}]));
}
