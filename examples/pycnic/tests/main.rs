//! What pycnic's clients rely on, asked of a started process.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use auth_poem::testing::{Credential, Sample, Walk};
use example_kit::testing::{Answer, Body, Client, Server, command};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_example-pycnic");

fn start() -> Server {
    Server::start(PROGRAM, &[])
}

fn start_compat() -> Server {
    Server::start(PROGRAM, &[("COMPAT", "1")])
}

fn log_in(client: &mut Client) -> Answer {
    client.post("/login", json!({"username": "foo", "password": "foo"}))
}

fn logged_in(server: &Server) -> Client {
    let mut client = server.client();
    assert_eq!(log_in(&mut client).status, 200);
    client
}

fn log_out(client: &mut Client) -> Answer {
    client.send("POST", "/logout", Body::Empty)
}

/// What every error looks like.
fn failure(status: &str, error: &str) -> Value {
    let status_code: u16 = status[..3].parse().unwrap();
    json!({"status": status, "status_code": status_code, "error": error, "data": null})
}

const NOT_LET_IN: &str = "I can't let you do that";

#[test]
fn logs_in_greets_and_logs_out() {
    let server = start();
    let mut client = server.client();
    client.get("/home").assert(401, &failure("401 Unauthorized", NOT_LET_IN));
    log_in(&mut client).assert(200, &json!({"message": "Logged in"}));
    client.get("/home").assert(200, &json!({"message": "Hello, foo"}));
    let answer = client.send("POST", "/home", Body::Empty);
    answer.assert(200, &json!({"message": "Hello, foo"}));

    let mut thief = client.clone();
    let answer = log_out(&mut client);
    answer.assert(200, &json!({"message": "logged out"}));
    assert!(answer.set_cookie().unwrap().starts_with("session_id=;"), "{answer:?}");
    assert!(client.cookies.is_empty());
    for client in [&mut client, &mut thief] {
        let refused = failure("401 Unauthorized", NOT_LET_IN);
        client.get("/home").assert(401, &refused);
        client.send("POST", "/home", Body::Empty).assert(401, &refused);
    }
}

#[test]
fn says_the_same_of_a_wrong_name_and_a_wrong_password() {
    let server = start();
    let refused = failure("401 Unauthorized", "Invalid username or password");
    for login in [
        json!({"username": "foo", "password": "bar"}),
        json!({"username": "bar", "password": "foo"}),
    ] {
        let answer = server.client().post("/login", login);
        answer.assert(401, &refused);
        assert_eq!(answer.set_cookie(), None);
    }
}

#[test]
fn asks_for_a_name_and_a_password() {
    let server = start();
    let refused = failure("400 Bad Request", "Please specify username and password");
    for login in [
        json!({}),
        json!({"username": "foo"}),
        json!({"password": "foo"}),
        json!({"username": "", "password": "foo"}),
        json!({"username": "foo", "password": ""}),
        json!({"username": null, "password": null}),
        json!([]),
        json!(["foo", "foo"]),
        json!("foo"),
    ] {
        server.client().post("/login", login).assert(400, &refused);
    }
    let mut client = server.client();
    client.send("POST", "/login", Body::Empty).assert(400, &refused);
    let empty = Body::Raw("application/json", Vec::new());
    client.send("POST", "/login", empty).assert(400, &refused);
}

#[test]
fn asks_for_json() {
    let server = start();
    let refused = failure("400 Bad Request", "Expected JSON in request body");
    let mut client = server.client();
    for text in ["{", "username=foo"] {
        let body = Body::Raw("application/json", text.into());
        client.send("POST", "/login", body).assert(400, &refused);
    }
    let form = [("username", "foo"), ("password", "foo")];
    client.post_form("/login", &form).assert(400, &refused);
}

