//! Plain functions of poem behave as operations of an API do.

use auth_poem::AuthenticatorExt;
use auth_tests::{World, body::Reads};
use poem::{EndpointExt, test::TestClient};

#[tokio::test]
async fn a_handler_knows_its_user() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let token = world.token("ann").await;
    assert_eq!(ann.get("/plain/me").await.is(200).body, "ann");
    assert_eq!(ann.get("/plain/maybe").await.is(200).body, "ann");
    assert_eq!(world.browser().get("/plain/me").bearer(&token).await.is(200).body, "ann");
    assert_eq!(world.browser().get("/plain/maybe").await.is(200).body, "nobody");
    assert_eq!(world.browser().get("/plain/public").await.is(200).body, "welcome");
}

#[tokio::test]
async fn a_handler_refuses_as_an_operation_does() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let stranger = world.browser();
    stranger.plant("__Host-sid", &"A".repeat(43));
    let pairs = [("/plain/me", "/me"), ("/plain/maybe", "/maybe"), ("/plain/role", "/guard/role")];
    for (handler, operation) in pairs {
        for browser in [&world.browser(), &ann, &stranger] {
            let mut answers = Vec::new();
            for path in [handler, operation] {
                let answer = browser.stolen().get(path).await;
                let body = if answer.status == 200 { String::new() } else { answer.body };
                answers.push((answer.status, body, answer.headers.get("set-cookie").cloned()));
            }
            assert_eq!(answers[0], answers[1], "{handler}");
        }
    }
    assert_eq!(ann.get("/plain/role").await.outcome(), (403, "forbidden".into()));
    let invalid = world.browser().get("/plain/maybe").bearer("x.y.z").await;
    assert_eq!(invalid.outcome(), (401, "invalid_token".into()));
}

#[tokio::test]
async fn a_handler_refuses_before_it_reads() {
    let world = World::new().await;
    let reads = Reads::default();
    let body = reads.body("{ no json");
    let answer = world.browser().post("/plain/echo").body("application/json", body).await;
    assert_eq!(answer.outcome(), (401, "missing_credentials".into()));
    assert_eq!(reads.count(), 0);
    assert_eq!(world.browser().get("/plain/items/x").await.status, 401);

    let ann = world.logged_in("ann").await;
    let body = reads.body("{ no json");
    let answer = ann.post("/plain/echo").body("application/json", body).await;
    assert_eq!(answer.status, 400);
    assert!(reads.count() > 0);
    assert_eq!(ann.get("/plain/items/x").await.status, 400);
    assert_eq!(ann.get("/plain/items/7").await.is(200).body, "7");
}

#[tokio::test]
async fn a_handler_that_fails_keeps_what_it_changed() {
    let world = World::new().await;
    let browser = world.browser();
    let answer = browser.post("/plain/fail").await.is(418);
    assert!(answer.set_cookie().is_some());
    assert_eq!(browser.get("/session").await.json()["note"], "kept");
}

#[tokio::test]
async fn a_layer_around_a_layer_does_no_harm() {
    let world = World::new().await;
    let routes = auth_tests::api::plain::routes().with(world.auth.layer());
    let client = TestClient::new(routes.with(world.auth.layer()));
    world.reset_calls();
    let response = client.post("/fail").send().await.0;
    assert_eq!(response.headers().get_all("set-cookie").iter().count(), 1);
    assert_eq!((world.sessions.calls().create, world.sessions.calls().total()), (1, 1));
}

#[tokio::test]
async fn a_handler_is_unavailable_when_a_store_is() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    world.sessions.fail(true);
    for path in ["/plain/me", "/plain/maybe"] {
        assert_eq!(ann.get(path).await.outcome(), (503, "unavailable".into()), "{path}");
    }
}
