//! Strangers make the server parse: who is refused is refused before anything of him is read.

use auth_tests::{World, body::Reads};

#[tokio::test]
async fn a_strangers_body_is_not_read() {
    let world = World::new().await;
    let stranger = world.browser();
    let expired = world.browser();
    expired.plant("__Host-sid", &"A".repeat(43));
    for media_type in ["application/json", "text/plain", "application/octet-stream"] {
        for path in ["/echo", "/authored"] {
            let reads = Reads::default();
            let answer = stranger.post(path).body(media_type, reads.body("{ malformed")).await;
            assert_eq!(answer.outcome(), (401, "missing_credentials".into()), "{path}");
            let answer =
                stranger.post(path).bearer("x.y.z").body(media_type, reads.body("{")).await;
            assert_eq!(answer.outcome(), (401, "invalid_token".into()), "{path}");
            let answer = expired.stolen().post(path).body(media_type, reads.body("{")).await;
            assert_eq!(answer.outcome(), (401, "invalid_session".into()), "{path}");
            assert_eq!(reads.count(), 0, "{path}");
        }
    }
}

#[tokio::test]
async fn the_body_of_a_known_user_is_read_and_his_mistakes_are_told() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let reads = Reads::default();
    let body = reads.body(r#"{"text": "hello"}"#);
    let answer = ann.post("/echo").body("application/json", body).await;
    assert_eq!(answer.is(200).body, "hello");
    assert!(reads.count() > 0);
    let answer = ann.post("/echo").body("application/json", reads.body("{ malformed")).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn a_strangers_path_is_not_parsed() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    for path in ["/items/x", "/items/-1", "/items/99999999999999999999"] {
        let answer = world.browser().get(path).await;
        assert_eq!(answer.outcome(), (401, "missing_credentials".into()), "{path}");
        assert_eq!(ann.get(path).await.status, 400, "{path}");
    }
    assert_eq!(ann.get("/items/7").await.is(200).body, "7");
}

#[tokio::test]
async fn an_authors_handler_of_bad_requests_sees_bad_requests_and_nothing_else() {
    let world = World::new().await;
    let post = |browser: &auth_tests::Browser, body: &'static str| {
        browser.post("/authored").body("application/json", body)
    };
    let ann = world.logged_in("ann").await;
    let answer = post(&ann, "{ malformed").await;
    assert!(answer.body.starts_with("the author saw: "), "{answer:?}");
    assert_eq!(answer.status, 400);
    assert_eq!(post(&ann, r#"{"text": "hello"}"#).await.is(200).body, "hello 0");

    let answer = post(&world.browser(), "{ malformed").await;
    assert_eq!(answer.outcome(), (401, "missing_credentials".into()));
    let answer = post(&world.browser(), "{ malformed").bearer("x.y.z").await;
    assert_eq!(answer.outcome(), (401, "invalid_token".into()));
    let answer = post(&ann, "{ malformed").header("sec-fetch-site", "cross-site").await;
    assert_eq!(answer.outcome(), (403, "cross_site".into()));
    // The session parameter fails, not the gate.
    let token = world.token("ann").await;
    world.sessions.fail(true);
    let answer = post(&ann, "{ malformed").bearer(&token).await;
    assert_eq!(answer.outcome(), (503, "unavailable".into()));
}
