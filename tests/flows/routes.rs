//! Addresses of an API: final slashes, methods, paths that several APIs share.

use std::panic::{AssertUnwindSafe, catch_unwind};

use auth_poem::prelude::*;
use auth_tests::{
    Browser, World,
    api::{BehindApi, ForeignApi},
};
use poem::{Endpoint, EndpointExt, Route};
use poem_openapi::{OpenApi, param::Path, payload::PlainText};
use serde_json::Value;

fn api(world: &World) -> AuthApi<(BehindApi, ForeignApi)> {
    world.auth.openapi((BehindApi, ForeignApi), "Tests", "1.0")
}

fn tolerant(world: &World) -> Browser {
    World::serve(Route::new().nest("/api", api(world).slash_tolerant()))
}

#[tokio::test]
async fn a_final_slash_makes_no_difference_where_the_api_says_so() {
    let world = World::new().await;
    let token = world.token("ann").await;
    let (strict, tolerant) =
        (World::serve(Route::new().nest("/api", api(&world))), tolerant(&world));
    for (path, body) in
        [("status", "status"), ("users/7", "user 7"), ("me", "ann"), ("foreign", "foreign")]
    {
        for client in [&strict, &tolerant] {
            let answer = client.get(format!("/api/{path}")).bearer(&token).await;
            assert_eq!(answer.is(200).body, body);
        }
        let path = format!("/api/{path}/");
        assert_eq!(strict.get(&path).bearer(&token).await.status, 404, "{path}");
        assert_eq!(tolerant.get(&path).bearer(&token).await.is(200).body, body);
    }
    // Guards are those of the operation.
    for path in ["/api/me", "/api/me/"] {
        assert_eq!(tolerant.get(path).await.outcome(), (401, "missing_credentials".into()));
    }
    for path in ["/api/status//", "/api/users//", "/api/users/7//", "/api/users/7/x/"] {
        assert_eq!(tolerant.get(path).await.status, 404, "{path}");
    }
    assert_eq!(tolerant.get("/api/status/?x=/").await.is(200).body, "status");
}

#[tokio::test]
async fn documents_and_report_know_one_spelling() {
    let world = World::new().await;
    let (strict, tolerant) = (api(&world), api(&world).slash_tolerant());
    assert_eq!(strict.spec(), tolerant.spec());
    assert_eq!(strict.access_report(), tolerant.access_report());
}

/// An API whose author cares about slashes.
struct Slashes;

#[OpenApi]
impl Slashes {
    #[oai(path = "/a", method = "get")]
    async fn without(&self) -> PlainText<&'static str> {
        PlainText("without")
    }

    #[oai(path = "/:name", method = "get")]
    async fn other(&self, name: Path<String>) -> PlainText<String> {
        PlainText(format!("other {}", name.0))
    }
}

#[tokio::test]
async fn a_path_as_it_is_written_goes_before_one_with_a_slash() {
    let world = World::new().await;
    let client = World::serve(world.auth.openapi(Slashes, "Tests", "1.0").slash_tolerant());
    for (path, body) in
        [("/a", "without"), ("/a/", "without"), ("/b", "other b"), ("/b/", "other b")]
    {
        assert_eq!(client.get(path).await.is(200).body, body, "{path}");
    }
    assert_eq!(client.get("//").await.status, 404);
}

#[tokio::test]
async fn a_wrong_method_is_told_which_ones_there_are() {
    let world = World::new().await;
    for api in [api(&world), api(&world).slash_tolerant()] {
        let mounted = World::serve(Route::new().nest("/deep", Route::new().nest("/api", api)));
        for (method, path, allow) in [
            ("PATCH", "/users", "GET, HEAD, POST, PUT"),
            ("OPTIONS", "/users", "GET, HEAD, POST, PUT"),
            ("PROPFIND", "/users", "GET, HEAD, POST, PUT"),
            ("POST", "/users/7", "DELETE, GET, HEAD"),
            ("DELETE", "/status", "GET, HEAD"),
        ] {
            let answer = mounted.ask(method, format!("/deep/api{path}")).await;
            assert_eq!(answer.outcome(), (405, "method_not_allowed".into()), "{method} {path}");
            assert_eq!(answer.all("allow"), [allow], "{method} {path}");
        }
    }
    let telling = World::serve(api(&world).slash_tolerant().answers_options());
    let answer = telling.ask("OPTIONS", "/users/7/").await.is(200);
    assert_eq!((answer.all("allow"), &*answer.body), (vec!["DELETE, GET, HEAD, OPTIONS"], "{}"));
    assert_eq!(telling.ask("PATCH", "/status").await.is(405).all("allow"), ["GET, HEAD, OPTIONS"]);
    assert_eq!(telling.ask("OPTIONS", "/nowhere").await.status, 404);

    let root = World::serve(api(&world));
    assert_eq!(root.ask("DELETE", "/status").await.is(405).all("allow"), ["GET, HEAD"]);
    let kept = World::serve(Route::new().nest_no_strip("/users", api(&world)));
    assert_eq!(kept.ask("PATCH", "/users/7").await.is(405).all("allow"), ["DELETE, GET, HEAD"]);
    assert!(root.get("/nowhere").await.is(404).all("allow").is_empty());
}

#[tokio::test]
async fn head_is_answered_as_get_without_a_body_and_with_its_guard() {
    let world = World::new().await;
    let client = World::serve(api(&world));
    let answer = client.ask("HEAD", "/status").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(client.ask("HEAD", "/me").await.status, 401);
    let token = world.token("ann").await;
    let answer = client.ask("HEAD", "/me").bearer(&token).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));

    struct Posts;
    #[OpenApi]
    impl Posts {
        #[oai(path = "/x", method = "post")]
        async fn x(&self) {}
    }
    let posts = World::serve(world.auth.openapi(Posts, "Tests", "1.0"));
    assert_eq!(posts.ask("HEAD", "/x").await.is(405).all("allow"), ["POST"]);
}

#[tokio::test]
async fn apis_that_share_a_path_have_one_entry_in_the_document() {
    let world = World::new().await;
    let text = api(&world).spec();
    assert_eq!(text.matches("\"/users\":").count(), 1, "{text}");
    let document: Value = serde_json::from_str(&text).unwrap();
    let methods: Vec<&String> = document["paths"]["/users"].as_object().unwrap().keys().collect();
    assert_eq!(methods, ["get", "post", "put"]);
}

#[tokio::test]
async fn two_operations_in_one_place_do_not_start() {
    struct Again;
    #[OpenApi]
    impl Again {
        #[oai(path = "/users/:name", method = "delete")]
        async fn delete(&self, name: Path<String>) -> PlainText<String> {
            PlainText(name.0)
        }
    }
    let world = World::new().await;
    let start = || world.auth.openapi((BehindApi, Again), "Tests", "1.0");
    let panic = catch_unwind(AssertUnwindSafe(start)).unwrap_err();
    let text = panic.downcast::<String>().unwrap();
    assert!(text.contains("`DELETE /users/{name}` is there twice"), "{text}");
}

#[tokio::test]
async fn an_api_can_be_configured_as_one_of_poem_openapi() {
    let world = World::new().await;
    let api = api(&world).configure(|service| service.description("all of it"));
    let document: Value = serde_json::from_str(&api.spec()).unwrap();
    assert_eq!(document["info"]["description"], "all of it");
    let app = api.map_to_response().boxed();
    let _ = app.get_response(poem::Request::default()).await;
}
