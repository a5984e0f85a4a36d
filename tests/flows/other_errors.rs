//! What poem and its extractors refuse looks like every other error.

use auth_poem::prelude::*;
use auth_tests::{Answer, World, api};
use poem::{
    EndpointExt, Route,
    error::NotFoundError,
    handler,
    http::StatusCode,
    post,
    web::{Form, Query as PoemQuery},
};
use poem_openapi::{
    Object,
    param::{Header, Path, Query},
    payload::{Form as ApiForm, Json, PlainText},
};
use serde::Deserialize;
use serde_json::{Value, json};

#[track_caller]
fn is_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.outcome(), (status, code.to_owned()), "{answer:?}");
    assert_eq!(answer.all("content-type"), ["application/problem+json"]);
    assert_eq!(answer.all("cache-control"), ["no-store"]);
    assert_eq!(answer.json()["status"], status);
    assert!(answer.json()["title"].is_string() && answer.json()["detail"].is_string());
}

#[derive(Object, Deserialize)]
struct Entry {
    #[oai(validator(max_length = 3))]
    text: String,
}

struct Reader;

#[auth_api]
impl Reader {
    #[public]
    #[oai(path = "/bounds", method = "get")]
    async fn bounds(
        &self,
        #[oai(validator(maximum(value = "9")))] n: Query<u32>,
        #[oai(name = "X-Page")] page: Header<Option<u32>>,
    ) -> PlainText<String> {
        PlainText(format!("{} {:?}", n.0, page.0))
    }

    #[public]
    #[oai(path = "/entry", method = "post")]
    async fn entry(&self, entry: Json<Entry>) -> PlainText<String> {
        PlainText(entry.0.text)
    }

    #[public]
    #[oai(path = "/form", method = "post")]
    async fn form(&self, entry: ApiForm<Entry>) -> PlainText<String> {
        PlainText(entry.0.text)
    }

    /// The author's own errors, some of types that poem uses too.
    #[public]
    #[oai(path = "/own/:kind", method = "get")]
    async fn own(&self, kind: Path<String>) -> poem::Result<()> {
        Err(match kind.as_str() {
            "poem" => NotFoundError.into(),
            "openapi" => {
                let reason = "the author says".to_owned();
                poem_openapi::error::ParseRequestPayloadError { reason }.into()
            }
            "status" => StatusCode::NOT_FOUND.into(),
            _ => poem::Error::from_string("gone for good", StatusCode::GONE),
        })
    }
}

