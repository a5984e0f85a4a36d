//! The document is true, and it is the contract's.

use std::sync::atomic::{AtomicUsize, Ordering};

use auth_poem::testing::{Credential, Operation, Sample, Standing, Walk};
use example_kit::testing::Client;
use poem::http::StatusCode;
use serde_json::{Value, json};

use crate::conduit::{Answers, Conduct, Conduit, PASSWORD, email};

/// The operations of the contract: method, path, id.
const OPERATIONS: [(&str, &str, &str); 19] = [
    ("post", "/users", "CreateUser"),
    ("post", "/users/login", "Login"),
    ("get", "/user", "GetCurrentUser"),
    ("put", "/user", "UpdateCurrentUser"),
    ("get", "/profiles/{username}", "GetProfileByUsername"),
    ("post", "/profiles/{username}/follow", "FollowUserByUsername"),
    ("delete", "/profiles/{username}/follow", "UnfollowUserByUsername"),
    ("get", "/articles", "GetArticles"),
    ("post", "/articles", "CreateArticle"),
    ("get", "/articles/feed", "GetArticlesFeed"),
    ("get", "/articles/{slug}", "GetArticle"),
    ("put", "/articles/{slug}", "UpdateArticle"),
    ("delete", "/articles/{slug}", "DeleteArticle"),
    ("get", "/articles/{slug}/comments", "GetArticleComments"),
    ("post", "/articles/{slug}/comments", "CreateArticleComment"),
    ("delete", "/articles/{slug}/comments/{id}", "DeleteArticleComment"),
    ("post", "/articles/{slug}/favorite", "CreateArticleFavorite"),
    ("delete", "/articles/{slug}/favorite", "DeleteArticleFavorite"),
    ("get", "/tags", "GetTags"),
];

fn document(conduit: &Conduit) -> Value {
    conduit.server.root().get("/openapi.json").body
}

#[tokio::test]
async fn the_server_does_what_its_document_says() {
    let conduit = Conduit::on_sqlite(&[]);
    for name in ["ann", "eve"] {
        conduit.signed_up(name);
    }
    let fresh = AtomicUsize::new(0);
    let report = Walk::new(conduit.server.endpoint(), &document(&conduit).to_string())
        .prefix("/api")
        .own_refusals([StatusCode::UNAUTHORIZED])
        .credentials(async |who| {
            let name = if who.standing() == Standing::Entitled { "ann" } else { "eve" };
            let login = conduit.stranger().log_in(&email(name), PASSWORD);
            Some(Credential::new(format!("Token {}", login.token())))
        })
        .samples(async |operation| {
            let number = fresh.fetch_add(1, Ordering::Relaxed);
            Some(sample(operation, &mut conduit.logged_in("ann", PASSWORD), number))
        })
        .run()
        .await;
    report.assert_clean();
    assert_eq!(report.skipped(), [""; 0], "{report}");
    assert_eq!(report.never_succeeded(), [""; 0], "{report}");
}

/// What to send, with an article and a comment of Ann's where the path wants them.
fn sample(operation: &Operation, ann: &mut Client, number: usize) -> Sample {
    let article = json!({"title": "Title", "description": "About", "body": "Text"});
    let sample = match operation.to_string().as_str() {
        "POST /users" => {
            let name = format!("user{number}");
            let address = email(&name);
            let user = json!({"username": name, "email": address, "password": PASSWORD});
            Sample::json(json!({ "user": user }))
        }
        "POST /users/login" => {
            Sample::json(json!({"user": {"email": email("ann"), "password": PASSWORD}}))
        }
        "PUT /user" => Sample::json(json!({"user": {"bio": "I write."}})),
        "POST /articles" => Sample::json(json!({ "article": article })),
        "PUT /articles/{slug}" => Sample::json(json!({"article": {"body": "New text"}})),
        "POST /articles/{slug}/comments" => Sample::json(json!({"comment": {"body": "Hello"}})),
        _ => Sample::new(),
    };
    let path = operation.path();
    if path.contains("{username}") {
        return sample.parameter("username", "eve");
    }
    if !path.contains("{slug}") {
        return sample;
    }
    let slug = ann.publish("Title");
    let sample = sample.parameter("slug", &slug);
    if path.contains("{id}") {
        return sample.parameter("id", ann.comment(&slug, "Hello").to_string());
    }
    sample
}

#[test]
fn the_document_has_the_operations_of_the_contract() {
    let document = document(&Conduit::on_sqlite(&[]));
    let mut found = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            found.push((method.as_str(), path.as_str(), id));
        }
    }
    let mut expected = OPERATIONS;
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn the_document_describes_bodies_as_the_contract_does() {
    let document = document(&Conduit::on_sqlite(&[]));
    let schema = |name: &str| document["components"]["schemas"][name].clone();
    let required = |name: &str| schema(name)["required"].clone();
    assert_eq!(required("NewUser"), json!(["username", "email", "password"]));
    assert_eq!(required("LoginUser"), json!(["email", "password"]));
    assert_eq!(required("NewArticle"), json!(["title", "description", "body"]));
    assert_eq!(required("NewComment"), json!(["body"]));
    for nothing in ["UpdateUser", "UpdateArticle"] {
        assert_eq!(required(nothing), Value::Null, "{nothing}");
    }
    let update = &schema("UpdateUser")["properties"];
    assert_eq!(
        (&update["bio"]["nullable"], &update["email"]["nullable"]),
        (&json!(true), &Value::Null)
    );
    let token = &document["components"]["securitySchemes"]["bearer"];
    assert_eq!((&token["type"], &token["name"]), (&json!("apiKey"), &json!("Authorization")));
    let errors = &schema("GenericErrorModel")["properties"]["errors"];
    assert_eq!(errors["additionalProperties"]["items"]["type"], "string");
    // A refusal looks like that in every operation.
    let refused = &document["paths"]["/articles/{slug}"]["put"]["responses"];
    for status in ["401", "403", "404", "422", "503"] {
        let content = refused[status]["content"].as_object().expect(status);
        let body = &content["application/json; charset=utf-8"]["schema"]["$ref"];
        assert_eq!(*body, "#/components/schemas/GenericErrorModel", "{status}");
    }
}
