//! Documents and servers that lie, each in one way, and what the walk says of it.

use auth_poem::testing::{Credential, Walk};
use poem::{
    Endpoint, Response,
    endpoint::make_sync,
    http::{HeaderValue, StatusCode, header},
};
use serde_json::{Value, json};

use crate::app::{app, app_with_own_errors, walk};

/// Walks through the honest application by a bent document.
async fn bent(bend: impl FnOnce(&mut Value)) -> String {
    let (app, mut document) = app();
    bend(&mut document);
    walk(&app, &document).await.mismatches().join("\n")
}

/// Walks through a server that always gives the same answer, by a document of one operation.
async fn always(
    operation: Value,
    answer: impl Fn() -> Response + Send + Sync + 'static,
) -> Vec<String> {
    let endpoint = make_sync(move |_| answer());
    one(endpoint, operation).await
}

async fn one(endpoint: impl Endpoint, operation: Value) -> Vec<String> {
    let document = json!({
        "openapi": "3.0.0",
        "paths": {"/x": {"get": operation}},
        "components": {"securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": "sid"},
        }},
    });
    let report = Walk::new(endpoint, &document.to_string())
        .credentials(async |_| Some(Credential::new("good")))
        .run()
        .await;
    report.mismatches()
}

fn text(status: StatusCode) -> Response {
    Response::builder().status(status).content_type("text/plain").body("x")
}

fn problem(status: StatusCode, body: Value) -> Response {
    let response = Response::builder().status(status).content_type("application/problem+json");
    response.body(body.to_string())
}

fn documented(security: Value, statuses: &[(&str, &str)]) -> Value {
    let responses: serde_json::Map<String, Value> = statuses
        .iter()
        .map(|(status, kind)| {
            ((*status).to_owned(), json!({"description": "", "content": {*kind: {}}}))
        })
        .collect();
    json!({"security": security, "responses": responses})
}

const PROBLEM: &str = "application/problem+json";

#[track_caller]
fn says(found: &str, what: &str) {
    assert!(found.contains(what), "not found: {what}\nin:\n{found}");
}

#[tokio::test]
async fn a_status_that_the_document_leaves_out() {
    let found = bent(|document| {
        let responses = &mut document["paths"]["/notes/{id}"]["delete"]["responses"];
        responses.as_object_mut().unwrap().remove("204");
    })
    .await;
    says(&found, "204 is not documented");
}

#[tokio::test]
async fn a_401_that_the_document_leaves_out() {
    let found = bent(|document| {
        let responses = &mut document["paths"]["/me"]["get"]["responses"];
        responses.as_object_mut().unwrap().remove("401");
    })
    .await;
    says(&found, "401 missing_credentials: 401 is not documented");
}

#[tokio::test]
async fn an_optional_user_that_the_document_calls_required() {
    let found = bent(|document| {
        document["paths"]["/hello"]["get"]["security"] = json!([{"bearer": []}, {"session": []}]);
    })
    .await;
    says(&found, "200: nobody who is known must be refused, with 401");
}

#[tokio::test]
async fn a_required_user_that_the_document_calls_optional() {
    for security in [json!([{"bearer": []}, {"session": []}, {}]), json!([])] {
        let found = bent(|document| {
            document["paths"]["/me"]["get"]["security"] = security;
        })
        .await;
        says(&found, "the operation needs no credential, so it must not be refused");
    }
}

#[tokio::test]
async fn another_content_type() {
    let found = bent(|document| {
        let answer = &mut document["paths"]["/me"]["get"]["responses"]["200"];
        answer["content"] = json!({"text/csv": {}});
    })
    .await;
    says(&found, "200 is documented as text/csv and is application/json; charset=utf-8");
    let found = bent(|document| {
        let answer = &mut document["paths"]["/me"]["get"]["responses"]["200"];
        answer.as_object_mut().unwrap().remove("content");
    })
    .await;
    says(&found, "200 is documented without a body and has one");
}

#[tokio::test]
async fn a_role_that_nobody_enforces() {
    let found = bent(|document| {
        let answer = &mut document["paths"]["/me"]["get"]["responses"]["403"];
        answer["description"] = json!("The operation requires: role `admin`.");
    })
    .await;
    says(&found, "session, lacking            200: the requirement is not met, so it must be 403");
}

#[tokio::test]
async fn a_scheme_that_is_not_looked_at() {
    let found = bent(|document| {
        document["paths"]["/me"]["get"]["security"] = json!([{"Partner": []}]);
    })
    .await;
    says(&found, "the credential is good, so it must not be refused");
}

#[tokio::test]
async fn a_second_scheme_that_is_not_needed() {
    let found = bent(|document| {
        document["paths"]["/me"]["get"]["security"] = json!([{"Partner": [], "bearer": []}]);
    })
    .await;
    says(&found, "a part of what is needed must be refused, with 401");
}

#[tokio::test]
async fn a_bad_token_that_passes_as_nobody() {
    let optional = json!([{"bearer": []}, {}]);
    let operation = documented(optional, &[("200", "text/plain")]);
    let found = always(operation, || text(StatusCode::OK)).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    says(&found[0], "200: a credential that does not hold must be refused, with 401");
}

