//! Ways around a guard before routing: other spellings of excluded paths, addresses in headers.

use auth_poem::prelude::*;
use auth_tests::{Browser, User, World, api::BehindApi};
use poem::{
    EndpointExt, IntoEndpoint, Request, Route,
    endpoint::make_sync,
    middleware::{NormalizePath, TrailingSlash},
};

/// A client of an application of which `/api/v1/status` and what begins with `/api/v1/any/f` are
/// open.
fn client(
    world: &World,
    wrap: impl FnOnce(Route) -> poem::endpoint::BoxEndpoint<'static>,
) -> Browser {
    let guard = world.auth.guard::<User>().exclude("/api/v1/status/").exclude("/api/v1/any/f*");
    let api = world.auth.openapi(BehindApi, "Tests", "1.0").server("/api/v1");
    let api = api.guarded_by(&guard).slash_tolerant();
    let routes = Route::new()
        .nest("/api/v1", api)
        .at("/:a/:b/:c", make_sync(|_| "three"))
        .at("/wide/*rest", make_sync(|_| "wide"));
    World::serve(wrap(routes).with(guard))
}

fn plain(routes: Route) -> poem::endpoint::BoxEndpoint<'static> {
    routes.into_endpoint().map_to_response().boxed()
}

/// A middleware that many applications have between their guard and their routes.
fn normalizing(routes: Route) -> poem::endpoint::BoxEndpoint<'static> {
    routes.with(NormalizePath::new(TrailingSlash::Trim)).map_to_response().boxed()
}

const SPELLINGS: [&str; 40] = [
    "/api/v1/users",
    "/api/v1/users/",
    "/api/v1/users/7",
    "/api/v1/status/../users",
    "/api/v1/status/../../v1/users",
    "/api/v1/status/./../users",
    "/api/v1/./users",
    "/api/v1/status/..;/users",
    "/api/v1/status;/../users",
    "/api/v1/status/%2e%2e/users",
    "/api/v1/status/.%2e/users",
    "/api/v1/status%2F..%2Fusers",
    "/api/v1/status%2f%2e%2e%2fusers",
    "/api/v1/status%252F..%252Fusers",
    "/api/v1/status\\..\\users",
    "/api/v1/status%5c..%5cusers",
    "/api/v1/status//users",
    "/api/v1/status//",
    "//api/v1/status",
    "//api/v1/users",
    "/api//v1/users",
    "/api/v1//users",
    "/api/v1//status",
    "/API/v1/status",
    "/api/v1/STATUS",
    "/api/v1/Users",
    "/api/v1/%73tatus",
    "/api/v1/statu%73",
    "/api/v1/status%00",
    "/api/v1/status%20",
    "/api/v1/status;x",
    "/api/v1/status.json",
    "/api/v1/statusx",
    "/api/v1/any/f/../../users",
    "/api/v1/any/f%2f..%2f..%2fusers",
    "/api/v1/any/f%2F%252e%252e%2F..%2Fusers",
    "/api/v1/any/f..%2f..%5c..%2fusers",
    "/api/v1/any/%66ile",
    "/api/v1/any//file",
    "/api/v1/any/../users",
];

