//! Copies of users: they must not outlive their life, and not hide what this process did itself.

use std::sync::Arc;

use auth_core::testing::FailingUsers;
use auth_poem::{
    prelude::*,
    users::{CachedUsers, UserStore},
};
use auth_tests::{
    Browser, User, World,
    world::{App, password_of},
};
use serde_json::json;

const LIFE: Duration = Duration::seconds(5);

const NEW: &str = "a password that is quite new";

/// A process that keeps copies of users, on the stores that all processes of a world share.
struct Node {
    users: FailingUsers<User>,
    cached: CachedUsers<User, FailingUsers<User>>,
    app: App,
}

impl Node {
    fn new(world: &World) -> Self {
        let users = FailingUsers::new(Arc::new(world.people.clone()));
        // As over a network; a store that answers at once needs no copies.
        users.wait(true);
        let cached = users.clone().cached(LIFE).clock(world.clock.clone());
        let app = world.node(cached.clone());
        Self { users, cached, app }
    }

    fn browser(&self) -> Browser {
        Browser::new(self.app.clone())
    }

    async fn logged_in(&self, name: &str) -> Browser {
        let browser = self.browser();
        let _ = browser.login(name).await.is(200);
        browser
    }

    async fn token(&self, name: &str, password: &str) -> String {
        let login = json!({"name": name, "password": password});
        self.browser().post("/token").json(login).await.is(200).body
    }

    async fn change_password(&self, browser: &Browser) {
        let change = json!({"current": password_of("ann"), "new": NEW});
        let _ = browser.post("/password").json(change).await.is(200);
    }

    async fn status(&self, token: &str) -> u16 {
        self.browser().get("/me").bearer(token).await.status
    }
}

#[tokio::test]
async fn a_new_password_counts_at_once_in_the_process_that_took_it() {
    let world = World::new().await;
    let node = Node::new(&world);
    let (ann, thief) = (node.logged_in("ann").await, node.logged_in("ann").await);
    let token = node.token("ann", &password_of("ann")).await;
    for browser in [&ann, &thief] {
        let _ = browser.get("/me").await.is(200);
    }
    assert_eq!(node.status(&token).await, 200);
    node.change_password(&ann).await;
    assert_eq!(node.status(&token).await, 401);
    assert_eq!(thief.get("/me").await.status, 401);
    assert_eq!(ann.get("/me").await.status, 200);
}

#[tokio::test]
async fn ending_all_other_logins_counts_at_once_in_the_process_that_did_it() {
    let world = World::new().await;
    let node = Node::new(&world);
    let ann = node.logged_in("ann").await;
    let token = node.token("ann", &password_of("ann")).await;
    assert_eq!(node.status(&token).await, 200);
    let _ = ann.post("/revoke").await.is(200);
    assert_eq!(node.status(&token).await, 401);
    assert_eq!(ann.get("/me").await.status, 200);
}

#[tokio::test]
async fn a_deactivation_elsewhere_counts_when_the_life_of_the_copy_is_over() {
    let world = World::new().await;
    let node = Node::new(&world);
    let ann = node.logged_in("ann").await;
    let token = node.token("ann", &password_of("ann")).await;
    let _ = ann.get("/me").await.is(200);
    world.change("ann", |user| user.active = false);
    world.wait(LIFE - Duration::milliseconds(1));
    // The bound that is promised, and no more than that.
    assert_eq!((node.status(&token).await, ann.get("/me").await.status), (200, 200));
    world.wait(Duration::milliseconds(1));
    assert_eq!((node.status(&token).await, ann.get("/me").await.status), (401, 401));
    // Whoever was shut out does not come back by what is kept.
    let _ = ann.login("ann").await.is(401);
}

#[tokio::test]
async fn a_change_of_the_applications_own_counts_at_once_where_it_says_so() {
    let world = World::new().await;
    let node = Node::new(&world);
    let token = node.token("bob", &password_of("bob")).await;
    assert_eq!(node.status(&token).await, 200);
    world.change("bob", |user| user.active = false);
    node.cached.forget(&world.user("bob").id);
    assert_eq!(node.status(&token).await, 401);
}

#[tokio::test]
async fn a_login_after_a_new_password_elsewhere_is_not_refused_for_an_old_copy() {
    let world = World::new().await;
    let (a, b) = (Node::new(&world), Node::new(&world));
    let ann = a.logged_in("ann").await;
    let old = a.token("ann", &password_of("ann")).await;
    assert_eq!(b.status(&old).await, 200);
    a.change_password(&ann).await;
    let new = a.token("ann", NEW).await;

    b.users.reset_calls();
    assert_eq!(b.status(&new).await, 200);
    assert_eq!(b.users.calls().by_id, 1, "it has asked anew, once");
    // By that the old copy is gone, and the old token with it.
    assert_eq!(b.status(&old).await, 401);
    assert_eq!(b.status(&new).await, 200);
    assert_eq!(b.users.calls().total(), 2, "who is refused costs a look, who is known does not");
    // The session that went on on A has a new stamp as well.
    let elsewhere = b.browser();
    elsewhere.plant("__Host-sid", &ann.cookie().unwrap());
    assert_eq!(elsewhere.get("/me").await.status, 200);
}

#[tokio::test]
async fn an_old_token_lives_no_longer_elsewhere_than_the_copy() {
    let world = World::new().await;
    let (a, b) = (Node::new(&world), Node::new(&world));
    let (ann, thief) = (a.logged_in("ann").await, b.logged_in("ann").await);
    let old = a.token("ann", &password_of("ann")).await;
    assert_eq!((b.status(&old).await, thief.get("/me").await.status), (200, 200));
    a.change_password(&ann).await;
    // Sessions are where all processes see that they are gone.
    assert_eq!(thief.get("/me").await.status, 401);
    world.wait(LIFE);
    assert_eq!(b.status(&old).await, 401);
}

#[tokio::test]
async fn a_store_that_is_down_is_not_hidden_for_longer_than_a_copy_lives() {
    let world = World::new().await;
    let node = Node::new(&world);
    let ann = node.logged_in("ann").await;
    let _ = ann.get("/me").await.is(200);
    node.users.fail(true);
    assert_eq!(ann.get("/me").await.status, 200);
    world.wait(LIFE);
    for path in ["/me", "/maybe"] {
        assert_eq!(ann.get(path).await.status, 503, "{path}");
    }
    node.users.fail(false);
    assert_eq!(ann.get("/me").await.status, 200, "nobody was logged out by it");
}

#[tokio::test]
async fn who_cannot_be_looked_up_anew_is_not_refused() {
    let world = World::new().await;
    let (a, b) = (Node::new(&world), Node::new(&world));
    let ann = a.logged_in("ann").await;
    let old = a.token("ann", &password_of("ann")).await;
    assert_eq!(b.status(&old).await, 200);
    a.change_password(&ann).await;
    let new = a.token("ann", NEW).await;
    b.users.fail(true);
    assert_eq!(b.status(&new).await, 503);
}

#[tokio::test]
async fn a_life_that_cannot_be_meant_does_not_start() {
    let world = World::new().await;
    let users = world.people.clone().cached(Duration::hours(1));
    let config = AuthConfig::new().user::<User>(users).sessions(MemorySessions::default());
    let error = config.build().unwrap_err().to_string();
    assert!(error.contains("the copies of User") && error.contains("5 minutes"), "{error}");
}
