//! A request that is under way while its session ends must not bring the session back.

use std::future::IntoFuture;

use auth_tests::World;

#[tokio::test]
async fn a_request_under_way_does_not_bring_back_a_session_that_was_logged_out() {
    for slow in ["/slow/note?text=boots", "/slow/add", "/slow/cycle"] {
        let world = World::new().await;
        let ann = world.logged_in("ann").await;
        let _ = ann.post("/cart/note?text=secret").await.is(200);
        let (thief, other_tab) = (ann.stolen(), ann.stolen());
        let slow_answer = tokio::spawn(other_tab.post(slow).into_future());
        world.gates.reached(1).await;
        let _ = ann.post("/logout").await.is(200);
        world.gates.open(1);
        let answer = slow_answer.await.unwrap();

        assert_eq!(thief.get("/me").await.status, 401, "{slow}: the old key");
        assert_eq!(other_tab.get("/maybe").await.body, "nobody", "{slow}: {answer:?}");
        let shown = other_tab.get("/session").await;
        assert!(!shown.body.contains("secret"), "{slow}: {}", shown.body);
    }
}

#[tokio::test]
async fn a_request_under_way_does_not_send_back_a_cookie_that_was_removed() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let slow = tokio::spawn(ann.post("/slow/note?text=boots").into_future());
    world.gates.reached(1).await;
    let _ = ann.post("/logout").await.is(200);
    world.gates.open(1);
    let answer = slow.await.unwrap();
    assert_eq!(answer.set_cookie(), None, "{answer:?}");
    assert_eq!(ann.cookie(), None);
}

#[tokio::test]
async fn a_request_under_way_does_not_log_out_the_login_that_overtook_it() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    for slow in ["/slow/note?text=boots", "/slow/cycle"] {
        let slow = tokio::spawn(ann.post(slow).into_future());
        world.gates.reached(1).await;
        let _ = ann.login("ann").await.is(200);
        world.gates.open(1);
        assert_eq!(slow.await.unwrap().set_cookie(), None);
        assert_eq!(ann.get("/me").await.is(200).body, "ann");
    }
}

#[tokio::test]
async fn two_changes_of_the_key_at_once_leave_one_session() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let tabs = [ann.stolen(), ann.stolen()];
    let slow = tabs.each_ref().map(|tab| tokio::spawn(tab.post("/slow/cycle").into_future()));
    world.gates.reached(2).await;
    world.gates.open(2);
    for answer in slow {
        let _ = answer.await.unwrap();
    }
    let mut alive = 0;
    for tab in &tabs {
        alive += usize::from(tab.get("/me").await.status == 200);
    }
    assert_eq!(alive, 1);
    assert_eq!(ann.get("/me").await.status, 401, "the key that both changed");
}

#[tokio::test]
async fn a_request_under_way_does_not_revive_a_session_that_was_revoked_from_elsewhere() {
    for slow in ["/slow/note?text=boots", "/slow/cycle"] {
        let world = World::new().await;
        let (here, stolen) = (world.logged_in("ann").await, world.logged_in("ann").await);
        let slow = tokio::spawn(stolen.post(slow).into_future());
        world.gates.reached(1).await;
        let _ = here.post("/revoke").await.is(200);
        world.gates.open(1);
        let _ = slow.await.unwrap();
        assert_eq!(stolen.get("/me").await.status, 401);
        assert_eq!(here.get("/me").await.is(200).body, "ann");
    }
}

#[tokio::test]
async fn an_expired_session_is_not_revived_by_a_write() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let thief = ann.stolen();
    let slow = tokio::spawn(ann.post("/slow/note?text=boots").into_future());
    world.gates.reached(1).await;
    world.wait(auth_poem::prelude::Duration::hours(12));
    world.gates.open(1);
    let _ = slow.await.unwrap();
    assert_eq!(thief.get("/me").await.status, 401);
}
