//! Changing the password, and ending everything else.

use auth_poem::prelude::*;
use auth_tests::{Browser, World, browser::Ask};
use serde_json::json;

const NEW: &str = "an entirely different secret";

fn change(browser: &Browser, path: &str, current: &str) -> Ask {
    browser.post(path).json(json!({ "current": current, "new": NEW }))
}

#[tokio::test]
async fn a_password_change_ends_all_other_sessions_and_all_tokens() {
    let world = World::new().await;
    let (here, elsewhere) = (world.logged_in("ann").await, world.logged_in("ann").await);
    let token = world.token("ann").await;
    let (bob, old_key) = (world.logged_in("bob").await, here.stolen());
    let _ = here.post("/cart/note?text=shoes").await.is(200);

    let _ = change(&here, "/password", "the long password of ann").await.is(200);

    assert_eq!(here.get("/me").await.is(200).body, "ann");
    assert_eq!(here.get("/session").await.json()["note"], "shoes");
    assert_eq!(old_key.get("/me").await.outcome(), (401, "invalid_session".into()));
    assert_eq!(elsewhere.get("/me").await.outcome(), (401, "invalid_session".into()));
    let answer = world.browser().get("/me").bearer(&token).await;
    assert_eq!(answer.outcome(), (401, "invalid_token".into()));
    assert_eq!(bob.get("/me").await.is(200).body, "bob");

    assert_eq!(world.browser().login("ann").await.status, 401);
    assert_eq!(world.browser().login_with("ann", NEW).await.status, 200);
}

#[tokio::test]
async fn without_an_epoch_the_password_hash_itself_ends_sessions_and_tokens() {
    let world = World::new().await;
    let (here, elsewhere) = (world.admin("root").await, world.admin("root").await);
    let token = world.admin_token("root").await;
    let _ = change(&here, "/admin/password", "the long password of root").await.is(200);
    assert_eq!(here.get("/admin/me").await.is(200).body, "root");
    assert_eq!(elsewhere.get("/admin/me").await.status, 401);
    let answer = world.browser().get("/admin/me").bearer(&token).await;
    assert_eq!(answer.outcome(), (401, "invalid_token".into()));
}

#[tokio::test]
async fn the_current_password_is_asked_for() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let elsewhere = world.logged_in("ann").await;
    let answer = change(&ann, "/password", "not this one").await;
    assert_eq!(answer.outcome(), (403, "wrong_current_password".into()));
    assert_eq!(ann.get("/me").await.status, 200);
    assert_eq!(elsewhere.get("/me").await.status, 200);
    assert_eq!(world.browser().login("ann").await.status, 200);
}

#[tokio::test]
async fn a_weak_new_password_changes_nothing() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let body = json!({ "current": "the long password of ann", "new": "short" });
    let answer = ann.post("/password").json(body).await;
    assert_eq!(answer.outcome(), (422, "weak_password".into()));
    assert_eq!(world.browser().login("ann").await.status, 200);
}

#[tokio::test]
async fn guesses_of_the_current_password_are_slowed_down_and_the_login_page_is_not() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    for _ in 0..5 {
        assert_eq!(change(&ann, "/password", "not this one").await.status, 403);
    }
    let answer = change(&ann, "/password", "the long password of ann").await;
    assert_eq!(answer.outcome(), (429, "too_many_attempts".into()));
    assert_eq!(world.browser().login("ann").await.status, 200);
}

#[tokio::test]
async fn revoking_the_others_ends_them_and_their_tokens() {
    let world = World::new().await;
    let (here, elsewhere) = (world.logged_in("ann").await, world.logged_in("ann").await);
    let token = world.token("ann").await;
    let old_key = here.stolen();
    let _ = here.post("/revoke").await.is(200);
    assert_eq!(here.get("/me").await.is(200).body, "ann");
    assert_eq!(old_key.get("/me").await.status, 401);
    assert_eq!(elsewhere.get("/me").await.status, 401);
    assert_eq!(world.browser().get("/me").bearer(&token).await.status, 401);
}

#[tokio::test]
async fn revoking_the_others_does_not_count_as_a_proof_of_identity() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    world.wait(Duration::minutes(11));
    assert_eq!(ann.get("/guard/fresh").await.status, 403);
    let _ = ann.post("/revoke").await.is(200);
    assert_eq!(ann.get("/guard/fresh").await.outcome(), (403, "reauthentication_required".into()));
}

#[tokio::test]
async fn a_password_change_counts_as_a_proof_of_identity() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    world.wait(Duration::minutes(11));
    let _ = change(&ann, "/password", "the long password of ann").await.is(200);
    assert_eq!(ann.get("/guard/fresh").await.status, 200);
}

#[tokio::test]
async fn a_deactivated_user_is_out_at_once() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let token = world.token("ann").await;
    world.change("ann", |ann| ann.active = false);
    assert_eq!(ann.stolen().get("/maybe").await.is(200).body, "nobody");
    assert_eq!(ann.get("/me").await.outcome(), (401, "invalid_session".into()));
    for path in ["/me", "/maybe"] {
        let answer = world.browser().get(path).bearer(&token).await;
        assert_eq!(answer.outcome(), (401, "invalid_token".into()), "{path}");
    }
}

#[tokio::test]
async fn a_removed_user_is_out_at_once() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let token = world.token("ann").await;
    world.people.remove(&world.user("ann").id);
    let answer = ann.get("/me").await;
    assert_eq!(answer.outcome(), (401, "invalid_session".into()));
    assert!(answer.removes_cookie());
    assert_eq!(world.browser().get("/me").bearer(&token).await.code(), "invalid_token");
}

#[tokio::test]
async fn a_raised_epoch_ends_sessions_and_tokens() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let token = world.token("ann").await;
    // Verified once, so that the second time no signature is looked at.
    let _ = world.browser().get("/me").bearer(&token).await.is(200);
    world.change("ann", |ann| ann.epoch += 1);
    assert_eq!(ann.get("/me").await.status, 401);
    assert_eq!(world.browser().get("/maybe").bearer(&token).await.status, 401);
}

#[tokio::test]
async fn a_user_sees_his_sessions_and_ends_one_of_them() {
    let world = World::new().await;
    let (here, elsewhere) = (world.logged_in("ann").await, world.logged_in("ann").await);
    let handles = here.get("/sessions").await.is(200).json();
    let [own, other] = [0, 1].map(|index| handles[index].as_str().unwrap().to_owned());
    assert_eq!(here.get("/session").await.json()["handle"], own);
    assert_eq!(handles.as_array().unwrap().len(), 2);

    let bob = world.logged_in("bob").await;
    let answer = bob.ask("DELETE", format!("/sessions/{other}")).await.is(200);
    assert_eq!(answer.body, "false", "another user's handle ends nothing");
    assert_eq!(elsewhere.get("/me").await.status, 200);

    assert_eq!(here.ask("DELETE", format!("/sessions/{other}")).await.is(200).body, "true");
    assert_eq!(elsewhere.get("/me").await.outcome(), (401, "invalid_session".into()));
    assert_eq!(here.get("/me").await.status, 200);
}
