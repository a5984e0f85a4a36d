//! What a guard reads stands in the path. A value of the same name elsewhere is what an attacker
//! writes, and so is a path that two readers understand differently.

use auth_poem::prelude::*;
use auth_tests::{Browser, Role, World};
use poem::{IntoEndpoint, test::TestClient};
use serde_json::json;

const FORBIDDEN: (u16, &str) = (403, "forbidden");

#[track_caller]
fn refused(outcome: (u16, String), what: &str) {
    assert_eq!((outcome.0, outcome.1.as_str()), FORBIDDEN, "{what}");
}

#[tokio::test]
async fn a_scope_from_elsewhere_is_not_looked_at() {
    let world = World::new().await;
    let mia = world.logged_in("mia").await;
    for query in [
        "?site_id=1",
        "?site_id=1&site_id=1",
        "?%73ite_id=1",
        "?param0=1",
        "?:site_id=1",
        "?{site_id}=1",
        "?x=/sites/1/members",
        "#site_id=1",
    ] {
        let path = format!("/sites/2/members{query}");
        refused(mia.get(&path).await.outcome(), &path);
        let note = json!({ "text": "x", "site_id": "1", "param0": "1" });
        refused(mia.post(&path).json(note).await.outcome(), &path);
    }
    for header in ["site_id", "x-site-id", "param0", "x-original-url", "x-rewrite-url"] {
        let value = if header.contains("url") { "/sites/1/members" } else { "1" };
        refused(mia.get("/sites/2/members").header(header, value).await.outcome(), header);
    }
    mia.plant("site_id", "1");
    refused(mia.get("/sites/2/members").await.outcome(), "cookie");
    let form = mia.post("/sites/2/members").body("application/x-www-form-urlencoded", "site_id=1");
    refused(form.await.outcome(), "form");
}

#[tokio::test]
async fn a_scope_in_another_spelling_is_the_one_that_the_operation_sees() {
    let world = World::new().await;
    let mia = world.logged_in("mia").await;
    for path in [
        "/sites/%32/members",
        "/sites//members",
        "/sites/%20/members",
        "/sites/1%20/members",
        "/sites/%201/members",
        "/sites/1%00/members",
        "/sites/01/members",
        "/sites/1%2F2/members",
        "/sites/2%2F1/members",
        "/sites/1,2/members",
        "/sites/1;2/members",
        "/sites/1:manager/members",
        "/sites/*/members",
        "/sites/%2A/members",
        "/sites/%EF%BC%91/members",
    ] {
        refused(mia.get(path).await.outcome(), path);
    }
    // What is let in is what is done.
    assert_eq!(mia.get("/sites/%31/members").await.is(200).body, "1");
}

#[tokio::test]
async fn an_empty_scope_is_nobodys() {
    let world = World::new().await;
    for roles in [
        vec![Role::Manager.into()],
        vec![Scoped::in_scope("", Role::Manager)],
        vec![Scoped::in_scope("/", Role::Manager), Scoped::in_scope(" ", Role::Manager)],
    ] {
        world.change("mia", |mia| mia.roles = roles);
        let mia = world.logged_in("mia").await;
        refused(mia.get("/sites//members").await.outcome(), "empty");
    }
}

#[tokio::test]
async fn nobody_else_is_the_owner() {
    let world = World::new().await;
    let (ann, bob) = (world.user("ann").id, world.user("bob").id);
    let browser = world.logged_in("ann").await;
    for path in [
        format!("/users/{bob}/notes"),
        format!("/users/{bob}/notes?user_id={ann}"),
        format!("/users/{bob}/notes?user_id={ann}&user_id={ann}"),
        format!("/users/{bob}/notes?param0={ann}"),
        format!("/users/{bob}%2F{ann}/notes"),
        format!("/users/{ann}%00/notes"),
        format!("/users/{ann}{bob}/notes"),
        format!("/users/{ann},{bob}/notes"),
        format!("/users/%20{ann}/notes"),
        "/users//notes".into(),
        "/users/0/notes".into(),
        "/users/ann/notes".into(),
    ] {
        refused(browser.get(&path).await.outcome(), &path);
        let body = json!({ "user_id": ann.to_string() });
        let request = browser.post(&path).header("user_id", ann.to_string()).json(body);
        refused(request.await.outcome(), &path);
    }
    // The guard and the operation read the id alike, however it is written.
    for id in [ann.simple().to_string(), ann.urn().to_string(), ann.braced().to_string()] {
        let answer = browser.get(format!("/users/{id}/notes")).await;
        assert!(answer.status != 200 || answer.body == ann.to_string(), "{id}: {answer:?}");
    }
}

#[tokio::test]
async fn the_second_parameter_is_not_the_first() {
    let world = World::new().await;
    let mia = world.user("mia").id;
    let browser = world.logged_in("mia").await;
    for path in [format!("/sites/{mia}/users/1"), "/sites/2/users/1".into()] {
        refused(browser.get(&path).await.outcome(), &path);
    }
}

#[tokio::test]
async fn what_is_no_text_is_nobodys() {
    let world = World::new().await;
    let token = world.token("mia").await;
    // Not nested: a nested route refuses such paths by itself.
    let api = world.auth.openapi(world.apis(), "Tests", "1.0").into_endpoint();
    let client = TestClient::new(api);
    for (path, status) in [
        ("/sites/%FF/members", 403),
        ("/sites/1%FF/members", 403),
        ("/sites/%FF/plans", 404),
        ("/users/%FF/notes", 403),
        ("/articles/%FF", 404),
        ("/sites/1/members", 200),
    ] {
        let request = client.get(path).header("authorization", format!("Bearer {token}"));
        assert_eq!(request.send().await.0.status().as_u16(), status, "{path}");
    }
    assert_eq!(world.articles.opened(), 0);
}

/// Asks at a route whose path names the parameter twice, one route inside the other.
async fn nested(browser: &Browser, outer: &str, inner: &str) -> (u16, String) {
    browser.get(format!("/plain/outer/{outer}/inner/{inner}")).await.outcome()
}

#[tokio::test]
async fn a_parameter_that_two_routes_have_is_not_guessed() {
    let world = World::new().await;
    let mia = world.logged_in("mia").await;
    for (outer, inner) in [("1", "2"), ("2", "1"), ("2", "2"), ("1", "1")] {
        let outcome = nested(&mia, outer, inner).await;
        assert_eq!(outcome, (503, "unavailable".into()), "{outer} {inner}");
    }
}

#[tokio::test]
async fn a_route_without_the_parameter_lets_nobody_in() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let id = world.user("ann").id;
    for path in ["/plain/owned".to_owned(), format!("/plain/owned?user_id={id}")] {
        let answer = ann.get(&path).header("user_id", id.to_string()).await;
        assert_eq!(answer.outcome(), (503, "unavailable".into()), "{path}");
    }
    // And a stranger learns nothing of the mistake.
    assert_eq!(world.browser().get("/plain/owned").await.status, 401);
}
