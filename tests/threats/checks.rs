//! A check that cannot tell does not say yes.

use std::future::IntoFuture;

use auth_tests::{Logs, World, body::Reads};

#[tokio::test]
async fn a_check_that_fails_is_a_fault() {
    let logs = Logs::capture();
    let world = World::new().await;
    let (ann, bob) = (world.logged_in("ann").await, world.logged_in("bob").await);
    for path in ["/articles/flooded", "/articles/flooded/draft", "/articles/flooded/any"] {
        let answer = ann.get(path).await;
        assert_eq!(answer.outcome(), (503, "unavailable".into()), "{path}");
        assert!(!answer.body.contains("cellar"), "{}", answer.body);
    }
    assert!(logs.text().contains("the application failed: the cellar is flooded"));
    assert_eq!(world.articles.opened(), 0);
    // Whoever needs no check is not in the way of it.
    assert_eq!(bob.get("/articles/flooded/any").await.status, 200);
}

#[tokio::test]
async fn a_check_that_asks_for_what_is_not_there_is_a_fault() {
    let logs = Logs::capture();
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    assert_eq!(ann.get("/articles/nameless").await.outcome(), (503, "unavailable".into()));
    assert!(logs.text().contains("the route has no path parameter `name`"), "{}", logs.text());
    assert_eq!(ann.get("/articles/nameless?name=x").await.status, 503);
    assert_eq!(world.articles.opened(), 0);
}

#[tokio::test]
async fn a_check_that_panics_lets_nobody_in() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    for path in ["/articles/broken", "/articles/broken/draft"] {
        let panic = tokio::spawn(ann.get(path).into_future()).await.unwrap_err();
        assert!(panic.is_panic(), "{path}");
    }
    assert_eq!(world.articles.opened(), 0);
    // Nothing stays locked.
    world.articles.write("trees", "ann");
    assert_eq!(ann.get("/articles/trees").await.status, 200);
}

#[tokio::test]
async fn a_check_is_not_asked_while_a_store_is_down() {
    let world = World::new().await;
    world.articles.write("trees", "ann");
    let ann = world.logged_in("ann").await;
    world.users.fail(true);
    assert_eq!(ann.get("/articles/trees").await.outcome(), (503, "unavailable".into()));
    assert_eq!((world.articles.asked(), world.articles.opened()), (0, 0));
}

#[tokio::test]
async fn what_a_check_refuses_is_not_read() {
    let world = World::new().await;
    world.articles.write("trees", "ann");
    let bob = world.logged_in("bob").await;
    let reads = Reads::default();
    let body = reads.body("{ no json");
    let answer = bob.post("/articles/trees/comments").body("application/json", body).await;
    assert_eq!(answer.outcome(), (403, "forbidden".into()));
    assert_eq!(reads.count(), 0);
    let ann = world.logged_in("ann").await;
    let body = reads.body("{ no json");
    let answer = ann.post("/articles/trees/comments").body("application/json", body).await;
    assert_eq!(answer.status, 400);
    assert!(reads.count() > 0);
}

#[tokio::test]
async fn a_check_cannot_be_made_to_read_another_value_than_the_operation() {
    let world = World::new().await;
    world.articles.write("trees", "ann");
    world.articles.write("seas", "bob");
    let ann = world.logged_in("ann").await;
    for path in [
        "/articles/seas?slug=trees",
        "/articles/seas?param0=trees",
        "/articles/seas%2Ftrees",
        "/articles/trees%00",
        "/articles//draft",
    ] {
        let answer = ann.get(path).header("slug", "trees").await;
        assert!(matches!(answer.status, 403 | 404), "{path}: {answer:?}");
    }
    assert_eq!(world.articles.opened(), 0);
}

#[tokio::test]
async fn a_concealed_article_looks_as_if_it_were_none() {
    let world = World::new().await;
    world.articles.write("trees", "ann");
    let bob = world.logged_in("bob").await;
    let there = bob.get("/articles/trees/draft").await.is(404);
    for path in ["/articles/nothing/draft", "/articles/forbidden/draft"] {
        let other = bob.get(path).await.is(404);
        assert_eq!((&other.body, &other.headers), (&there.body, &there.headers), "{path}");
    }
}