#[tokio::test]
async fn a_dead_cookie_that_is_not_removed() {
    let optional = json!([{"session": []}, {}]);
    let operation = documented(optional, &[("200", "text/plain")]);
    let found = always(operation.clone(), || text(StatusCode::OK)).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    says(&found[0], "the answer does not remove the cookie `sid`");

    for (set_cookie, removed) in [
        ("sid=; Max-Age=0; Path=/", true),
        ("sid=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", true),
        // A session that the operation has just begun takes its place.
        ("sid=fresh; Path=/", true),
        (&format!("sid={}; Path=/", "A".repeat(43)), false),
        ("other=fresh; Path=/", false),
        ("other=; Max-Age=0", false),
    ] {
        let value: HeaderValue = set_cookie.parse().unwrap();
        let found = always(operation.clone(), move || {
            let mut response = text(StatusCode::OK);
            response.headers_mut().insert(header::SET_COOKIE, value.clone());
            response
        })
        .await;
        assert_eq!(found.is_empty(), removed, "{set_cookie}: {found:#?}");
    }
}

#[tokio::test]
async fn a_refusal_that_is_no_problem_document() {
    let required = json!([{"bearer": []}]);
    let operation = documented(required.clone(), &[("401", "text/plain")]);
    let found = always(operation, || text(StatusCode::UNAUTHORIZED)).await.join("\n");
    says(&found, "the refusal is not application/problem+json");

    let operation = documented(required, &[("401", PROBLEM)]);
    for (body, complaint) in [
        (json!({"status": 401}), "the problem document has no code"),
        (json!({"status": 401, "code": ""}), "the problem document has no code"),
        (json!({"status": 403, "code": "x"}), "the problem document's status is not the answer's"),
        (json!("x"), "the problem document's status is not the answer's"),
    ] {
        let answer = move || problem(StatusCode::UNAUTHORIZED, body.clone());
        let found = always(operation.clone(), answer).await.join("\n");
        says(&found, complaint);
    }
}

#[tokio::test]
async fn a_refusal_in_another_form_than_documented() {
    let bent = async |bend: fn(&mut Value)| {
        let (app, mut document) = app_with_own_errors();
        bend(&mut document);
        walk(&app, &document).await.mismatches().join("\n")
    };
    let found = bent(|document| {
        let failure = &mut document["components"]["schemas"]["Failure"];
        failure["required"].as_array_mut().unwrap().push(json!("code"));
    })
    .await;
    says(&found, "401: the body does not fit its schema: /code is missing");
    let found = bent(|document| {
        let responses = &mut document["paths"]["/me"]["get"]["responses"];
        responses["440"]["description"] = json!("");
        responses["401"]["description"] = json!("Nobody is logged in. The session has ended.");
        responses["403"]["description"] = json!("");
    })
    .await;
    says(&found, "440: nobody who is known must be refused, with 401");
    says(&found, "403: a credential that does not hold must be refused, with 401");
    let found = bent(|document| {
        let answer = &mut document["paths"]["/me"]["get"]["responses"]["401"];
        answer["content"]["application/json"].as_object_mut().unwrap().remove("schema");
    })
    .await;
    says(&found, "401: the refusal is not application/problem+json");
}

#[tokio::test]
async fn a_good_credential_that_is_turned_away() {
    let statuses = [("401", PROBLEM), ("403", PROBLEM)];
    for (status, code) in [
        (StatusCode::UNAUTHORIZED, "invalid_token"),
        (StatusCode::FORBIDDEN, "cross_site"),
        (StatusCode::FORBIDDEN, "forbidden"),
    ] {
        let operation = documented(json!([{"bearer": []}]), &statuses);
        let body = json!({"status": status.as_u16(), "code": code});
        let found = always(operation, move || problem(status, body.clone())).await.join("\n");
        says(&found, "the credential is good, so it must not be refused");
    }
}

#[tokio::test]
async fn a_login_may_say_that_the_password_is_wrong() {
    let operation = documented(json!([]), &[("401", PROBLEM)]);
    let answer = |code: &'static str| {
        move || problem(StatusCode::UNAUTHORIZED, json!({"status": 401, "code": code}))
    };
    assert_eq!(always(operation.clone(), answer("wrong_credentials")).await, [""; 0]);
    assert!(!always(operation, answer("missing_credentials")).await.is_empty());
}

#[tokio::test]
async fn a_server_that_fails() {
    let operation = documented(json!([]), &[("default", "text/plain")]);
    let found = always(operation, || text(StatusCode::SERVICE_UNAVAILABLE)).await;
    says(&found.join("\n"), "the server failed");
}

#[tokio::test]
async fn a_document_that_is_none() {
    let walk = async |document: &str| {
        let endpoint = make_sync(|_| text(StatusCode::OK));
        Walk::new(endpoint, document).run().await.mismatches().join("\n")
    };
    says(&walk("{").await, "the document cannot be read");
    says(&walk(r#"{"paths": {}}"#).await, "the document names no operation");
    says(
        &walk(r#"{"paths": {"/x": {"get": {}}, "/y": {}, "/x": {"put": {}}}}"#).await,
        "the document has /x twice",
    );
    says(
        &walk(r#"{"paths": {"/x": {"get": {"security": [{"magic": []}]}}}}"#).await,
        "GET /x lists `magic`, which is no scheme of the document",
    );
}

#[tokio::test]
#[should_panic(expected = "the server does not do what its document says")]
async fn fails_the_test() {
    let endpoint = make_sync(|_| text(StatusCode::OK));
    Walk::new(endpoint, r#"{"paths": {"/x": {"get": {}}}}"#).run().await.assert_clean();
}