#[tokio::test]
async fn no_spelling_of_a_path_gets_a_stranger_further() {
    let world = World::new().await;
    for client in [client(&world, plain), client(&world, normalizing)] {
        for path in SPELLINGS {
            for method in ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "PROPFIND"] {
                let answer = client.ask(method, path).await;
                let outcome = answer.outcome();
                assert_eq!(outcome, (401, "missing_credentials".into()), "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn no_address_elsewhere_in_the_request_counts() {
    let world = World::new().await;
    let client = client(&world, plain);
    for path in [
        "/api/v1/users?/api/v1/status",
        "/api/v1/users?path=/api/v1/status/",
        "http://localhost/api/v1/users",
        "http://status/api/v1/users",
    ] {
        assert_eq!(client.get(path).await.status, 401, "{path}");
    }
    for header in
        ["x-original-url", "x-rewrite-url", "x-forwarded-prefix", "x-forwarded-uri", "referer"]
    {
        let answer = client.get("/api/v1/users").header(header, "/api/v1/status").await;
        assert_eq!(answer.status, 401, "{header}");
        // The excluded operation is what it is, whatever else is asked for.
        let answer = client.get("/api/v1/status").header(header, "/api/v1/users").await;
        assert_eq!(answer.is(200).body, "status", "{header}");
    }
    for method in ["x-http-method-override", "x-method-override"] {
        let answer = client.get("/api/v1/users").header(method, "OPTIONS").await;
        assert_eq!(answer.status, 401, "{method}");
    }
}

/// What a careless middleware does outside of the guard: it believes a header.
async fn rewrite(mut request: Request) -> poem::Result<Request> {
    if let Some(path) = request.header("x-original-url").map(str::to_owned) {
        *request.uri_mut() = path.parse().unwrap();
    }
    Ok(request)
}

#[tokio::test]
async fn a_path_that_was_rewritten_outside_is_judged_as_the_routes_see_it() {
    let world = World::new().await;
    let guard = world.auth.guard::<User>().exclude("/status");
    let api = world.auth.openapi(BehindApi, "Tests", "1.0").guarded_by(&guard);
    let client = World::serve(Route::new().nest("/", api).with(guard).before(rewrite));
    assert_eq!(client.get("/status").await.is(200).body, "status");
    let answer = client.get("/status").header("x-original-url", "/users").await;
    assert_eq!(answer.status, 401);
    let answer = client.get("/users").header("x-original-url", "/status").await;
    assert_eq!(answer.is(200).body, "status");
}

/// Every path of a few pieces: whatever a stranger reaches was open.
#[tokio::test]
async fn whatever_is_reached_was_open() {
    const PIECES: [&str; 14] = [
        "", "status", "users", "any", "f", "file", "..", ".", "%2e%2e", "f%2f..", "..%2f", "..;",
        "%73tatus", "f\\..",
    ];
    let world = World::new().await;
    let mut reached = Vec::new();
    for client in [client(&world, plain), client(&world, normalizing)] {
        for first in PIECES {
            for second in PIECES {
                for third in PIECES {
                    let path = format!("/api/v1/{first}/{second}/{third}");
                    let path = path.trim_end_matches('/');
                    for path in [path.to_owned(), format!("{path}/")] {
                        let answer = client.get(path.as_str()).await;
                        match (answer.status, answer.body.as_str()) {
                            (401, _) => {}
                            (200, "status") => {
                                assert!(path.starts_with("/api/v1/status"), "{path}")
                            }
                            (200, body) if body.starts_with("any f") => {
                                assert!(path.starts_with("/api/v1/any/f"), "{path}");
                            }
                            (404, _) => assert!(path.starts_with("/api/v1/any/f"), "{path}"),
                            other => panic!("{path}: {other:?}"),
                        }
                        if answer.status == 200 {
                            reached.push(path);
                        }
                    }
                }
            }
        }
    }
    reached.sort();
    reached.dedup();
    assert_eq!(
        reached,
        [
            "/api/v1/any/f",
            "/api/v1/any/f/",
            "/api/v1/any/file",
            "/api/v1/any/file/",
            "/api/v1/status",
            "/api/v1/status/",
        ]
    );
}

#[tokio::test]
async fn a_guard_inside_of_another_route_sees_what_is_left_of_the_path() {
    let world = World::new().await;
    let guard = world.auth.guard::<User>().exclude("/status");
    let api = world.auth.openapi(BehindApi, "Tests", "1.0").guarded_by(&guard);
    let client = World::serve(Route::new().nest("/status", api.with(guard)));
    assert_eq!(client.get("/status/status").await.is(200).body, "status");
    for path in ["/status", "/status/", "/status/users", "/status/status/status"] {
        assert_eq!(client.get(path).await.status, 401, "{path}");
    }
}

/// That this file's application is one at all.
#[tokio::test]
async fn a_user_gets_everywhere() {
    let world = World::new().await;
    let token = world.token("ann").await;
    let client = client(&world, plain);
    for (path, body) in [("/api/v1/users", "users"), ("/a/b/c", "three"), ("/wide/x", "wide")] {
        assert_eq!(client.get(path).bearer(&token).await.is(200).body, body);
        assert_eq!(client.get(path).await.status, 401);
    }
}
