//! A store that is down is 503 to everybody, and never somebody's identity or somebody's logout.

use std::future::IntoFuture;

use auth_poem::prelude::Duration;
use auth_tests::{Answer, Logs, World};
use serde_json::json;

/// Unavailable, with a body that says nothing more and no change of the cookie.
#[track_caller]
fn is_unavailable(answer: &Answer) {
    assert_eq!(answer.outcome(), (503, "unavailable".into()), "{answer:?}");
    assert_eq!(answer.all("content-type"), ["application/problem+json"]);
    for detail in ["switched", "session", "user", "store", "cellar"] {
        assert!(!answer.body.contains(detail), "{}", answer.body);
    }
    assert_eq!(answer.set_cookie(), None, "{answer:?}");
    assert_eq!(answer.all("cache-control"), ["no-store"]);
}

#[tokio::test]
async fn while_the_session_store_is_down_nobody_is_anybody() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let root = world.admin("root").await;
    world.sessions.fail(true);
    for path in ["/me", "/maybe", "/guard/role", "/two/maybe", "/session", "/crowd"] {
        is_unavailable(&ann.get(path).await);
    }
    is_unavailable(&root.get("/admin/me").await);
    is_unavailable(&ann.get("/two").await);
    world.sessions.fail(false);
    assert_eq!(ann.get("/me").await.is(200).body, "ann");
    assert_eq!(root.get("/admin/me").await.is(200).body, "root");
}

#[tokio::test]
async fn while_the_user_store_is_down_nobody_is_anybody() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let token = world.token("ann").await;
    world.users.fail(true);
    for path in ["/me", "/maybe", "/guard/role", "/two/maybe", "/crowd"] {
        is_unavailable(&ann.get(path).await);
        is_unavailable(&world.browser().get(path).bearer(&token).await);
    }
    world.users.fail(false);
    assert_eq!(ann.get("/me").await.is(200).body, "ann");
}

#[tokio::test]
async fn the_log_says_what_the_answer_does_not() {
    let logs = Logs::capture();
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    world.sessions.fail(true);
    is_unavailable(&ann.get("/me").await);
    let line = "the session store failed: switched to fail by a test";
    assert!(logs.text().contains(line), "{}", logs.text());
    is_unavailable(&ann.get("/fault").await);
    assert!(logs.text().contains("the application failed: the cellar is flooded"));
}

#[tokio::test]
async fn what_needs_no_store_goes_on() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let token = world.token("ann").await;
    world.sessions.fail(true);
    world.reset_calls();
    assert_eq!(ann.get("/public").await.is(200).body, "welcome");
    assert_eq!(world.sessions.calls().total(), 0);
    // No session is asked for by a client that has a token and no cookie.
    assert_eq!(world.browser().get("/me").bearer(&token).await.is(200).body, "ann");
    assert_eq!(world.browser().get("/me").await.status, 401);
    assert_eq!(world.browser().get("/maybe").await.is(200).body, "nobody");
    world.users.fail(true);
    assert_eq!(ann.get("/public").await.is(200).body, "welcome");
    assert_eq!(world.browser().get("/maybe").await.is(200).body, "nobody");
}

#[tokio::test]
async fn nobody_is_told_that_he_is_logged_out_while_the_session_lives() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    for path in ["/logout", "/session/flush"] {
        world.sessions.fail(true);
        is_unavailable(&ann.post(path).await);
        world.sessions.fail(false);
        assert_eq!(ann.get("/me").await.is(200).body, "ann", "{path}");
    }
    let _ = ann.post("/logout").await.is(200);
    assert_eq!(ann.cookie(), None);
}

#[tokio::test]
async fn nobody_is_told_that_he_is_logged_in_while_he_is_not() {
    for path in ["/login", "/signup/ann"] {
        let world = World::new().await;
        let login = json!({ "name": "ann", "password": "the long password of ann" });
        for browser in [world.browser(), world.logged_in("bob").await] {
            let before = browser.cookie();
            world.sessions.fail(true);
            is_unavailable(&browser.post(path).json(login.clone()).await);
            world.sessions.fail(false);
            assert_eq!(browser.cookie(), before);
            let expected = if before.is_some() { "bob" } else { "nobody" };
            assert_eq!(browser.get("/maybe").await.is(200).body, expected, "{path}");

            world.users.fail(true);
            is_unavailable(&browser.post(path).json(login.clone()).await);
            world.users.fail(false);
            assert_eq!(browser.get("/maybe").await.is(200).body, expected, "{path}");
        }
    }
}

