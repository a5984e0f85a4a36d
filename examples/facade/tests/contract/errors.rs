//! Errors of every kind in one form, and what every answer carries.

use example_kit::testing::Body;
use serde_json::json;

use super::client::{Caller, Refusal, Server};

#[test]
fn unknown_addresses_and_methods_have_the_same_form() {
    let server = Server::start();
    let mut client = server.client();
    let answer = client.get("/nope");
    answer.assert_error(404, "ResourceNotFound");
    assert_eq!(answer.body["message"], "/api/v1/nope does not exist");
    server.root().get("/nope").assert_error(404, "ResourceNotFound");
    let answer = client.get("/signin");
    answer.assert_error(405, "MethodNotAllowed");
    assert_eq!(answer.body["message"], "GET is not allowed");
    assert_eq!(answer.header("allow"), Some("POST"));
    let broken = client.send("POST", "/signin", Body::Raw("application/json", b"{".to_vec()));
    broken.assert_error(400, "InvalidContent");
    assert_eq!(broken.body["category"], "BadRequest");
    let message = broken.body["message"].as_str().unwrap();
    assert!(message.starts_with("Invalid JSON: ") && message.contains("line 1"), "{message}");
    let text = client.send("POST", "/signin", Body::Raw("text/plain", b"x".to_vec()));
    text.assert_error(400, "InvalidContent");
}

#[test]
fn no_answer_is_for_caches() {
    let server = Server::start();
    let mut user = server.user();
    for answer in [
        user.get("/sites"),
        user.get("/about"),
        user.get("/nope"),
        user.get("/sessions"),
        user.poke("/signout"),
        server.client().sign_up("ann"),
        server.root().get("/openapi.json"),
        server.root().get("/nope"),
    ] {
        assert_eq!(answer.header("cache-control"), Some("no-cache, no-store, must-revalidate"));
        assert_eq!(
            (answer.header("pragma"), answer.header("expires")),
            (Some("no-cache"), Some("0"))
        );
        assert_eq!(answer.headers.get_all("cache-control").iter().count(), 1);
    }
}

#[test]
fn pages_of_other_origins_may_call_with_the_header() {
    let server = Server::start();
    let mut page = server.client();
    page.set_header("origin", "https://app.example");
    page.set_header("access-control-request-method", "POST");
    page.set_header("access-control-request-headers", "content-type, x-session-id");
    let preflight = page.send("OPTIONS", "/sites", Body::Empty);
    assert_eq!(preflight.status, 200, "before any guard");
    assert_eq!(preflight.header("access-control-allow-origin"), Some("https://app.example"));
    let allowed = preflight.header("access-control-allow-headers").unwrap();
    for name in ["x-session-id", "content-type", "correlation_id"] {
        assert!(allowed.contains(name), "{allowed}");
    }

    let mut page = server.client();
    page.set_header("origin", "https://app.example");
    page.set_header("sec-fetch-site", "cross-site");
    let opened = page.sign_in("user2", "user2-password-1");
    assert_eq!(opened.status, 200, "no cookie, nothing to borrow: {opened:#?}");
    assert_eq!(opened.header("access-control-allow-credentials"), None);
    assert_eq!(opened.header("access-control-expose-headers"), Some("x-session-id"));
    page.carry(&opened);
    let answer = page.post("/sites", json!({"name": "Mine"}));
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (200, Some("https://app.example"))
    );
    let refused = page.get("/sessions");
    refused.assert_error(403, "NOT_IN_ROLE");
    assert_eq!(refused.header("access-control-allow-origin"), Some("https://app.example"));

    let server = Server::start_with(&[("CORS_ORIGINS", "https://app.example, https://b.example")]);
    for (origin, allowed) in [("https://b.example", true), ("https://evil.example", false)] {
        let mut page = server.client();
        page.set_header("origin", origin);
        let answer = page.get("/about");
        assert_eq!(answer.header("access-control-allow-origin").is_some(), allowed, "{origin}");
    }
}

#[test]
fn serves_nobody_during_maintenance() {
    let server = Server::start_with(&[("MAINTENANCE_ENABLED", "1")]);
    for answer in [
        server.client().get("/about"),
        server.client().sign_in("admin", "admin-password-1"),
        server.root().get("/openapi.json"),
        server.root().get("/nope"),
    ] {
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("3600")));
        answer.assert_error(503, "UNAVAILABLE");
    }
}

#[test]
fn tells_about_itself() {
    let server = Server::start();
    let mut user = server.user();
    let about = user.get("/about").body;
    assert_eq!(about["server"]["name"], "example-facade");
    assert!(about["server"]["uptime"].as_i64().unwrap() >= 0);
    assert_eq!(
        (&about["client"]["user"], &about["client"]["address"]),
        (&json!("User #2"), &json!("127.0.0.1"))
    );
    assert!(server.client().get("/about").body["client"].get("user").is_none());
    let status = server.root().get("/status").body;
    assert_eq!(status["name"], "example-facade");
    assert!(status["start_time"].as_str() <= status["current_time"].as_str(), "{status}");
    assert!(server.root().get("/heartbeat").body.as_str().unwrap().ends_with('Z'));
}
