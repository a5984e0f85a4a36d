//! `COOKIE_ENABLED=1`: a cookie beside the header.

use serde_json::json;

use super::client::{Caller, Refusal, Server};

const ENABLED: [(&str, &str); 1] = [("COOKIE_ENABLED", "1")];

#[test]
fn there_is_none_unless_it_is_asked_for() {
    let server = Server::start_with(&[("COOKIE", "sid")]);
    let mut client = server.client();
    let opened = client.sign_in("user1", "user1-password-1");
    assert_eq!(opened.set_cookie(), None);
    let token = opened.body["token"].as_str().unwrap().to_owned();
    for name in ["sid", "x-session-id"] {
        client.cookies.insert(name.into(), token.clone());
    }
    client.get("/sessions/current").assert_error(401, "NOT_SIGNED");
}

#[test]
fn carries_a_session_and_names_how_long_it_lasts() {
    for (settings, name, age) in [
        (&[][..], "x-session-id", 30 * 24 * 60 * 60),
        (&[("COOKIE", "pip"), ("MAX_COOKIE_AGE", "172800000")], "pip", 2 * 24 * 60 * 60),
    ] {
        let settings: Vec<_> = ENABLED.iter().chain(settings).copied().collect();
        let server = Server::start_with(&settings);
        let mut client = server.client();
        let opened = client.sign_in("user1", "user1-password-1");
        let cookie = opened.set_cookie().unwrap();
        let token = opened.body["token"].as_str().unwrap();
        assert!(cookie.starts_with(&format!("{name}={token}")), "{cookie}");
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        assert!(!cookie.contains("Secure"), "{cookie}");
        let max_age = cookie.split("Max-Age=").nth(1).unwrap().split(';').next().unwrap();
        assert!((age - 10..=age).contains(&max_age.parse().unwrap()), "{cookie}");
        assert_eq!(client.get("/sessions/current").body["user_id"], "2");

        let mut thief = client.clone();
        let answer = client.poke("/signout");
        assert_eq!(answer.status, 204);
        assert!(answer.set_cookie().unwrap().contains("Max-Age=0"), "{answer:#?}");
        thief.get("/sessions/current").assert_error(440, "SESSION_NOT_FOUND");
    }
    let server = Server::start_with(&[("COOKIE_ENABLED", "1"), ("SECURE_COOKIES", "1")]);
    let opened = server.client().sign_in("user1", "user1-password-1");
    assert!(opened.set_cookie().unwrap().contains("Secure"), "{opened:#?}");
}

#[test]
fn the_header_wins() {
    let server = Server::start_with(&ENABLED);
    let mut client = server.client();
    client.sign_in("user1", "user1-password-1");
    let other = server.client().sign_in("user2", "user2-password-1");
    client.carry(&other);
    assert_eq!(client.user_id(), "3");
    client.set_header("x-session-id", "x");
    client.get("/about").assert_error(440, "SESSION_NOT_FOUND");
}

#[test]
fn other_sites_cannot_borrow_it() {
    let server = Server::start_with(&ENABLED);
    let mut client = server.client();
    let opened = client.sign_in("user1", "user1-password-1");
    let mut evil = client.clone();
    evil.set_header("sec-fetch-site", "cross-site");
    evil.set_header("origin", "https://evil.example");
    evil.post("/sites", json!({"name": "Mine"})).assert_error(403, "CROSS_SITE");
    evil.poke("/signout").assert_error(403, "CROSS_SITE");
    evil.poke("/sites/1/remove").assert_error(403, "CROSS_SITE");
    evil.sign_in("user2", "user2-password-1").assert_error(403, "CROSS_SITE");
    assert_eq!(client.get("/sites/1").status, 200);

    // What a page puts into the header it knows already.
    evil.cookies.clear();
    evil.carry(&opened);
    assert_eq!(evil.post("/sites", json!({"name": "Mine"})).status, 200);
}
