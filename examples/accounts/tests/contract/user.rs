//! Signing up, logging in and out, the current user, the greeting.

use example_kit::testing::Answer;
use serde_json::json;

use super::{OTHER_PASSWORD, PASSWORD, client::Caller, server::Server};

#[test]
fn signs_up_and_is_logged_in_by_session() {
    let server = Server::start();
    let mut ann = server.client();
    let answer = ann.sign_up("ann", PASSWORD);
    assert_eq!(answer.status, 201);
    let members: Vec<&String> = answer.body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["id", "last_login", "roles", "signup_time", "username"]);
    assert_eq!(answer.body["username"], "ann");
    assert_eq!(answer.body["roles"], json!([]));
    let id = answer.body["id"].as_str().unwrap();
    assert!(id.parse::<auth_poem::prelude::Uuid>().is_ok(), "{id}");

    let me = ann.get("/user");
    assert_eq!(me.status, 200);
    assert_eq!(me.body, answer.body);
}

#[test]
fn refuses_what_nobody_can_sign_up_with() {
    let server = Server::start();
    server.signed_up("ann");
    for name in ["ann", "ANN"] {
        server.client().sign_up(name, PASSWORD).assert_refused(409, "username_taken");
    }
    let weak = server.client().sign_up("ben", "short");
    weak.assert_refused(422, "weak_password");
    assert!(weak.body["detail"].as_str().unwrap().contains("15"), "{}", weak.body);
    for name in ["", " ann", "a b", "<b>", "ünal", &"x".repeat(65)] {
        let answer = server.client().sign_up(name, PASSWORD);
        answer.assert_refused(422, "malformed_username");
    }
    for client in [server.client().sign_up("ben", "short"), server.client().sign_up("", PASSWORD)] {
        assert_eq!(client.set_cookie(), None);
    }
}

#[test]
fn lowers_the_policy_where_the_operator_says_so() {
    let server = Server::start_with(&[("PASSWORD_MIN_LENGTH", "8")]);
    assert_eq!(server.client().sign_up("ann", "vjq-4x8k").status, 201);
    server.client().sign_up("ben", "vjq-4x8").assert_refused(422, "weak_password");
}

#[test]
fn logs_in_with_a_new_key_each_time() {
    let server = Server::start();
    let mut ann = server.signed_up("ann");
    let first = ann.clone();
    let answer = ann.log_in("ann", PASSWORD);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["username"], "ann");
    assert!(answer.body["last_login"].is_string());
    assert_ne!(ann.cookies, first.cookies);
    assert_eq!(ann.me(), 200);
    assert_eq!(first.clone().me(), 401, "the old key is alive");
}

#[test]
fn logs_in_from_one_user_to_another_with_a_new_key() {
    let server = Server::start();
    server.signed_up("ben");
    let mut client = server.signed_up("ann");
    let mut old = client.clone();
    assert_eq!(client.log_in("ben", PASSWORD).status, 200);
    assert_ne!(client.cookies, old.cookies);
    assert_eq!(client.get("/user").body["username"], "ben");
    assert_eq!(old.me(), 401, "the session of the first user is alive");
}

#[test]
fn never_takes_over_a_key_from_a_client() {
    let server = Server::start();
    server.signed_up("ann");
    let mut client = server.client();
    let planted = "B".repeat(42) + "A";
    client.cookies.insert("sid".into(), planted.clone());
    assert_eq!(client.log_in("ann", PASSWORD).status, 200);
    assert_ne!(client.cookies["sid"], planted);
    let mut attacker = server.client();
    attacker.cookies.insert("sid".into(), planted);
    assert_eq!(attacker.me(), 401);
}

#[test]
fn does_not_tell_whether_a_user_exists() {
    let server = Server::start();
    server.signed_up("ann");
    for path in ["/user/login", "/user/token"] {
        let wrong = json!({"username": "ann", "password": OTHER_PASSWORD});
        let unknown = json!({"username": "nobody", "password": OTHER_PASSWORD});
        let wrong = server.client().post(path, wrong);
        let unknown = server.client().post(path, unknown);
        wrong.assert_refused(401, "wrong_credentials");
        assert_eq!((wrong.status, &wrong.body), (unknown.status, &unknown.body));
        let names = |answer: &Answer| {
            let mut names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
            names.sort();
            names
        };
        assert_eq!(names(&wrong), names(&unknown));
    }
}

