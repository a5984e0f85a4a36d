//! Logging in, logging out.

use std::future::IntoFuture;

use auth_poem::{password::PasswordHasher, prelude::*};
use auth_tests::World;

#[tokio::test]
async fn a_user_logs_in_is_known_and_logs_out() {
    let world = World::new().await;
    let ann = world.browser();
    assert_eq!(ann.get("/me").await.outcome(), (401, "missing_credentials".into()));
    assert_eq!(ann.get("/maybe").await.is(200).body, "nobody");

    assert_eq!(ann.login("ann").await.is(200).body, "ann");
    assert_eq!(ann.get("/me").await.is(200).body, "ann");
    assert_eq!(ann.get("/maybe").await.is(200).body, "ann");

    let thief = ann.stolen();
    let answer = ann.post("/logout").await.is(200);
    assert!(answer.removes_cookie(), "{answer:?}");
    assert_eq!(ann.cookie(), None);
    assert_eq!(ann.get("/me").await.outcome(), (401, "missing_credentials".into()));
    assert_eq!(thief.get("/me").await.outcome(), (401, "invalid_session".into()));
}

#[tokio::test]
async fn a_logout_knows_whether_there_was_anything_to_log_out_of() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let stale = ann.stolen();
    assert_eq!(ann.post("/logout").await.is(200).body, "logged out");
    assert_eq!(ann.post("/logout").await.is(200).body, "not logged in");
    let garbage = world.browser();
    garbage.plant("__Host-sid", "garbage");
    for browser in [stale, garbage] {
        let answer = browser.post("/logout").await.is(200);
        assert_eq!(answer.body, "logged out");
        assert!(answer.removes_cookie(), "{answer:?}");
    }
}

#[tokio::test]
async fn any_login_column_will_do_and_each_minds_case_as_declared() {
    let world = World::new().await;
    let password = "the long password of ann";
    for (name, status) in [
        ("ann", 200),
        ("ANN", 200),
        ("ann@example.org", 200),
        ("ANN@example.org", 401),
        (" ann", 401),
    ] {
        assert_eq!(world.browser().login_with(name, password).await.status, status, "{name}");
    }
}

#[tokio::test]
async fn a_login_is_noted_with_its_time() {
    let world = World::new().await;
    assert_eq!(world.user("ann").last_login, None);
    let _ = world.logged_in("ann").await;
    let noted = world.user("ann").last_login.unwrap();
    assert_eq!((world.clock.now() - noted).num_milliseconds(), 0);
}

#[tokio::test]
async fn a_new_user_is_logged_in_without_a_password() {
    let world = World::new().await;
    let browser = world.browser();
    let _ = browser.post("/signup/nora").await.is(200);
    assert_eq!(browser.get("/me").await.is(200).body, "nora");
}

#[tokio::test]
async fn what_was_put_into_an_anonymous_session_survives_the_login() {
    let world = World::new().await;
    let browser = world.browser();
    let _ = browser.post("/cart/note?text=shoes").await.is(200);
    let anonymous = browser.stolen();
    let _ = browser.login("ann").await.is(200);
    assert_eq!(browser.get("/session").await.json()["note"], "shoes");
    // The anonymous key is worth nothing any more.
    assert_eq!(anonymous.get("/session").await.json()["exists"], false);
}

#[tokio::test]
async fn the_same_user_keeps_his_data_when_he_logs_in_again() {
    let world = World::new().await;
    let browser = world.logged_in("ann").await;
    let _ = browser.post("/cart/note?text=shoes").await.is(200);
    let before = browser.stolen();
    let _ = browser.login("ann").await.is(200);
    assert_eq!(browser.get("/session").await.json()["note"], "shoes");
    assert_eq!(before.get("/me").await.status, 401);
}

#[tokio::test]
async fn a_failed_login_leaves_the_session_as_it_is() {
    let world = World::new().await;
    let browser = world.logged_in("ann").await;
    let cookie = browser.cookie();
    let answer = browser.login_with("bob", "no").await;
    assert_eq!(answer.outcome(), (401, "wrong_credentials".into()));
    assert_eq!(answer.set_cookie(), None);
    assert_eq!(browser.cookie(), cookie);
    assert_eq!(browser.get("/me").await.is(200).body, "ann");
}

#[tokio::test]
async fn logging_in_and_ending_all_other_sessions_is_one_step() {
    let world = World::new().await;
    let elsewhere = world.logged_in("ann").await;
    let token = world.token("ann").await;
    let here = world.browser();
    let login = serde_json::json!({ "name": "ann", "password": "the long password of ann" });
    let _ = here.post("/login/only").json(login).await.is(200);
    assert_eq!(here.get("/me").await.is(200).body, "ann");
    assert_eq!(elsewhere.get("/me").await.outcome(), (401, "invalid_session".into()));
    let answer = world.browser().get("/me").bearer(&token).await;
    assert_eq!(answer.outcome(), (401, "invalid_token".into()));
}

#[tokio::test]
async fn flushing_the_session_logs_out() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let thief = ann.stolen();
    let answer = ann.post("/session/flush").await.is(200);
    assert!(answer.removes_cookie());
    assert_eq!(thief.get("/me").await.status, 401);
}

#[tokio::test]
async fn personal_answers_are_for_no_cache() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let token = world.token("ann").await;
    for answer in [
        ann.get("/me").await,
        ann.get("/maybe").await,
        ann.get("/session").await,
        world.browser().get("/me").await,
        world.browser().get("/me").bearer(&token).await,
    ] {
        assert_eq!(answer.all("cache-control"), ["no-store"], "{answer:?}");
    }
    assert_eq!(ann.get("/maybe").await.all("vary"), ["cookie"]);
    let public = ann.get("/public").await;
    assert!(public.all("cache-control").is_empty() && public.all("vary").is_empty());
}

#[tokio::test]
async fn logins_at_the_same_time_hold_although_each_renews_an_outdated_hash() {
    // The hashes in the database are cheap, the configured ones are not.
    let hasher = PasswordHasher::default().threads(2);
    let world = World::with(|config| config.hasher(hasher)).await;
    let before = world.staff.all().iter().find(|admin| admin.name == "root").unwrap().clone();
    let login = serde_json::json!({ "name": "root", "password": "the long password of root" });
    let browsers = [world.browser(), world.browser()];
    let logins = browsers.each_ref().map(|browser| {
        tokio::spawn(browser.post("/admin/login").json(login.clone()).into_future())
    });
    for answer in logins {
        let _ = answer.await.unwrap().is(200);
    }
    let after = world.staff.all().iter().find(|admin| admin.name == "root").unwrap().clone();
    assert_ne!(before.password, after.password);
    for browser in &browsers {
        assert_eq!(browser.get("/admin/me").await.status, 200);
    }
}
