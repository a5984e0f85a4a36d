//! Guessing a one-time code more often than it allows, by making copies of the session that holds
//! it, or by making the session forget the guesses. The cart's counter stands for that of guesses.

use std::future::IntoFuture;

use auth_tests::World;
use serde_json::json;

#[tokio::test]
async fn logins_in_parallel_make_no_copies_of_what_an_anonymous_session_holds() {
    let world = World::new().await;
    let browser = world.browser();
    let _ = browser.post("/code?code=4711").await.is(200);
    let tabs: Vec<_> = (0..8).map(|_| browser.stolen()).collect();
    let login = json!({ "name": "ann", "password": "the long password of ann" });
    let logins: Vec<_> = tabs
        .iter()
        .map(|tab| tokio::spawn(tab.post("/slow/login").json(login.clone()).into_future()))
        .collect();
    world.gates.reached(8).await;
    world.gates.open(8);
    for answer in logins {
        let _ = answer.await.unwrap().is(200);
    }
    let mut copies = 0;
    for tab in &tabs {
        assert_eq!(tab.get("/me").await.is(200).body, "ann");
        copies += usize::from(tab.get("/session").await.json()["code"] == "4711");
    }
    assert_eq!(copies, 1);
    assert_eq!(browser.get("/session").await.json()["exists"], false);
}

#[tokio::test]
async fn guesses_are_counted_while_the_key_changes() {
    let world = World::new().await;
    let login = json!({ "name": "ann", "password": "the long password of ann" });
    for slow in ["/slow/cycle", "/slow/login"] {
        let browser = world.logged_in("ann").await;
        let _ = browser.post("/code?code=4711").await.is(200);
        let tab = browser.stolen();
        let change = tokio::spawn(tab.post(slow).json(login.clone()).into_future());
        world.gates.reached(1).await;
        for guess in 1..=3 {
            let answer = browser.post("/cart/add").await.is(200);
            assert_eq!(answer.body, guess.to_string());
        }
        world.gates.open(1);
        let _ = change.await.unwrap().is(200);
        let shown = tab.get("/session").await.json();
        assert_eq!((&shown["code"], &shown["items"]), (&"4711".into(), &3.into()), "{slow}");
    }
}

#[tokio::test]
async fn an_expired_code_is_not_carried_over_to_a_new_key() {
    let world = World::new().await;
    let browser = world.browser();
    let _ = browser.post("/code?code=4711&minutes=5").await.is(200);
    world.wait(auth_poem::prelude::Duration::minutes(4));
    let _ = browser.login("ann").await.is(200);
    assert_eq!(browser.get("/session").await.json()["code"], "4711");
    world.wait(auth_poem::prelude::Duration::minutes(1));
    assert_eq!(browser.get("/session").await.json()["code"], json!(null));
}
