//! An application's own form of errors, in answers and documents.

use auth_poem::prelude::*;
use auth_tests::{Answer, World, api};
use poem::http::StatusCode;
use poem_openapi::{ApiResponse, Object, OpenApi, payload::Json};
use serde_json::{Value, json};

/// As an old system has it: sessions that ended are 440, wrong passwords 400.
#[derive(Object)]
struct Failure {
    status: u16,
    name: String,
}

impl ErrorBody for Failure {
    const CONTENT_TYPE: &'static str = "application/vnd.failure+json";

    fn status(rejection: &Rejection) -> StatusCode {
        match rejection {
            Rejection::InvalidSession => StatusCode::from_u16(440).unwrap(),
            Rejection::WrongCredentials => StatusCode::BAD_REQUEST,
            Rejection::ReauthenticationRequired => StatusCode::UNAUTHORIZED,
            rejection => rejection.status(),
        }
    }

    fn refusal(rejection: &Rejection, status: StatusCode) -> Self {
        Self { status: status.as_u16(), name: rejection.code().to_uppercase() }
    }

    fn fault(status: StatusCode) -> Self {
        Self { status: status.as_u16(), name: "BROKEN".into() }
    }

    fn other_status(status: StatusCode) -> StatusCode {
        match status {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => StatusCode::BAD_REQUEST,
            status => status,
        }
    }

    fn other(error: &OtherError<'_>) -> Self {
        let name = format!("{} {} {}", error.code(), error.method(), error.path());
        Self { status: error.status().as_u16(), name }
    }
}

const KIND: &str = "application/vnd.failure+json";

async fn world() -> World {
    World::with(|config| config.error_body::<Failure>()).await
}

/// Fails unless the answer is in the application's form, with this status and name.
#[track_caller]
fn is(answer: &Answer, status: u16, name: &str) {
    assert_eq!(answer.json(), json!({"status": status, "name": name}));
    assert_eq!(answer.status, status);
    assert_eq!(answer.all("content-type"), [KIND]);
    assert_eq!(answer.all("cache-control"), ["no-store"]);
}

/// The document of the tests' API in this world.
fn document(world: &World) -> Value {
    let api = api::apis(&world.gates, &world.people);
    serde_json::from_str(&world.auth.openapi(api, "Tests", "1.0").spec()).unwrap()
}

#[tokio::test]
async fn refusals_and_faults_have_the_form_wherever_they_come_from() {
    let world = world().await;
    let ann = world.logged_in("ann").await;
    for prefix in ["", "/plain"] {
        let me = format!("{prefix}/me");
        is(&world.browser().get(&me).await, 401, "MISSING_CREDENTIALS");
        is(&world.browser().get(&me).bearer("x").await, 401, "INVALID_TOKEN");
        let dead = world.browser();
        dead.plant("__Host-sid", &"A".repeat(43));
        let answer = dead.get(&me).await;
        is(&answer, 440, "INVALID_SESSION");
        assert!(answer.removes_cookie(), "headers are the framework's");
        is(&ann.get(format!("{prefix}/refuse")).await, 403, "FORBIDDEN");
    }
    is(&ann.get("/guard/role").await, 403, "FORBIDDEN");
    is(&world.browser().post("/fail/ours").await, 409, "NO_ROOM");
    is(&ann.get("/fault").await, 503, "BROKEN");
    world.sessions.fail(true);
    is(&ann.get("/me").await, 503, "BROKEN");
    is(&world.browser().post("/cart/note?text=x").await, 503, "BROKEN");
}

#[tokio::test]
async fn what_poem_refuses_has_the_form_and_its_statuses() {
    let world = world().await;
    let ann = world.logged_in("ann").await;
    is(&ann.get("/items/x").await, 400, "malformed_request GET /items/x");
    let answer = ann.post("/echo").body("text/plain", "x").await;
    is(&answer, 400, "unsupported_media_type POST /echo");
    is(&ann.get("/no/where?x=y").await, 404, "not_found GET /no/where");
    is(&ann.ask("PATCH", "/me").await, 405, "method_not_allowed PATCH /me");

    let api = world.auth.openapi(Documented, "Tests", "1.0");
    let client = World::serve(poem::Route::new().nest("/deep/api", api));
    is(&client.get("/deep/api/x").await, 404, "not_found GET /deep/api/x");
    let document = document(&world);
    let echo = &document["paths"]["/echo"]["post"]["responses"];
    assert!(echo["400"]["content"][KIND].is_object() && echo.get("415").is_none(), "{echo:#}");
}