#[tokio::test]
async fn a_fault_at_login_is_no_failed_attempt() {
    let world = World::new().await;
    world.users.fail(true);
    for _ in 0..20 {
        is_unavailable(&world.browser().login("ann").await);
    }
    world.users.fail(false);
    assert_eq!(world.browser().login("ann").await.status, 200);
}

#[tokio::test]
async fn a_token_is_not_issued_while_the_user_store_is_down() {
    let world = World::new().await;
    world.users.fail(true);
    let login = json!({ "name": "ann", "password": "the long password of ann" });
    is_unavailable(&world.browser().post("/token").json(login).await);
}

#[tokio::test]
async fn a_change_that_cannot_be_stored_is_not_confirmed() {
    let world = World::new().await;
    let browser = world.browser();
    let _ = browser.post("/cart/note?text=shoes").await.is(200);
    let slow = tokio::spawn(browser.post("/slow/note?text=boots").into_future());
    world.gates.reached(1).await;
    world.sessions.fail(true);
    world.gates.open(1);
    is_unavailable(&slow.await.unwrap());
    world.sessions.fail(false);
    assert_eq!(browser.get("/session").await.json()["note"], "shoes");

    let slow = tokio::spawn(browser.post("/slow/add").into_future());
    world.gates.reached(1).await;
    world.sessions.fail(true);
    world.gates.open(1);
    is_unavailable(&slow.await.unwrap());
}

#[tokio::test]
async fn a_new_key_that_cannot_be_stored_leaves_the_old_one() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let slow = tokio::spawn(ann.post("/slow/cycle").into_future());
    world.gates.reached(1).await;
    world.sessions.fail(true);
    world.gates.open(1);
    is_unavailable(&slow.await.unwrap());
    world.sessions.fail(false);
    assert_eq!(ann.get("/me").await.is(200).body, "ann");
}

#[tokio::test]
async fn that_a_use_cannot_be_noted_keeps_nobody_out() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    world.wait(Duration::minutes(2));
    let slow = tokio::spawn(ann.get("/slow/me").into_future());
    world.gates.reached(1).await;
    world.sessions.fail(true);
    world.gates.open(1);
    assert_eq!(slow.await.unwrap().is(200).body, "ann");
    assert_eq!(world.sessions.calls().touch, 1);
}

#[tokio::test]
async fn sessions_that_could_not_be_revoked_are_not_reported_as_revoked() {
    // Without an epoch nothing but the store ends the other sessions.
    let world = World::new().await;
    let elsewhere = world.admin("root").await;
    let token = world.admin_token("root").await;
    world.sessions.fail(true);
    is_unavailable(&world.browser().post("/admin/revoke").bearer(&token).await);
    world.sessions.fail(false);
    assert_eq!(elsewhere.get("/admin/me").await.status, 200);
    let _ = world.browser().post("/admin/revoke").bearer(&token).await.is(200);
    assert_eq!(elsewhere.get("/admin/me").await.status, 401);
}

#[tokio::test]
async fn a_password_change_ends_the_other_sessions_although_their_store_is_down() {
    let world = World::new().await;
    let elsewhere = world.admin("root").await;
    let token = world.admin_token("root").await;
    world.sessions.fail(true);
    let new = "an entirely different secret";
    let change = json!({ "current": "the long password of root", "new": new });
    let answer = world.browser().post("/admin/password").bearer(&token).json(change).await;
    assert_eq!(answer.status, 200, "what is left in the store is dead by its stamp");
    world.sessions.fail(false);
    assert_eq!(elsewhere.get("/admin/me").await.outcome(), (401, "invalid_session".into()));
}