#[test]
fn remembers_who_asks_for_it() {
    let server = Server::start();
    server.signed_up("ann");
    let login = |remember: bool| {
        let body = json!({"username": "ann", "password": PASSWORD, "remember": remember});
        server.client().post("/user/login", body).set_cookie().unwrap().to_owned()
    };
    assert!(!login(false).contains("Max-Age"), "{}", login(false));
    let age = login(true).split("Max-Age=").nth(1).unwrap().split(';').next().unwrap().to_owned();
    assert!(age.parse::<u64>().unwrap() >= 14 * 24 * 60 * 60 - 10, "{age}");
}

#[test]
fn logs_out_for_good() {
    let server = Server::start();
    let mut ann = server.signed_up("ann");
    let mut thief = ann.clone();
    let answer = ann.log_out();
    assert_eq!(answer.status, 204);
    assert!(answer.set_cookie().unwrap().contains("Max-Age=0"), "{answer:#?}");
    assert!(ann.cookies.is_empty());
    thief.get("/user").assert_refused(401, "invalid_session");
    // Nobody is logged in any more, and logging out is no error.
    assert_eq!(server.client().log_out().status, 204);
    let mut stale = server.client();
    stale.cookies = thief.cookies.clone();
    assert_eq!(stale.log_out().status, 204);
}

#[tokio::test]
async fn a_logout_that_cannot_be_stored_says_so() {
    let server = Server::start();
    let mut ann = server.signed_up("ann");
    let mut before = ann.clone();
    let url = format!("sqlite://{}", server.path("accounts.db").display());
    let pool = auth_poem::sql::open_sqlite(&url).await.unwrap();
    // Somebody else writes for longer than the example is willing to wait.
    let lock = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let answer = ann.log_out();
    lock.rollback().await.unwrap();
    answer.assert_refused(503, "unavailable");
    assert_eq!(answer.set_cookie(), None);
    assert_eq!(before.me(), 200, "the session has ended, and the answer said that it has not");
    assert_eq!(before.log_out().status, 204);
}

#[test]
fn slows_down_who_guesses_a_password() {
    let server = Server::start();
    server.signed_up("ann");
    server.signed_up("ben");
    for _ in 0..5 {
        server.client().log_in("ann", OTHER_PASSWORD).assert_refused(401, "wrong_credentials");
    }
    // The times double, so that a slow machine meets one of them as well.
    let answers = (0..6).map(|_| server.client().log_in("Ann", OTHER_PASSWORD));
    let refused: Vec<_> = answers.filter(|answer| answer.status != 401).collect();
    refused[0].assert_refused(429, "too_many_attempts");
    assert!(refused[0].header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(server.client().log_in("ben", PASSWORD).status, 200);
}

#[test]
fn asks_for_a_user() {
    let server = Server::start();
    let answer = server.client().get("/user");
    answer.assert_refused(401, "missing_credentials");
    assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
}

#[test]
fn greets_anybody() {
    let server = Server::start();
    let mut ann = server.signed_up("ann");
    assert_eq!(ann.get("/user/hello").body, json!({"message": "Hello, ann"}));
    assert_eq!(server.client().get("/user/hello").body, json!({"message": "Hello, stranger"}));

    let mut stale = ann.clone();
    ann.log_out();
    let answer = stale.get("/user/hello");
    assert_eq!((answer.status, &answer.body["message"]), (200, &json!("Hello, stranger")));
    assert!(answer.set_cookie().unwrap().contains("Max-Age=0"), "{answer:#?}");

    let mut liar = server.client();
    liar.token = Some("not-a-token".into());
    liar.get("/user/hello").assert_refused(401, "invalid_token");
}

#[test]
fn refuses_pages_of_other_sites() {
    let server = Server::start();
    let mut ann = server.signed_up("ann");
    let mut evil = ann.clone();
    evil.set_header("sec-fetch-site", "cross-site");
    evil.set_header("origin", "https://evil.example");
    evil.put("/user", json!({"username": "eve"})).assert_refused(403, "cross_site");
    evil.log_out().assert_refused(403, "cross_site");
    evil.log_in("ann", PASSWORD).assert_refused(403, "cross_site");
    evil.sign_up("eve", PASSWORD).assert_refused(403, "cross_site");
    assert_eq!(ann.get("/user").body["username"], "ann");
}
