//! A started ALX example with the two users of the seed.

use base64::{Engine, engine::general_purpose::STANDARD};
use example_kit::testing::{Answer, Client, Server};
use serde_json::{Value, json};

pub(super) const PROGRAM: &str = env!("CARGO_BIN_EXE_example-alx");

/// Who logs in with every request.
pub(super) const BOB: (&str, &str) = ("bob@hbtn.io", "H0lbertonSchool98!");

/// Who has a session.
pub(super) const BOBSESSION: (&str, &str) = ("bobsession@hbtn.io", "fake pwd");

pub(super) const COOKIE: &str = "_my_session_id";

pub(super) const LOGIN: &str = "/auth_session/login";
pub(super) const LOGOUT: &str = "/auth_session/logout";

/// Starts with this `AUTH_TYPE`.
pub(super) fn start(auth_type: &str) -> Server {
    start_with(auth_type, &[])
}

/// Starts with this `AUTH_TYPE`, as old clients know it.
pub(super) fn start_compat(auth_type: &str) -> Server {
    start_with(auth_type, &[("COMPAT", "1")])
}

pub(super) fn start_with(auth_type: &str, settings: &[(&str, &str)]) -> Server {
    let common = [("AUTH_TYPE", auth_type), ("SESSION_NAME", COOKIE), ("SEED", "1")];
    Server::start(PROGRAM, &[&common, settings].concat())
}

pub(super) fn log_in(client: &mut Client, (email, password): (&str, &str)) -> Answer {
    client.post_form(LOGIN, &[("email", email), ("password", password)])
}

/// A client with a session.
pub(super) fn logged_in(server: &Server, user: (&str, &str)) -> Client {
    let mut client = server.client();
    let answer = log_in(&mut client, user);
    assert_eq!(answer.status, 200, "{answer:?}");
    client
}

/// A client that sends name and password with every request.
pub(super) fn basic(server: &Server, (email, password): (&str, &str)) -> Client {
    let mut client = server.client();
    client.set_header("authorization", authorization(email, password));
    client
}

pub(super) fn authorization(email: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{email}:{password}")))
}

/// A client with a cookie of this value.
pub(super) fn with_cookie(server: &Server, value: &str) -> Client {
    let mut client = server.client();
    client.cookies.insert(COOKIE.into(), value.into());
    client
}

pub(super) fn error(text: &str) -> Value {
    json!({"error": text})
}

#[track_caller]
pub(super) fn assert_unauthorized(answer: &Answer) {
    answer.assert(401, &error("Unauthorized"));
}

#[track_caller]
pub(super) fn assert_forbidden(answer: &Answer) {
    answer.assert(403, &error("Forbidden"));
}

/// Checks that this is a user, and nothing of him that is nobody's business.
#[track_caller]
pub(super) fn assert_user(user: &Value, email: &str) {
    let members: Vec<_> = user.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["created_at", "email", "first_name", "id", "last_name", "updated_at"];
    assert_eq!(members, expected, "{user}");
    assert_eq!(user["email"], email);
    assert_eq!(user["id"].as_str().unwrap().len(), 36, "{user}");
    for time in [&user["created_at"], &user["updated_at"]] {
        let time = time.as_str().unwrap();
        assert!(time.len() == 19 && time.starts_with("20"), "{time}");
    }
}
