//! What calls send, and what an application may say about it.

use std::sync::{Arc, Mutex};

use auth_poem::testing::{Sample, Walk};
use poem::{
    Endpoint, Request, Response,
    endpoint::{make, make_sync},
    http::StatusCode,
};
use serde_json::{Value, json};

/// Calls one operation without a credential, and tells what arrived, or else the report.
async fn sent(operation: Value, sample: Sample) -> String {
    let seen = Arc::new(Mutex::new(String::new()));
    let id = json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string"}});
    let document = json!({"paths": {"/x/{id}": {"parameters": [id], "post": operation}}});
    let report = Walk::new(recorder(seen.clone()), &document.to_string())
        .samples(async |_| Some(sample.clone()))
        .run()
        .await;
    assert_eq!(report.calls().len(), 1);
    let seen = seen.lock().unwrap().clone();
    if seen.is_empty() { report.to_string() } else { seen }
}

/// Notes requests: address, headers that matter, body.
fn recorder(seen: Arc<Mutex<String>>) -> impl Endpoint {
    make(move |request: Request| {
        let seen = seen.clone();
        async move {
            let header = |name| request.header(name).unwrap_or_default().to_owned();
            let head = format!(
                "{}|{}|{}|{}",
                request.uri(),
                header("content-type"),
                header("x-page"),
                header("cookie")
            );
            let body = request.into_body().into_string().await?;
            *seen.lock().unwrap() = format!("{head}|{body}");
            Ok::<_, poem::Error>(Response::default())
        }
    })
}

fn body(kind: &str) -> Value {
    let schema = json!({"type": "object", "required": ["name", "tags"], "properties": {
        "name": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "integer"}},
        "mood": {"type": "string"},
    }});
    json!({"requestBody": {"required": true, "content": {kind: {"schema": schema}}}})
}

#[tokio::test]
async fn makes_bodies_from_the_schema() {
    for (kind, expected) in [
        ("application/json; charset=utf-8", r#"{"name":"sample","tags":[1]}"#),
        ("application/merge-patch+json", r#"{"name":"sample","tags":[1]}"#),
        ("application/x-www-form-urlencoded", "name=sample&tags=1"),
    ] {
        let sent = sent(body(kind), Sample::new()).await;
        assert_eq!(sent, format!("/x/sample|{kind}|||{expected}"));
    }
    let sent = sent(body("multipart/form-data"), Sample::new()).await;
    assert!(
        sent.contains("form-data; name=\"name\"\r\n\r\nsample\r\n--auth-poem-sample"),
        "{sent}"
    );
    assert!(sent.ends_with("1\r\n--auth-poem-sample--\r\n"), "{sent}");
}

#[tokio::test]
async fn sends_what_is_required_and_what_the_sample_says() {
    let operation = json!({
        "parameters": [
            {"name": "q", "in": "query", "required": true, "schema": {"type": "array", "items": {
                "type": "string", "default": "a b"}}},
            {"name": "X-Page", "in": "header", "required": true, "schema": {"type": "integer"}},
            {"name": "theme", "in": "cookie", "required": true, "schema": {"enum": ["dark"]}},
            {"name": "sort", "in": "query", "schema": {"type": "string"}},
        ],
        "requestBody": {"content": {"text/plain": {"schema": {"type": "string"}}}},
    });
    assert_eq!(sent(operation.clone(), Sample::new()).await, "/x/sample?q=a%20b||1|theme=dark|");
    let sample = Sample::new()
        .parameter("id", "a/b?")
        .parameter("q", "1")
        .parameter("q", "2")
        .parameter("sort", "up")
        .body("text/csv", "1,2");
    assert_eq!(
        sent(operation, sample).await,
        "/x/a%2Fb%3F?q=1&q=2&sort=up|text/csv|1|theme=dark|1,2"
    );
}

#[tokio::test]
async fn says_what_it_left_out_and_why() {
    let report = sent(body("application/xml"), Sample::new()).await;
    assert!(report.starts_with("skipped  POST /x/{id}"), "{report}");
    assert!(report.contains("no sample can be made of a body of application/xml"), "{report}");
    let report = sent(json!({}), Sample::skip("it sends a letter")).await;
    assert!(report.contains("it sends a letter"), "{report}");
}

#[tokio::test]
#[should_panic(expected = "the sample for POST /x/{id} sets `idd`, which the document does not")]
async fn refuses_a_sample_with_a_misspelt_parameter() {
    sent(json!({}), Sample::new().parameter("idd", "1")).await;
}

fn answers(status: StatusCode) -> impl Endpoint {
    make_sync(move |_| status)
}

#[tokio::test]
async fn marks_what_the_application_allows() {
    let document = r#"{"paths": {"/x": {"get": {"responses": {"200": {}}}}}}"#;
    let walk = Walk::new(answers(StatusCode::BAD_REQUEST), document);
    let report = walk.allow(StatusCode::BAD_REQUEST).run().await;
    report.assert_clean();
    assert!(report.to_string().starts_with("allowed  GET /x"), "{report}");

    let walk = Walk::new(answers(StatusCode::IM_A_TEAPOT), document);
    let report = walk.allow(StatusCode::BAD_REQUEST).run().await;
    assert!(report.mismatches()[0].contains("418 is not documented"), "{report}");
}

#[test]
#[should_panic(expected = "403 Forbidden cannot be allowed")]
fn lets_nobody_allow_what_the_walk_is_for() {
    let _ = Walk::new(answers(StatusCode::OK), "{}").allow(StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn knows_applications_that_refuse_in_their_own_way() {
    let document = json!({
        "paths": {"/x": {"get": {
            "security": [{"session": []}],
            "responses": {"440": {"content": {"application/json": {}}}},
        }}},
        "components": {"securitySchemes": {
            "session": {"type": "apiKey", "in": "header", "name": "x-session-id"},
        }},
    });
    let expired = StatusCode::from_u16(440).unwrap();
    let endpoint = || {
        make_sync(move |_| {
            Response::builder().status(expired).content_type("application/json").body("{}")
        })
    };
    let report = Walk::new(endpoint(), &document.to_string()).own_refusals([expired]).run().await;
    report.assert_clean();
    let report = Walk::new(endpoint(), &document.to_string()).run().await;
    assert!(report.mismatches()[0].contains("must be refused, with 401"), "{report}");
}
