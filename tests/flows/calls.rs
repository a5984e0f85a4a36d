//! What a request costs in calls of the stores.

use auth_poem::prelude::Duration;
use auth_tests::World;

#[tokio::test]
async fn session_and_user_are_loaded_once_however_many_parameters_ask() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    world.reset_calls();
    let answer = ann.get("/crowd").await.is(200);
    assert_eq!(answer.body, "ann Some(\"ann\") Some(\"ann\") 0 false");
    let (sessions, users) = (world.sessions.calls(), world.users.calls());
    assert_eq!((sessions.load, sessions.total()), (1, 1), "{sessions:?}");
    assert_eq!((users.by_id, users.total()), (1, 1), "{users:?}");
}

#[tokio::test]
async fn two_types_of_user_share_one_load_of_the_session() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    world.reset_calls();
    let _ = ann.get("/two/maybe").await.is(200);
    assert_eq!(world.sessions.calls().total(), 1);
    assert_eq!((world.users.calls().total(), world.admins.calls().total()), (1, 0));
}

#[tokio::test]
async fn a_public_operation_asks_no_store_with_or_without_a_cookie() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let stranger = world.browser();
    stranger.plant("__Host-sid", &"A".repeat(43));
    world.wait(Duration::minutes(5));
    world.reset_calls();
    for browser in [&world.browser(), &ann, &stranger] {
        for path in ["/public", "/plain/public"] {
            let answer = browser.get(path).await.is(200);
            assert_eq!(answer.set_cookie(), None);
        }
    }
    assert_eq!(world.sessions.calls().total(), 0);
    assert_eq!(world.users.calls().total(), 0);
}

#[tokio::test]
async fn a_request_without_credentials_asks_no_store() {
    let world = World::new().await;
    for path in ["/me", "/maybe", "/session", "/two/maybe"] {
        let _ = world.browser().get(path).await;
    }
    assert_eq!(world.sessions.calls().total(), 0);
    assert_eq!((world.users.calls().total(), world.admins.calls().total()), (0, 0));
}

#[tokio::test]
async fn a_session_that_was_not_changed_is_not_written() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let _ = ann.post("/cart/note?text=shoes").await.is(200);
    world.reset_calls();
    for path in ["/me", "/maybe", "/session", "/crowd"] {
        let answer = ann.get(path).await.is(200);
        assert_eq!(answer.set_cookie(), None, "{path}");
    }
    // Assigned, but to what it was.
    let _ = ann.post("/cart/note?text=shoes").await.is(200);
    let calls = world.sessions.calls();
    assert_eq!(calls.total(), calls.load, "{calls:?}");
}

#[tokio::test]
async fn a_change_is_one_write() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    world.reset_calls();
    let _ = ann.post("/cart/note?text=shoes").await.is(200);
    let calls = world.sessions.calls();
    assert_eq!((calls.load, calls.update, calls.total()), (1, 1, 2), "{calls:?}");
}

#[tokio::test]
async fn a_token_costs_no_session() {
    let world = World::new().await;
    let token = world.token("ann").await;
    world.reset_calls();
    let _ = world.browser().get("/me").bearer(&token).await.is(200);
    assert_eq!((world.sessions.calls().total(), world.users.calls().total()), (0, 1));
}

#[tokio::test]
async fn logging_out_looks_at_nothing_and_deletes_once() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    world.reset_calls();
    let _ = ann.post("/logout").await.is(200);
    let calls = world.sessions.calls();
    assert_eq!((calls.delete, calls.total()), (1, 1), "{calls:?}");
}

#[tokio::test]
async fn a_login_is_one_write_and_the_change_of_an_old_session_one_more() {
    let world = World::new().await;
    let browser = world.browser();
    let _ = browser.login("ann").await.is(200);
    let calls = world.sessions.calls();
    assert_eq!((calls.create, calls.total()), (1, 1), "{calls:?}");
    world.reset_calls();
    let _ = browser.login("bob").await.is(200);
    let calls = world.sessions.calls();
    assert_eq!((calls.load, calls.create, calls.delete, calls.total()), (1, 1, 1, 3), "{calls:?}");
}