#[tokio::test]
async fn an_api_says_in_one_form_what_it_cannot_read() {
    let world = World::new().await;
    let client = World::serve(world.auth.openapi(Reader, "Tests", "1.0"));
    let malformed = (400, "malformed_request");
    for (path, detail) in [
        ("/bounds", "The parameter `n` is missing or cannot be read."),
        ("/bounds?n=x", "The parameter `n` is missing or cannot be read."),
        ("/bounds?n=10", "The parameter `n` does not fit: maximum(9, exclusive: false)."),
    ] {
        let answer = client.get(path).await;
        is_problem(&answer, malformed.0, malformed.1);
        assert_eq!(answer.json()["detail"], detail, "{path}");
    }
    let answer = client.get("/bounds?n=1").header("x-page", "one").await;
    is_problem(&answer, malformed.0, malformed.1);
    for (body, detail) in [
        ("{", "The body cannot be read, at line 1 column 1."),
        ("{}", "The body is not what the operation takes."),
        (r#"{"text": [5]}"#, "The body is not what the operation takes."),
        (r#"{"text": "long"}"#, "The member `text` does not fit: maxLength(3)."),
    ] {
        let answer = client.post("/entry").body("application/json", body).await;
        is_problem(&answer, malformed.0, malformed.1);
        assert_eq!(answer.json()["detail"], detail, "{body}");
    }
    let answer = client.post("/form").body("application/x-www-form-urlencoded", "tex=1").await;
    is_problem(&answer, malformed.0, malformed.1);
    let text = client.post("/entry").body("text/plain", "{}").await;
    is_problem(&text, 415, "unsupported_media_type");
    is_problem(&client.post("/entry").await, 415, "unsupported_media_type");
    is_problem(&client.get("/nowhere").await, 404, "not_found");
    is_problem(&client.ask("DELETE", "/entry").await, 405, "method_not_allowed");
    assert_eq!(client.get("/bounds?n=9").await.is(200).body, "9 None");
}

#[tokio::test]
async fn an_authors_own_errors_stay_what_they_are() {
    let world = World::new().await;
    let api = world.auth.openapi(Reader, "Tests", "1.0");
    let client = World::serve(Route::new().nest("/", api).with(world.auth.errors()));
    for (kind, status, body) in [
        ("poem", 404, "not found"),
        ("openapi", 400, "parse request payload error: the author says"),
        ("status", 404, ""),
        ("string", 410, "gone for good"),
    ] {
        let answer = client.get(format!("/own/{kind}")).await;
        assert_eq!((answer.status, answer.body.as_str()), (status, body), "{kind}");
    }
    let ann = world.logged_in("ann").await;
    let answer = ann.post("/authored").body("application/json", "{").await.is(400);
    assert!(answer.body.starts_with("the author saw: "), "{answer:?}");
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[handler]
fn form(form: Form<Named>) -> String {
    form.0.name
}

#[handler]
fn query(query: PoemQuery<Named>) -> String {
    query.0.name
}

#[handler]
fn refuses() -> (StatusCode, &'static str) {
    (StatusCode::BAD_REQUEST, "the handler says so")
}

#[tokio::test]
async fn the_middleware_does_it_for_a_whole_application() {
    let world = World::new().await;
    let routes = Route::new()
        .nest("/plain", api::plain::routes().with(world.auth.layer()))
        .at("/form", post(form))
        .at("/query", poem::get(query))
        .at("/refuses", poem::get(refuses))
        .nest("/api", world.auth.openapi(Reader, "Tests", "1.0"));
    let client = World::serve(routes.with(world.auth.errors()));
    let ann = world.logged_in("ann").await;
    for cookie in [None, ann.cookie()] {
        cookie.iter().for_each(|cookie| client.plant("__Host-sid", cookie));
        let known = cookie.is_some();
        is_problem(&client.get("/nowhere").await, 404, "not_found");
        is_problem(&client.get("/api/nowhere").await, 404, "not_found");
        is_problem(&client.get("/form").await, 405, "method_not_allowed");
        is_problem(&client.post("/form").await, 415, "unsupported_media_type");
        is_problem(&client.get("/query").await, 400, "malformed_request");
        let answer = client.get("/plain/items/x").await;
        if known {
            is_problem(&answer, 400, "malformed_request");
        } else {
            is_problem(&answer, 401, "missing_credentials");
        }
    }
    let answer = client.post("/plain/echo").body("application/json", "{").await;
    is_problem(&answer, 400, "malformed_request");
    assert_eq!(answer.all("vary"), ["cookie"], "what the layer adds is kept");
    let answer = client.get("/refuses").await;
    assert_eq!((answer.status, answer.body.as_str()), (400, "the handler says so"));
    assert_eq!(client.get("/query?name=ann").await.is(200).body, "ann");
}

#[tokio::test]
async fn documents_say_it_where_there_is_something_to_read() {
    let world = World::new().await;
    let of = |document: &str, path: &str, method: &str| -> Vec<String> {
        let document: Value = serde_json::from_str(document).unwrap();
        let responses = &document["paths"][path][method]["responses"];
        responses.as_object().unwrap().keys().cloned().collect()
    };
    let reader = world.auth.openapi(Reader, "Tests", "1.0").spec();
    assert_eq!(of(&reader, "/bounds", "get"), ["200", "400"]);
    assert_eq!(of(&reader, "/entry", "post"), ["200", "400", "415"]);
    let apis = api::apis(&world.gates, &world.people);
    let document = world.auth.openapi(apis, "Tests", "1.0").spec();
    assert_eq!(of(&document, "/public", "get"), ["200"]);
    assert_eq!(of(&document, "/items/{id}", "get"), ["200", "400", "401", "403", "503"]);
    // The author answers what cannot be read, and documents it.
    let authored = of(&document, "/authored", "post");
    assert!(!authored.contains(&"415".to_owned()), "{authored:?}");
    let document: Value = serde_json::from_str(&document).unwrap();
    let authored = &document["paths"]["/authored"]["post"]["responses"];
    assert_eq!(authored["400"]["content"].as_object().unwrap().len(), 1, "{authored:#}");
    let refused = &document["paths"]["/echo"]["post"]["responses"]["415"]["content"];
    let schema = &refused["application/problem+json"]["schema"];
    assert_eq!(*schema, json!({"$ref": "#/components/schemas/Problem"}));
}

/// An application that has its own words for what is wrong with a body.
#[derive(Object)]
struct Words {
    body: String,
}

impl ErrorBody for Words {
    fn refusal(rejection: &Rejection, _: StatusCode) -> Self {
        Self { body: rejection.code().into() }
    }

    fn fault(_: StatusCode) -> Self {
        Self { body: "fault".into() }
    }

    fn other(error: &OtherError<'_>) -> Self {
        Self { body: error.body().map_or("none".into(), |body| format!("{body:?}")) }
    }
}

#[handler]
async fn plain_entry(entry: poem::web::Json<Entry>) -> String {
    entry.0.text
}

#[tokio::test]
async fn an_application_learns_what_is_wrong_with_a_body() {
    let world = World::with(|config| config.error_body::<Words>()).await;
    let api = world.auth.openapi(Reader, "Reader", "1.0");
    let plain = post(plain_entry).with(world.auth.errors());
    let client = World::serve(Route::new().at("/plain", plain).nest("/", api));
    for path in ["/entry", "/plain"] {
        let said = async |answer: auth_tests::browser::Ask| answer.await.json()["body"].clone();
        let ask = || client.post(path);
        assert_eq!(said(ask()).await, "Missing", "{path}");
        assert_eq!(said(ask().body("text/plain", "x")).await, "Unsupported", "{path}");
        assert_eq!(said(ask().body("application/json", "{\"text\"")).await, "Unreadable", "{path}");
        assert_eq!(said(ask().json(json!({}))).await, "Unfit", "{path}");
        assert_eq!(said(ask().json(json!([]))).await, "Unfit", "{path}");
        assert_eq!(said(client.get(path)).await, "none", "{path}");
    }
    assert_eq!(
        client.post("/form").body("application/x-www-form-urlencoded", "x=y").await.json()["body"],
        "Unfit"
    );
    assert_eq!(client.get("/nowhere").await.json()["body"], "none");
    assert_eq!(client.get("/bounds?n=x").await.json()["body"], "none");
}
