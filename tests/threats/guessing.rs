//! Guessing passwords.

use auth_poem::prelude::*;
use auth_tests::{Answer, World};

async fn fail(world: &World, name: &str, times: usize) {
    for _ in 0..times {
        let answer = world.browser().login_with(name, "a guess that is wrong").await;
        assert_eq!(answer.outcome(), (401, "wrong_credentials".into()));
    }
}

#[track_caller]
fn is_refused(answer: &Answer, seconds: &str) {
    assert_eq!(answer.outcome(), (429, "too_many_attempts".into()), "{answer:?}");
    assert_eq!(answer.all("retry-after"), [seconds]);
    assert_eq!(answer.set_cookie(), None);
}

#[tokio::test]
async fn after_five_failures_nothing_helps_but_waiting() {
    let world = World::new().await;
    fail(&world, "ann", 5).await;
    is_refused(&world.browser().login_with("ann", "another guess").await, "1");
    is_refused(&world.browser().login("ann").await, "1");
    is_refused(&world.browser().login("ANN").await, "1");
    assert_eq!(world.browser().login("bob").await.status, 200, "others are not concerned");

    world.wait(Duration::seconds(1));
    assert_eq!(world.browser().login("ann").await.status, 200);
    // A success forgets the failures.
    fail(&world, "ann", 4).await;
    assert_eq!(world.browser().login("ann").await.status, 200);
}

#[tokio::test]
async fn each_further_failure_doubles_the_wait_up_to_a_quarter_of_an_hour() {
    let world = World::new().await;
    fail(&world, "ann", 5).await;
    for expected in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
        is_refused(&world.browser().login("ann").await, &expected.to_string());
        world.wait(Duration::seconds(expected) - Duration::milliseconds(1));
        is_refused(&world.browser().login("ann").await, "1");
        world.wait(Duration::milliseconds(1));
        fail(&world, "ann", 1).await;
    }
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_slowed_down_in_the_same_way() {
    let world = World::new().await;
    fail(&world, "zoe", 5).await;
    is_refused(&world.browser().login("zoe").await, "1");
    world.wait(Duration::seconds(1));
    fail(&world, "zoe", 1).await;
    is_refused(&world.browser().login("zoe").await, "2");
}

#[tokio::test]
async fn logins_for_tokens_and_for_sessions_count_together() {
    let world = World::new().await;
    fail(&world, "ann", 5).await;
    let login = serde_json::json!({ "name": "ann", "password": "the long password of ann" });
    is_refused(&world.browser().post("/token").json(login).await, "1");
}

#[tokio::test]
async fn a_refused_attempt_does_no_work_and_asks_no_store() {
    let world = World::new().await;
    fail(&world, "ann", 5).await;
    world.reset_calls();
    is_refused(&world.browser().login("ann").await, "1");
    assert_eq!(world.users.calls().total(), 0);
    assert_eq!(world.sessions.calls().total(), 0);
}

#[tokio::test]
async fn whoever_is_logged_in_stays_logged_in_while_others_guess() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    fail(&world, "ann", 5).await;
    assert_eq!(ann.get("/me").await.is(200).body, "ann");
}

#[tokio::test]
async fn the_two_types_of_user_are_counted_apart() {
    let world = World::new().await;
    fail(&world, "root", 5).await;
    is_refused(&world.browser().login("root").await, "1");
    let _ = world.admin("root").await;
}
