//! An application's own answers.

use auth_poem::{prelude::*, responder::Responder};
use auth_tests::{Answer, World, api};
use bytes::Bytes;
use poem::http::Response;

struct Own;

impl Responder for Own {
    fn refuse(&self, rejection: &Rejection) -> Response<Bytes> {
        let status = match rejection {
            Rejection::InvalidSession => 440,
            rejection => rejection.status().as_u16(),
        };
        let body = Bytes::from(format!("own:{}", rejection.code()));
        Response::builder().status(status).body(body).unwrap()
    }

    fn fail(&self) -> Response<Bytes> {
        Response::builder().status(500).body(Bytes::from_static(b"own:broken")).unwrap()
    }
}

fn shown(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.body.as_str())
}

#[tokio::test]
async fn refusals_of_the_gate_and_of_operations_look_as_the_application_wants() {
    let world = World::with(|config| config.responder(Own)).await;
    let ann = world.logged_in("ann").await;
    for prefix in ["", "/plain"] {
        let me = format!("{prefix}/me");
        assert_eq!(shown(&world.browser().get(&me).await), (401, "own:missing_credentials"));
        let dead = world.browser();
        dead.plant("__Host-sid", &"A".repeat(43));
        let answer = dead.get(&me).await;
        assert_eq!(shown(&answer), (440, "own:invalid_session"));
        assert!(answer.removes_cookie(), "headers are the framework's");
        let answer = ann.get(format!("{prefix}/refuse")).await;
        assert_eq!(shown(&answer), (403, "own:forbidden"));
    }
    assert_eq!(shown(&ann.get("/guard/role").await), (403, "own:forbidden"));
    let answer = world.browser().login_with("ann", "no").await;
    assert_eq!(shown(&answer), (401, "own:wrong_credentials"));
    assert_eq!(shown(&world.browser().post("/fail/ours").await), (409, "own:no_room"));
}

#[tokio::test]
async fn the_headers_of_a_refusal_are_there_whatever_its_body() {
    let world = World::with(|config| config.responder(Own)).await;
    let answer = world.browser().get("/me").await;
    assert_eq!(answer.all("www-authenticate"), ["Bearer realm=\"auth\""]);
    assert_eq!(answer.all("cache-control"), ["no-store"]);
    for _ in 0..5 {
        let _ = world.browser().login_with("ann", "no").await.is(401);
    }
    let answer = world.browser().login_with("ann", "no").await;
    assert_eq!(shown(&answer), (429, "own:too_many_attempts"));
    assert_eq!(answer.all("retry-after"), ["1"]);
}

#[tokio::test]
async fn faults_look_as_the_application_wants_wherever_they_come_from() {
    let world = World::with(|config| config.responder(Own)).await;
    let ann = world.logged_in("ann").await;
    assert_eq!(shown(&ann.get("/fault").await), (500, "own:broken"));
    world.sessions.fail(true);
    assert_eq!(shown(&ann.get("/me").await), (500, "own:broken"), "in the gate");
    assert_eq!(shown(&ann.get("/plain/me").await), (500, "own:broken"), "in a handler's gate");
    assert_eq!(shown(&ann.get("/session").await), (500, "own:broken"), "in a parameter");
    assert_eq!(shown(&ann.post("/logout").await), (500, "own:broken"), "in an operation");
    let answer = world.browser().post("/cart/note?text=x").await;
    assert_eq!(shown(&answer), (500, "own:broken"), "when the session is stored");
}

#[tokio::test]
async fn what_poem_refuses_is_handed_to_it_as_a_refusal() {
    let world = World::with(|config| config.responder(Own)).await;
    let ann = world.logged_in("ann").await;
    assert_eq!(shown(&ann.get("/items/x").await), (400, "own:malformed_request"));
    assert_eq!(shown(&ann.get("/no/where").await), (404, "own:not_found"));
}

#[tokio::test]
async fn documents_name_the_statuses_and_claim_nothing_of_bodies_that_nobody_describes() {
    let world = World::with(|config| config.responder(Own)).await;
    let api = api::apis(&world.gates, &world.people);
    let document = world.auth.openapi(api, "Tests", "1.0").spec();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let responses = &document["paths"]["/me"]["get"]["responses"];
    for status in ["401", "403", "440", "500"] {
        let response = responses[status].as_object().unwrap();
        assert!(!response.contains_key("content"), "{status}: {response:?}");
    }
    assert!(responses.get("503").is_none(), "{responses:#}");
    assert!(!document.to_string().contains("problem"), "{document:#}");
}
