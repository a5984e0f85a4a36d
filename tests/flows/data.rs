//! What a session holds.

use std::future::IntoFuture;

use auth_tests::World;
use futures_util::future::join_all;
use serde_json::json;

#[tokio::test]
async fn data_comes_back_in_the_next_request() {
    let world = World::new().await;
    let browser = world.browser();
    assert_eq!(browser.get("/session").await.json()["exists"], false);
    let _ = browser.post("/cart/note?text=shoes").await.is(200);
    let shown = browser.get("/session").await.json();
    assert_eq!((&shown["exists"], &shown["note"]), (&true.into(), &"shoes".into()));
    assert_eq!(world.browser().get("/session").await.json()["exists"], false);
}

#[tokio::test]
async fn a_request_that_only_reads_starts_no_session() {
    let world = World::new().await;
    let browser = world.browser();
    let answer = browser.get("/session").await.is(200);
    assert_eq!(answer.set_cookie(), None);
    assert_eq!(world.sessions.calls().total(), 0);
}

#[tokio::test]
async fn what_an_operation_changed_before_it_failed_is_kept_unless_the_schema_discards_it() {
    for (path, status) in
        [("/fail/poem", 418), ("/fail/ours", 409), ("/fail/answer", 409), ("/succeed", 200)]
    {
        let world = World::new().await;
        let browser = world.browser();
        let answer = browser.post(path).await.is(status);
        assert!(answer.set_cookie().is_some(), "{path}");
        let shown = browser.get("/session").await.json();
        assert_eq!(shown["note"], "kept", "{path}");
        let draft = if status == 200 { json!("dropped") } else { json!(null) };
        assert_eq!(shown["draft"], draft, "{path}");
    }
}

#[tokio::test]
async fn a_login_and_a_logout_hold_although_their_operation_failed() {
    let world = World::new().await;
    let ann = world.browser();
    let login = json!({ "name": "ann", "password": "the long password of ann" });
    let answer = ann.post("/fail/login").json(login).await.is(418);
    assert!(answer.set_cookie().is_some());
    assert_eq!(ann.get("/me").await.is(200).body, "ann");
    let thief = ann.stolen();
    let answer = ann.post("/fail/logout").await.is(418);
    assert!(answer.removes_cookie());
    assert_eq!(thief.get("/me").await.status, 401);
}

#[tokio::test]
async fn untyped_values_lie_beside_typed_ones() {
    let world = World::new().await;
    let browser = world.browser();
    let _ = browser.ask("PUT", "/untyped/note").json(json!(7)).await.is(200);
    let _ = browser.post("/cart/note?text=shoes").await.is(200);
    let shown = browser.get("/session").await.json();
    assert_eq!((&shown["keys"], &shown["note"]), (&json!(["note"]), &"shoes".into()));
    assert_eq!(browser.get("/untyped/note").await.is(200).body, "7");
}

#[tokio::test]
async fn a_value_of_another_type_is_a_fault_and_not_silence() {
    let world = World::new().await;
    let browser = world.browser();
    let _ = browser.ask("PUT", "/untyped/age").json(json!("old")).await.is(200);
    assert_eq!(browser.get("/untyped/age").await.outcome(), (503, "unavailable".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_increments_at_once_add_up_to_sixty_four() {
    let world = World::new().await;
    let browser = world.browser();
    let _ = browser.post("/cart/note?text=shoes").await.is(200);
    let adds: Vec<_> =
        (0..64).map(|_| tokio::spawn(browser.post("/slow/add").into_future())).collect();
    // All have loaded the same record before the first one writes.
    world.gates.reached(64).await;
    world.gates.open(64);
    for answer in join_all(adds).await {
        let _ = answer.unwrap().is(200);
    }
    let shown = browser.get("/session").await.json();
    assert_eq!((&shown["items"], &shown["note"]), (&64.into(), &"shoes".into()));
}

#[tokio::test]
async fn requests_that_change_different_fields_at_the_same_time_both_succeed() {
    let world = World::new().await;
    let browser = world.browser();
    let _ = browser.post("/cart/note?text=shoes").await.is(200);
    let note = tokio::spawn(browser.post("/slow/note?text=boots").into_future());
    let items = tokio::spawn(browser.post("/slow/items?items=3").into_future());
    world.gates.reached(2).await;
    world.gates.open(2);
    let _ = note.await.unwrap().is(200);
    let _ = items.await.unwrap().is(200);
    let shown = browser.get("/session").await.json();
    assert_eq!((&shown["items"], &shown["note"]), (&3.into(), &"boots".into()));
}

#[tokio::test]
async fn the_first_increment_starts_a_session() {
    let world = World::new().await;
    let browser = world.browser();
    assert_eq!(browser.post("/cart/add").await.is(200).body, "1");
    assert_eq!(browser.post("/cart/add").await.is(200).body, "2");
    assert_eq!(browser.get("/session").await.json()["items"], 2);
}

#[tokio::test]
async fn a_new_key_keeps_the_data_and_the_login() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let _ = ann.post("/cart/note?text=shoes").await.is(200);
    let before = ann.cookie();
    let _ = ann.post("/session/cycle").await.is(200);
    assert_ne!(ann.cookie(), before);
    assert_eq!(ann.get("/me").await.is(200).body, "ann");
    assert_eq!(ann.get("/session").await.json()["note"], "shoes");
}
