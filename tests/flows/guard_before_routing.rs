//! A guard around all routes: without a known user there is nothing to see.

use auth_poem::prelude::*;
use auth_tests::{
    Admin, Answer, Browser, User, World,
    api::{BehindApi, ForeignApi},
};
use poem::{EndpointExt, Route, http::StatusCode, middleware::Cors};
use poem_openapi::{Object, OpenApi};
use serde_json::{Value, json};

fn guard(world: &World) -> Guard<User> {
    world.auth.guard::<User>().exclude("/api/v1/status/").exclude("/api/v1/any/f*")
}

fn api<T: OpenApi>(world: &World, api: T) -> AuthApi<T> {
    world.auth.openapi(api, "Tests", "1.0").server("/api/v1").guarded_by(&guard(world))
}

/// A client of an application behind the guard, with the cookie of this user.
async fn client(world: &World, name: Option<&str>) -> Browser {
    let api = api(world, (BehindApi, ForeignApi)).slash_tolerant();
    let client = World::serve(Route::new().nest("/api/v1", api).with(guard(world)));
    if let Some(name) = name {
        client.plant("__Host-sid", &world.logged_in(name).await.cookie().unwrap());
    }
    client
}

#[track_caller]
fn says(answer: &Answer, body: &str) {
    assert_eq!((answer.status, answer.body.as_str()), (200, body));
}

#[tokio::test]
async fn a_stranger_cannot_tell_which_addresses_there_are() {
    let world = World::new().await;
    let (stranger, ann) = (client(&world, None).await, client(&world, Some("ann")).await);
    for (method, path, known) in [
        ("GET", "/api/v1/users", 200),
        ("POST", "/api/v1/users", 200),
        ("PUT", "/api/v1/users", 200),
        ("GET", "/api/v1/foreign", 200),
        ("GET", "/api/v1/users/7", 200),
        ("PATCH", "/api/v1/users", 405),
        ("OPTIONS", "/api/v1/users", 405),
        ("HEAD", "/api/v1/users", 200),
        ("GET", "/api/v1/nowhere", 404),
        ("GET", "/nowhere", 404),
        ("GET", "/", 404),
    ] {
        let answer = stranger.ask(method, path).await;
        assert_eq!(answer.outcome(), (401, "missing_credentials".into()), "{method} {path}");
        assert_eq!(answer.all("www-authenticate"), ["Bearer realm=\"auth\""]);
        assert_eq!(ann.ask(method, path).await.status, known, "{method} {path}");
    }
}

#[tokio::test]
async fn it_refuses_what_a_required_user_would() {
    let world = World::new().await;
    let stranger = client(&world, None).await;
    let answer = stranger.get("/api/v1/users").bearer("x.y.z").await;
    assert_eq!(answer.outcome(), (401, "invalid_token".into()));
    let token = world.token("ann").await;
    says(&stranger.get("/api/v1/users").bearer(&token).await, "users");

    let dead = stranger.stolen();
    dead.plant("__Host-sid", &"A".repeat(43));
    let answer = dead.get("/api/v1/users").await;
    assert_eq!(answer.outcome(), (401, "invalid_session".into()));
    assert!(answer.removes_cookie());

    let ann = client(&world, Some("ann")).await;
    let answer = ann.post("/api/v1/users").header("sec-fetch-site", "cross-site").await;
    assert_eq!(answer.outcome(), (403, "cross_site".into()));
    // An administrator is known, and not as a user.
    let root = world.admin_token("root").await;
    assert_eq!(stranger.get("/api/v1/users").bearer(&root).await.status, 401);
    let answer = ann.get("/api/v1/admin").bearer(&root).await;
    says(&answer, "root");
}

#[tokio::test]
async fn on_excluded_paths_it_looks_at_nothing() {
    let world = World::new().await;
    let stranger = client(&world, None).await;
    let dead = stranger.stolen();
    dead.plant("__Host-sid", &"A".repeat(43));
    world.sessions.fail(true);
    world.users.fail(true);
    for path in ["/api/v1/status", "/api/v1/status/", "/api/v1/status?x=y"] {
        says(&stranger.get(path).await, "status");
        says(&stranger.get(path).bearer("x.y.z").await, "status");
        let answer = dead.stolen().get(path).await;
        says(&answer, "status");
        assert_eq!(answer.set_cookie(), None);
    }
    says(&stranger.get("/api/v1/any/file").await, "any file");
    assert_eq!(stranger.get("/api/v1/any/other").await.status, 401);
    assert_eq!(world.sessions.calls().total() + world.users.calls().total(), 0);
}

