//! The seed's transcript, in its order and with its answers. Where the default is stricter,
//! `COMPAT` gives the old answer.

use example_kit::testing::Body;
use serde_json::json;

use super::server::{
    BOB, BOBSESSION, COOKIE, LOGIN, LOGOUT, assert_forbidden, assert_unauthorized, assert_user,
    basic, error, log_in, start_compat, start_with, with_cookie,
};

/// The header that the seed prints.
const HEADER: &str = "Basic Ym9iQGhidG4uaW86SDBsYmVydG9uU2Nob29sOTgh";

#[test]
fn basic_authentication() {
    let server = start_compat("basic_auth");
    let mut client = server.client();
    client.get("/status").assert(200, &json!({"status": "OK"}));
    assert_unauthorized(&client.get("/users"));

    assert_eq!(super::server::authorization(BOB.0, BOB.1), HEADER);
    client.set_header("authorization", HEADER);
    let answer = client.get("/users");
    assert_eq!(answer.status, 200);
    assert_user(&answer.body[0], BOB.0);
    let answer = client.get("/users/me");
    assert_eq!(answer.status, 200);
    assert_user(&answer.body, BOB.0);
}

#[test]
fn the_switch() {
    // As the seed starts it at this point: without the name of a cookie.
    let server = start_with("session_auth", &[("COMPAT", "1"), ("SESSION_NAME", "")]);
    let mut client = server.client();
    for path in ["/status", "/status/"] {
        client.get(path).assert(200, &json!({"status": "OK"}));
    }
    assert_unauthorized(&client.get("/users"));
    client.set_header("authorization", "Test");
    assert_forbidden(&client.get("/users"));
    // Whatever a cookie is called, it is not looked at.
    for name in [COOKIE, "sid", "None", ""] {
        let mut client = server.client();
        client.cookies.insert(name.into(), "Hello".into());
        assert_unauthorized(&client.get("/users"));
    }
}

#[test]
fn before_the_request() {
    let server = start_compat("session_auth");
    server.client().get("/status").assert(200, &json!({"status": "OK"}));
    // 404 in the seed, until its next task but one.
    assert_eq!(server.client().get(LOGIN).status, 405);
    assert_unauthorized(&server.client().get("/users/me"));
    assert_forbidden(&basic(&server, BOB).get("/users/me"));
    let unknown = "5535d4d7-3d77-4d06-8281-495dc3acfe76";
    assert_forbidden(&with_cookie(&server, unknown).get("/users/me"));
}

#[test]
fn logging_in_and_out() {
    let server = start_compat("session_auth");
    let mut client = server.client();
    let answer = client.get(LOGIN);
    answer.assert(405, &error("Method Not Allowed"));
    assert_eq!(answer.header("allow"), Some("POST"));

    let email = ("email", "guillaume@hbtn.io");
    let nothing = client.send("POST", LOGIN, Body::Empty);
    nothing.assert(400, &error("email missing"));
    client.post_form(LOGIN, &[email]).assert(400, &error("password missing"));
    let answer = client.post_form(LOGIN, &[email, ("password", "test")]);
    answer.assert(404, &error("no user found for this email"));
    let answer = log_in(&mut client, (BOBSESSION.0, "test"));
    answer.assert(401, &error("wrong password"));
    assert!(client.cookies.is_empty());

    let answer = log_in(&mut client, BOBSESSION);
    assert_eq!(answer.status, 200);
    assert_user(&answer.body, BOBSESSION.0);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let cookie = answer.set_cookie().unwrap();
    assert!(cookie.starts_with(&format!("{COOKIE}=")) && cookie.contains("Path=/"), "{cookie}");
    let me = client.get("/users/me");
    me.assert(200, &answer.body);

    assert_eq!(client.get(LOGOUT).status, 405);
    let mut old = client.clone();
    client.delete(LOGOUT).assert(200, &json!({}));
    assert_forbidden(&old.get("/users/me"));
}