#[test]
fn says_what_is_not_there() {
    let server = start();
    let mut client = logged_in(&server);
    client.get("/nope").assert(404, &failure("404 Not Found", "Path /nope not found"));
    let answer = client.get("/login");
    answer.assert(405, &failure("405 Method Not Allowed", "GET not allowed"));
    assert_eq!(answer.header("allow"), Some("POST, OPTIONS"));
    let answer = client.delete("/home");
    answer.assert(405, &failure("405 Method Not Allowed", "DELETE not allowed"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[test]
fn tells_what_can_be_asked_where() {
    let server = start();
    for (path, allow) in [("/login", "POST, OPTIONS"), ("/home/", "GET, HEAD, POST, OPTIONS")] {
        let answer = server.client().send("OPTIONS", path, Body::Empty);
        answer.assert(200, &json!({}));
        assert_eq!(answer.header("allow"), Some(allow), "{path}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    let answer = server.client().send("OPTIONS", "/nope", Body::Empty);
    answer.assert(404, &failure("404 Not Found", "Path /nope not found"));
}

#[test]
fn does_not_care_for_a_slash_at_the_end() {
    let server = start();
    let mut client = server.client();
    let login = json!({"username": "foo", "password": "foo"});
    assert_eq!(client.post("/login/", login).status, 200);
    assert_eq!(client.get("/home/").status, 200);
    assert_eq!(client.send("POST", "/logout/", Body::Empty).status, 200);
}

#[test]
fn logs_out_whoever_presents_a_cookie() {
    let server = start();
    let mut client = server.client();
    let answer = log_out(&mut client);
    answer.assert(200, &json!({"message": "Not logged in"}));
    assert_eq!(answer.set_cookie(), None);
    client.cookies.insert("session_id".into(), "garbage".into());
    let answer = log_out(&mut client);
    answer.assert(200, &json!({"message": "logged out"}));
    assert!(client.cookies.is_empty(), "{answer:?}");
}

#[test]
fn refuses_a_cookie_that_is_nobodys() {
    let server = start();
    let forged = "A".repeat(43);
    for cookie in ["garbage", &forged, "0123456789abcdef0123456789abcdef01234567"] {
        let mut client = server.client();
        client.cookies.insert("session_id".into(), cookie.into());
        client.get("/home").assert(401, &failure("401 Unauthorized", NOT_LET_IN));
    }
}

#[test]
fn keeps_the_sessions_of_one_user_apart() {
    let server = start();
    let (mut here, mut there) = (logged_in(&server), logged_in(&server));
    assert_ne!(here.cookies, there.cookies);
    log_out(&mut here);
    assert_eq!(there.get("/home").status, 200);
}

#[test]
fn gives_every_login_a_key_of_its_own() {
    let server = start();
    let mut client = server.client();
    client.cookies.insert("session_id".into(), "A".repeat(43));
    let planted = client.clone();
    assert_eq!(log_in(&mut client).status, 200);
    let mut first = client.clone();
    assert_eq!(log_in(&mut client).status, 200);
    assert_ne!(client.cookies, first.cookies);
    assert_eq!(client.get("/home").status, 200);
    for mut old in [planted, first.clone()] {
        assert_eq!(old.get("/home").status, 401);
    }
    assert_eq!(first.get("/home").status, 401);
}

#[test]
fn sends_a_cookie_that_scripts_and_other_sites_do_not_get() {
    let cookie = log_in(&mut start().client()).set_cookie().unwrap().to_owned();
    assert!(cookie.starts_with("session_id="), "{cookie}");
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let secure = Server::start(PROGRAM, &[("SECURE_COOKIES", "1")]);
    let cookie = log_in(&mut secure.client()).set_cookie().unwrap().to_owned();
    assert!(cookie.starts_with("__Host-sid=") && cookie.contains("Secure"), "{cookie}");
}

#[test]
fn refuses_pages_of_other_sites() {
    let server = start();
    let mut client = logged_in(&server);
    let mut evil = client.clone();
    evil.set_header("origin", "https://evil.example");
    let refused = failure("403 Forbidden", NOT_LET_IN);
    evil.send("POST", "/home", Body::Empty).assert(403, &refused);
    log_out(&mut evil).assert(403, &refused);
    log_in(&mut evil).assert(403, &refused);
    assert_eq!(client.get("/home").status, 200);
}

#[test]
fn slows_down_who_guesses_the_password() {
    let server = start();
    let guess = || server.client().post("/login", json!({"username": "foo", "password": "bar"}));
    let refused = (0..11).map(|_| guess()).find(|answer| answer.status != 401).unwrap();
    refused.assert(429, &failure("429 Too Many Requests", "Too many attempts, try again later"));
    assert!(refused.header("retry-after").is_some());
}

#[test]
fn tells_old_clients_the_session_in_the_body() {
    let server = start_compat();
    let mut client = server.client();
    let answer = log_in(&mut client);
    assert_eq!(answer.body["message"], "Logged in");
    assert_eq!(answer.body["session_id"], client.cookies["session_id"]);
    assert_eq!(client.get("/home").status, 200);

    let mut program = server.client();
    program.set_header("x-session-id", answer.body["session_id"].as_str().unwrap());
    assert_eq!(program.get("/home").status, 200);
    // Without COMPAT no header is looked at.
    let server = start();
    let mut program = server.client();
    let cookie = logged_in(&server).cookies["session_id"].clone();
    program.set_header("x-session-id", cookie);
    assert_eq!(program.get("/home").status, 401);
}

#[test]
fn stops_cleanly_and_forgets_its_sessions() {
    let mut server = start();
    let cookies = logged_in(&server).cookies;
    for signal in ["TERM", "INT"] {
        server.signal(signal);
        assert!(server.ended().success(), "{signal}: {}", server.log());
        server.start_again();
        let mut client = server.client();
        client.cookies = cookies.clone();
        assert_eq!(client.get("/home").status, 401);
        assert_eq!(logged_in(&server).get("/home").status, 200);
    }
}

#[test]
fn says_who_may_call_what() {
    let folder = tempfile::tempdir().unwrap();
    let output = command(PROGRAM, folder.path()).arg("--access").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), include_str!("access.txt"));
}

#[tokio::test]
async fn does_what_its_document_says() {
    for server in [start(), start_compat()] {
        let document = server.root().get("/openapi.json").body;
        let login = json!({"username": "foo", "password": "foo"});
        let report = Walk::new(server.endpoint(), &document.to_string())
            .credentials(async |_| {
                Some(Credential::new(logged_in(&server).cookies["session_id"].clone()))
            })
            .samples(async |operation| {
                (operation.to_string() == "POST /login").then(|| Sample::json(login.clone()))
            })
            .run()
            .await;
        report.assert_clean();
        assert!(report.skipped().is_empty() && report.never_succeeded().is_empty(), "{report}");
    }
}
