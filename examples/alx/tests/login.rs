//! Logging in by form, and out.

use example_kit::testing::Body;
use serde_json::json;

use super::server::{
    BOB, BOBSESSION, COOKIE, LOGIN, LOGOUT, assert_forbidden, assert_user, error, log_in,
    logged_in, start, start_compat, start_with, with_cookie,
};

#[test]
fn starts_a_session() {
    let server = start("session_auth");
    let mut client = server.client();
    let answer = client
        .post_form(&format!("{LOGIN}/"), &[("email", BOBSESSION.0), ("password", BOBSESSION.1)]);
    assert_eq!(answer.status, 200);
    assert_user(&answer.body, BOBSESSION.0);
    client.get("/users/me").assert(200, &answer.body);
    let path = format!("/users/{}", answer.body["id"].as_str().unwrap());
    client.get(&path).assert(200, &answer.body);
}

#[test]
fn takes_a_form_and_nothing_else() {
    let server = start("session_auth");
    let mut client = server.client();
    let (email, password) = BOBSESSION;
    let missing = error("email missing");
    client.post(LOGIN, json!({"email": email, "password": password})).assert(400, &missing);
    client.send("POST", LOGIN, Body::Empty).assert(400, &missing);
    let query = format!("{LOGIN}?email={email}&password=fake%20pwd");
    client.send("POST", &query, Body::Empty).assert(400, &missing);
    for fields in [&[][..], &[("password", password)], &[("email", ""), ("password", password)]] {
        client.post_form(LOGIN, fields).assert(400, &missing);
    }
    for fields in [&[("email", email)][..], &[("email", email), ("password", "")]] {
        client.post_form(LOGIN, fields).assert(400, &error("password missing"));
    }
    assert!(client.cookies.is_empty());
}

#[test]
fn does_not_tell_whether_it_was_the_name_or_the_password() {
    let server = start("session_auth");
    for user in [(BOBSESSION.0, "test"), ("guillaume@hbtn.io", "test")] {
        let answer = log_in(&mut server.client(), user);
        answer.assert(401, &error("invalid credentials"));
        assert_eq!(answer.set_cookie(), None);
    }
}

#[test]
fn slows_down_who_guesses_a_password() {
    let server = start("session_auth");
    let guess = || log_in(&mut server.client(), (BOBSESSION.0, "test"));
    let refused = (0..11).map(|_| guess()).find(|answer| answer.status != 401).unwrap();
    assert_eq!(refused.status, 429, "{refused:?}");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(log_in(&mut server.client(), BOB).status, 200);

    let server = start_compat("session_auth");
    for _ in 0..11 {
        let answer = log_in(&mut server.client(), (BOBSESSION.0, "test"));
        answer.assert(401, &error("wrong password"));
    }
    assert_eq!(log_in(&mut server.client(), BOBSESSION).status, 200);
}

#[test]
fn ends_the_session_for_good() {
    for auth_type in ["session_auth", "session_exp_auth", "session_db_auth"] {
        let server = start(auth_type);
        let mut client = logged_in(&server, BOBSESSION);
        let mut elsewhere = logged_in(&server, BOBSESSION);
        let thief = client.clone();
        let answer = client.delete(LOGOUT);
        answer.assert(200, &json!({}));
        assert!(answer.set_cookie().unwrap().contains("Max-Age=0"), "{answer:?}");
        assert!(client.cookies.is_empty());
        assert_forbidden(&thief.clone().get("/users/me"));
        assert_forbidden(&thief.clone().delete(LOGOUT));
        assert_eq!(elsewhere.get("/users/me").status, 200);
    }
}

#[test]
fn gives_every_login_a_key_of_its_own() {
    let server = start("session_auth");
    let planted = "A".repeat(43);
    let mut client = with_cookie(&server, &planted);
    assert_eq!(log_in(&mut client, BOBSESSION).status, 200);
    assert_ne!(client.cookies[COOKIE], planted);
    assert_forbidden(&with_cookie(&server, &planted).get("/users/me"));

    let mut first = client.clone();
    assert_eq!(log_in(&mut client, BOB).status, 200);
    assert_user(&client.get("/users/me").body, BOB.0);
    assert_forbidden(&first.get("/users/me"));
}

#[test]
fn sends_the_cookie_of_its_mode() {
    let cookie = |auth_type: &str, settings: &[(&str, &str)]| {
        let server = start_with(auth_type, settings);
        let answer = log_in(&mut server.client(), BOBSESSION);
        answer.set_cookie().unwrap().to_owned()
    };
    let lasting = cookie("session_exp_auth", &[("SESSION_DURATION", "60")]);
    let endless = cookie("session_auth", &[("SESSION_DURATION", "60")]);
    let compat = cookie("session_exp_auth", &[("SESSION_DURATION", "60"), ("COMPAT", "1")]);
    let secure = cookie("session_auth", &[("SECURE_COOKIES", "1")]);
    for cookie in [&lasting, &endless, &compat, &secure] {
        assert!(cookie.starts_with(&format!("{COOKIE}=")), "{cookie}");
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        assert_eq!(cookie.contains("Max-Age"), cookie == &lasting, "{cookie}");
        assert_eq!(cookie.contains("Secure"), cookie == &secure, "{cookie}");
    }
    assert!(lasting.contains("Max-Age=60"), "{lasting}");
}
