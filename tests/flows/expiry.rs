//! How long sessions, their data and their cookies live.

use auth_poem::prelude::*;
use auth_tests::{Browser, World};
use serde_json::json;

async fn login(world: &World, keep: &str) -> (Browser, String) {
    let browser = world.browser();
    let login = json!({ "name": "ann", "password": "the long password of ann", "keep": keep });
    let answer = browser.post("/login").json(login).await.is(200);
    let cookie = answer.set_cookie().unwrap().to_owned();
    (browser, cookie)
}

/// Uses the session every so often for so long, and says when it was found dead.
async fn used_every(
    world: &World,
    browser: &Browser,
    step: Duration,
    total: Duration,
) -> Option<Duration> {
    let begin = world.clock.now();
    while world.clock.now() - begin < total {
        world.wait(step);
        if browser.get("/me").await.status != 200 {
            return Some(world.clock.now() - begin);
        }
    }
    None
}

#[tokio::test]
async fn an_unused_session_dies_after_half_an_hour() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    world.wait(Duration::minutes(30) - Duration::milliseconds(1));
    let _ = ann.get("/me").await.is(200);
    world.wait(Duration::minutes(30) - Duration::milliseconds(1));
    let _ = ann.get("/me").await.is(200);
    world.wait(Duration::minutes(30));
    assert_eq!(ann.get("/me").await.outcome(), (401, "invalid_session".into()));
}

#[tokio::test]
async fn a_dead_session_is_401_or_nobody_and_the_cookie_goes() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    world.wait(Duration::minutes(31));
    for (path, status) in [("/me", 401), ("/maybe", 200), ("/session", 200)] {
        let browser = ann.stolen();
        let answer = browser.get(path).await.is(status);
        assert!(answer.removes_cookie(), "{path}: {answer:?}");
        assert_eq!(browser.cookie(), None);
    }
}

#[tokio::test]
async fn a_session_dies_after_twelve_hours_however_much_it_is_used() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let end = used_every(&world, &ann, Duration::minutes(20), Duration::hours(13)).await;
    assert_eq!(end, Some(Duration::hours(12)));
}

#[tokio::test]
async fn a_remembered_session_outlives_the_browser_and_half_an_hour() {
    let world = World::new().await;
    let (ann, cookie) = login(&world, "remember").await;
    assert!(cookie.contains("; Max-Age=2592000"), "{cookie}");
    let end = used_every(&world, &ann, Duration::days(10), Duration::days(40)).await;
    assert_eq!(end, Some(Duration::days(30)));

    let (ann, _) = login(&world, "remember").await;
    world.wait(Duration::days(14));
    assert_eq!(ann.get("/me").await.status, 401);
}

#[tokio::test]
async fn a_session_for_an_hour_lives_an_hour() {
    let world = World::new().await;
    let (ann, cookie) = login(&world, "hour").await;
    assert!(cookie.contains("; Max-Age=3600"), "{cookie}");
    let end = used_every(&world, &ann, Duration::minutes(20), Duration::hours(3)).await;
    assert_eq!(end, Some(Duration::hours(1)));
}

#[tokio::test]
async fn a_default_session_ends_with_the_browser() {
    let world = World::new().await;
    let answer = world.browser().login("ann").await.is(200);
    assert!(!answer.set_cookie().unwrap().contains("Max-Age"), "{answer:?}");
    assert!(!answer.set_cookie().unwrap().contains("Expires"), "{answer:?}");
}

#[tokio::test]
async fn a_browser_session_ends_with_the_browser_whatever_the_configuration_says() {
    let expiry = Expiry { expire_at_browser_close: false, ..Expiry::default() };
    let world = World::with(|config| config.expiry(expiry)).await;
    let answer = world.browser().login("ann").await.is(200);
    assert!(answer.set_cookie().unwrap().contains("; Max-Age=43200"), "{answer:?}");
    let (_, cookie) = login(&world, "browser").await;
    assert!(!cookie.contains("Max-Age"), "{cookie}");
}

#[tokio::test]
async fn an_operation_sets_when_the_session_ends() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let _ = ann.post("/session/expiry?minutes=20").await.is(200);
    assert_eq!(ann.get("/session").await.json()["age"], 20 * 60);
    world.wait(Duration::minutes(19));
    let _ = ann.get("/me").await.is(200);
    world.wait(Duration::minutes(1));
    assert_eq!(ann.get("/me").await.status, 401);
}

#[tokio::test]
async fn no_operation_extends_a_session_beyond_its_absolute_end() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let _ = ann.post("/session/expiry?minutes=100000").await.is(200);
    let end = used_every(&world, &ann, Duration::minutes(20), Duration::hours(13)).await;
    assert_eq!(end, Some(Duration::hours(12)));
}

#[tokio::test]
async fn data_with_an_expiry_dies_and_the_login_lives() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let _ = ann.post("/cart/note?text=shoes").await.is(200);
    let _ = ann.post("/code?code=4711&minutes=5").await.is(200);
    let shown = ann.get("/session").await.json();
    assert_eq!((&shown["code"], &shown["code_age"]), (&"4711".into(), &300.into()));
    world.wait(Duration::minutes(5) - Duration::milliseconds(1));
    assert_eq!(ann.get("/session").await.json()["code"], "4711");
    world.wait(Duration::milliseconds(1));
    let shown = ann.get("/session").await.json();
    assert_eq!((&shown["code"], &shown["note"]), (&json!(null), &"shoes".into()));
    assert_eq!(ann.get("/me").await.status, 200);
    // New data in the place of the dead has no part of it.
    let _ = ann.post("/code?code=4712").await.is(200);
    world.wait(Duration::minutes(20));
    assert_eq!(ann.get("/session").await.json()["code"], "4712");
}

#[tokio::test]
async fn use_is_noted_at_most_once_a_minute() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    world.reset_calls();
    for _ in 0..3 {
        let _ = ann.get("/me").await.is(200);
    }
    world.wait(Duration::seconds(59));
    let _ = ann.get("/me").await.is(200);
    assert_eq!(world.sessions.calls().touch, 0);
    world.wait(Duration::seconds(1));
    for _ in 0..3 {
        let _ = ann.get("/me").await.is(200);
    }
    assert_eq!(world.sessions.calls().touch, 1);
    assert_eq!(world.sessions.calls().update, 0);
}

#[tokio::test]
async fn every_request_saves_the_session_where_that_is_asked_for() {
    let expiry = Expiry { save_every_request: true, ..Expiry::default() };
    let world = World::with(|config| config.expiry(expiry)).await;
    let ann = world.logged_in("ann").await;
    world.reset_calls();
    let answer = ann.get("/me").await.is(200);
    assert_eq!(world.sessions.calls().update, 1);
    assert!(answer.set_cookie().is_some());
    let _ = ann.get("/public").await.is(200);
    assert_eq!(world.sessions.calls().total(), 2, "a load and an update");
}