#[tokio::test]
async fn operations_get_the_user_whom_it_has_found() {
    let world = World::new().await;
    let ann = client(&world, Some("ann")).await;
    for (path, body) in [("users", "users"), ("me", "ann"), ("maybe", "ann")] {
        world.reset_calls();
        says(&ann.get(format!("/api/v1/{path}")).await, body);
        let calls = (world.sessions.calls().load, world.users.calls().total());
        assert_eq!(calls, (1, 1), "{path}");
    }
}

#[tokio::test]
async fn a_store_that_cannot_answer_lets_nobody_through() {
    let world = World::new().await;
    let ann = client(&world, Some("ann")).await;
    world.sessions.fail(true);
    for path in ["/api/v1/users", "/nowhere"] {
        assert_eq!(ann.get(path).await.outcome(), (503, "unavailable".into()));
    }
    world.sessions.fail(false);
    world.users.fail(true);
    assert_eq!(ann.get("/api/v1/users").await.outcome(), (503, "unavailable".into()));
}

#[tokio::test]
async fn documents_and_report_say_what_it_asks() {
    let world = World::new().await;
    let api = api(&world, (BehindApi, ForeignApi));
    assert_eq!(
        api.access_report().to_string(),
        "\
GET     /admin       a User, by the guard and a Admin
GET     /any/{name}  a User, by the guard
GET     /foreign     a User, by the guard
GET     /maybe       a User, by the guard
GET     /me          a User
GET     /status      anybody
GET     /users       a User, by the guard
POST    /users       a User, by the guard
PUT     /users       a User, by the guard
DELETE  /users/{id}  a User, by the guard
GET     /users/{id}  a User, by the guard
"
    );
    let document: Value = serde_json::from_str(&api.spec()).unwrap();
    let of = |path: &str, method: &str| document["paths"][path][method].clone();
    let user = json!([{"bearer": []}, {"session": []}]);
    for (path, method) in [
        ("/users", "get"),
        ("/me", "get"),
        ("/maybe", "get"),
        ("/users", "put"),
        ("/foreign", "get"),
    ] {
        let operation = of(path, method);
        assert_eq!(operation["security"], user, "{path}");
        for status in ["401", "403", "503"] {
            let content = &operation["responses"][status]["content"];
            assert!(content["application/problem+json"].is_object(), "{path} {status}");
        }
    }
    let answers = |path: &str, method: &str| -> Vec<String> {
        let responses = of(path, method)["responses"].clone();
        responses.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(answers("/status", "get"), ["200"]);
    assert!(of("/status", "get").get("security").is_none(), "{:#}", of("/status", "get"));
    assert!(document["components"]["securitySchemes"]["session"].is_object());
    // What a cross-site request is refused is said of unsafe methods only.
    let refused = |path, method| of(path, method)["responses"]["403"]["description"].clone();
    assert!(!refused("/users", "get").to_string().contains("another site"));
    assert!(refused("/users", "post").to_string().contains("another site"));
    let both = of("/admin", "get")["security"].clone();
    assert_eq!(both.as_array().map(Vec::len), Some(3), "{both}");
}

#[tokio::test]
async fn documents_of_an_api_without_it_say_nothing_of_it() {
    let world = World::new().await;
    let api = world.auth.openapi((BehindApi, ForeignApi), "Tests", "1.0");
    let report = api.access_report().to_string();
    assert!(!report.contains("guard") && !report.contains("/foreign"), "{report}");
    let document: Value = serde_json::from_str(&api.spec()).unwrap();
    assert!(document["paths"]["/users"]["get"].get("security").is_none());
}

#[tokio::test]
async fn an_api_that_is_said_to_be_guarded_refuses_where_the_guard_was_forgotten() {
    let world = World::new().await;
    let guarded = || api(&world, BehindApi);
    let other = world.auth.guard::<User>().exclude("/api/v1/users");
    let admin = world.auth.guard::<Admin>().exclude("/api/v1/status/").exclude("/api/v1/any/f*");
    let apps = [
        World::serve(Route::new().nest("/api/v1", guarded())),
        World::serve(Route::new().nest("/api/v1", guarded()).with(other)),
        World::serve(Route::new().nest("/api/v1", guarded()).with(admin)),
    ];
    let token = world.token("ann").await;
    for app in apps {
        for path in ["/api/v1/users", "/api/v1/status", "/api/v1/nowhere"] {
            let answer = app.get(path).bearer(&token).await;
            assert_ne!(answer.status, 200, "{path}");
            assert_ne!(answer.status, 404, "{path}");
        }
    }
    // The same rules, said twice, are the same guard.
    let again = guard(&world);
    let app = World::serve(Route::new().nest("/api/v1", guarded()).with(again));
    says(&app.get("/api/v1/users").bearer(&token).await, "users");
}

#[tokio::test]
async fn a_preflight_is_answered_outside_of_it() {
    let world = World::new().await;
    let routes = Route::new().nest("/api/v1", api(&world, BehindApi)).with(guard(&world));
    let client = World::serve(routes.with(Cors::new()));
    let answer = client
        .ask("OPTIONS", "/api/v1/users")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "GET")
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.all("access-control-allow-origin"), ["https://app.example"]);
    let answer = client.get("/api/v1/users").header("origin", "https://app.example").await;
    assert_eq!(answer.outcome(), (401, "missing_credentials".into()));
    assert_eq!(answer.all("access-control-allow-origin"), ["https://app.example"]);
}