#[tokio::test]
async fn the_headers_are_there_whatever_the_body() {
    let world = world().await;
    let answer = world.browser().get("/me").await;
    assert_eq!(answer.all("www-authenticate"), ["Bearer realm=\"auth\""]);
    for _ in 0..5 {
        is(&world.browser().login_with("ann", "no").await, 400, "WRONG_CREDENTIALS");
    }
    let answer = world.browser().login_with("ann", "no").await;
    is(&answer, 429, "TOO_MANY_ATTEMPTS");
    assert_eq!(answer.all("retry-after"), ["1"]);

    let bob = world.logged_in("bob").await;
    world.wait(Duration::minutes(11));
    let answer = bob.get("/guard/fresh").await;
    is(&answer, 401, "REAUTHENTICATION_REQUIRED");
    assert_eq!(answer.all("www-authenticate").len(), 1, "401 never goes without a challenge");
}

#[tokio::test]
async fn documents_show_the_schema_and_the_statuses() {
    let document = document(&world().await);
    let schema = json!({"$ref": "#/components/schemas/Failure"});
    let of = |path: &str, method: &str| document["paths"][path][method]["responses"].clone();
    let me = of("/me", "get");
    for status in ["401", "403", "440", "503"] {
        assert_eq!(me[status]["content"][KIND]["schema"], schema, "{status}: {me:#}");
    }
    assert_eq!(me["440"]["description"], "The session has ended.");
    let login = of("/login", "post");
    let refused = login["400"]["description"].as_str().unwrap();
    assert!(refused.contains("The name or the password is wrong."), "{login:#}");
    assert_eq!(login["429"]["content"][KIND]["schema"], schema);
    assert!(login["429"]["headers"]["Retry-After"].is_object(), "{login:#}");
    assert!(login.get("401").is_none(), "{login:#}");
    assert_eq!(of("/fail/ours", "post")["409"]["content"][KIND]["schema"], schema);
    assert_eq!(document["components"]["schemas"]["Failure"]["type"], "object");
    let text = document.to_string();
    assert!(!text.contains("problem+json") && !text.contains("\"Problem\""), "{text}");
}

#[derive(ApiResponse)]
enum Authored {
    #[oai(status = 401)]
    Known(Json<u32>),
    #[oai(status = 403, content_type = "application/vnd.failure+json")]
    Same(Json<u32>),
}

struct Documented;

#[auth_api]
impl Documented {
    #[oai(path = "/authored", method = "get")]
    async fn authored(&self, user: auth_tests::User) -> Authored {
        if user.roles.is_empty() { Authored::Known(Json(1)) } else { Authored::Same(Json(2)) }
    }
}

#[tokio::test]
async fn what_the_author_documents_is_kept() {
    let world = world().await;
    let document = world.auth.openapi(Documented, "Tests", "1.0").spec();
    let document: Value = serde_json::from_str(&document).unwrap();
    let responses = &document["paths"]["/authored"]["get"]["responses"];
    let own = json!({"$ref": "#/components/schemas/Failure"});
    let number = json!({"type": "integer", "format": "uint32"});
    let known = &responses["401"]["content"];
    assert_eq!(known["application/json; charset=utf-8"]["schema"], number, "{known:#}");
    assert_eq!(known[KIND]["schema"], own, "{known:#}");
    assert_eq!(responses["403"]["content"][KIND]["schema"]["anyOf"], json!([number, own]));
}

struct Plain;

#[OpenApi]
impl Plain {
    #[oai(path = "/raw", method = "get")]
    async fn raw(&self) -> auth_poem::Result<Json<u32>> {
        Err(Rejection::WrongCredentials)?
    }
}

#[tokio::test]
async fn the_error_type_documents_the_form_by_itself() {
    let world = world().await;
    let document = world.auth.openapi(Plain, "Tests", "1.0").spec();
    let document: Value = serde_json::from_str(&document).unwrap();
    let responses = &document["paths"]["/raw"]["get"]["responses"];
    for status in ["400", "429", "503"] {
        assert!(responses[status]["content"][KIND].is_object(), "{responses:#}");
    }
    // Without a configuration of ours around it, it is the default.
    let bare = poem_openapi::OpenApiService::new(Plain, "Tests", "1.0").spec();
    let bare: Value = serde_json::from_str(&bare).unwrap();
    let responses = &bare["paths"]["/raw"]["get"]["responses"];
    assert!(responses["401"]["content"]["application/problem+json"].is_object(), "{bare:#}");
}

#[tokio::test]
async fn two_configurations_of_one_process_keep_their_forms() {
    let (own, default) = (world().await, World::new().await);
    let (own, default) = (document(&own).to_string(), document(&default).to_string());
    assert!(own.contains(KIND) && !own.contains("problem+json"));
    assert!(default.contains("problem+json") && !default.contains(KIND));
}