/// As the system has it that wants the guard before routing: 403 where a credential was presented.
#[derive(Object)]
struct Failure {
    error: String,
}

impl ErrorBody for Failure {
    fn status(rejection: &Rejection) -> StatusCode {
        match rejection {
            Rejection::InvalidSession | Rejection::InvalidToken => StatusCode::FORBIDDEN,
            rejection => rejection.status(),
        }
    }

    fn refusal(_: &Rejection, status: StatusCode) -> Self {
        Self { error: status.canonical_reason().unwrap().into() }
    }

    fn fault(_: StatusCode) -> Self {
        Self { error: "broken".into() }
    }

    fn other(error: &OtherError<'_>) -> Self {
        Self { error: error.code().into() }
    }
}

#[tokio::test]
async fn it_refuses_in_the_form_of_the_application() {
    let world = World::with(|config| config.error_body::<Failure>()).await;
    let (stranger, ann) = (client(&world, None).await, client(&world, Some("ann")).await);
    let shown = |answer: Answer| (answer.status, answer.json()["error"].clone());
    assert_eq!(shown(stranger.get("/nowhere").await), (401, json!("Unauthorized")));
    let answer = stranger.get("/api/v1/users").bearer("x.y.z").await;
    assert_eq!(shown(answer), (403, json!("Forbidden")));
    assert_eq!(shown(ann.get("/api/v1/nowhere").await), (404, json!("not_found")));
    let document: Value = serde_json::from_str(&api(&world, BehindApi).spec()).unwrap();
    let refused = &document["paths"]["/users"]["get"]["responses"]["403"];
    let text = refused["description"].as_str().unwrap();
    assert!(text.contains("The session has ended. A credential does not hold."), "{text}");
}

#[test]
#[should_panic(expected = "the guard wants a `Admin`; call `.user::<Admin>(..)` on AuthConfig")]
fn a_guard_for_users_whom_nobody_knows_does_not_start() {
    let auth = AuthConfig::new().sessions(MemorySessions::new()).build().unwrap();
    let _ = auth.guard::<Admin>();
}

#[test]
#[should_panic(expected = "\"/users/:id\" is no path to exclude: parameters are not understood")]
fn a_path_that_means_nothing_is_refused_where_it_is_written() {
    let auth = AuthConfig::new().user::<User>(MemoryUsers::default());
    let auth = auth
        .sessions(MemorySessions::new())
        .jwt(JwtKeys::hs256(auth_tests::world::JWT_SECRET).unwrap())
        .build()
        .unwrap();
    let _ = auth.guard::<User>().exclude("/users/:id");
}
