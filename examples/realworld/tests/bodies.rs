//! Bodies and addresses that no client of the contract sends.

use example_kit::testing::Body;
use serde_json::{Value, json};

use crate::conduit::{Answers, Conduct, Conduit, PASSWORD, email, stories};

stories! {
    answers_what_cannot_be_read_in_the_form_of_the_contract,
    never_repeats_what_was_sent,
    takes_no_body_of_megabytes,
    takes_the_longest_article_there_may_be,
    answers_unknown_addresses_in_the_form_of_the_contract,
    may_be_called_by_pages_of_any_site,
}

/// An error that belongs to no field.
fn refuses_the_request(status: u16, body: &Value) -> bool {
    status == 422 && body["errors"]["request"].as_array().is_some_and(|errors| errors.len() == 1)
}

fn answers_what_cannot_be_read_in_the_form_of_the_contract(conduit: &Conduit) {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in [
        "",
        "{",
        "null",
        "[]",
        "5",
        "\"user\"",
        "{}",
        r#"{"user":null}"#,
        r#"{"user":[]}"#,
        r#"{"user":"ann"}"#,
        r#"{"article":{}}"#,
        "\u{feff}{}",
        "{'user':{}}",
        &deep,
    ] {
        let sent = Body::Raw("application/json", body.as_bytes().to_vec());
        let answer = conduit.stranger().send("POST", "/users", sent);
        assert!(refuses_the_request(answer.status, &answer.body), "{body:.40}: {answer:?}");
    }
    let user = json!({"user": {"email": email("ann"), "password": PASSWORD}}).to_string();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/xml"] {
        let sent = Body::Raw(kind, user.as_bytes().to_vec());
        let answer = conduit.stranger().send("POST", "/users/login", sent);
        assert!(refuses_the_request(answer.status, &answer.body), "{kind}: {answer:?}");
    }
    let answer = conduit.stranger().send("POST", "/users", Body::Empty);
    assert!(refuses_the_request(answer.status, &answer.body), "{answer:?}");
    let latin = Body::Raw("application/json", b"{\"user\":{\"email\":\"\xe4\"}}".to_vec());
    let answer = conduit.stranger().send("POST", "/users", latin);
    assert!(refuses_the_request(answer.status, &answer.body), "{answer:?}");
}

fn never_repeats_what_was_sent(conduit: &Conduit) {
    for body in [
        r#"{"user":"seven purple giraffes"}"#,
        r#"{"user":{"password":"seven purple giraffes""#,
        r#"{"user":{"username":"","email":"x","password":["seven purple giraffes"]}}"#,
    ] {
        let sent = Body::Raw("application/json", body.as_bytes().to_vec());
        let answer = conduit.stranger().send("POST", "/users", sent);
        assert_eq!(answer.status, 422);
        assert!(!answer.body.to_string().contains("giraffes"), "{}", answer.body);
    }
    assert!(!conduit.server.log().contains("giraffes"), "{}", conduit.server.log());
}

fn takes_no_body_of_megabytes(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    ann.publish("A");
    let long = |longest: usize| [format!("is too long (maximum is {longest} characters)")];
    let text = "a".repeat(1024 * 1024);
    ann.edit("a", json!({ "body": text })).assert_errors(422, json!({"body": long(100_000)}));
    let comment = ann.post("/articles/a/comments", json!({"comment": {"body": text}}));
    comment.assert_errors(422, json!({"body": long(10_000)}));
    let login = conduit.stranger().log_in(&email("ann"), &text);
    login.assert_errors(422, json!({"password": long(1024)}));

    let text = "a".repeat(2 * 1024 * 1024);
    let too_large = |status: u16, body: &Value| {
        assert!(refuses_the_request(status, body), "{status} {body}");
        assert_eq!(body["errors"]["request"][0], "The body is too large.");
    };
    let answer = ann.edit("a", json!({ "body": text }));
    too_large(answer.status, &answer.body);
    let answer = ann.post("/articles/a/comments", json!({"comment": {"body": text}}));
    too_large(answer.status, &answer.body);
    let answer = conduit.stranger().sign_up("eve", &text);
    too_large(answer.status, &answer.body);
    let answer = conduit.stranger().log_in(&email("ann"), &text);
    too_large(answer.status, &answer.body);
    // White space does not make it smaller.
    let padded =
        format!("{}{}", " ".repeat(2 * 1024 * 1024), json!({"comment": {"body": "Hello"}}));
    let sent = Body::Raw("application/json", padded.into_bytes());
    let answer = ann.send("POST", "/articles/a/comments", sent);
    too_large(answer.status, &answer.body);
    assert_eq!(ann.get("/user").status, 200);
}

fn takes_the_longest_article_there_may_be(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    let body = "🐉".repeat(100_000);
    let answer = ann.write(json!({"title": "Long", "description": "D", "body": body}));
    assert_eq!((answer.status, &answer.body["article"]["body"]), (201, &json!(body)));
    let long = json!({"body": ["is too long (maximum is 100000 characters)"]});
    ann.edit("long", json!({"body": "a".repeat(100_001)})).assert_errors(422, long);
}

fn answers_unknown_addresses_in_the_form_of_the_contract(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    for path in ["/", "/nothing", "/user/", "/articles/", "/articles/a/b", "/users/login/x"] {
        ann.get(path).assert_errors(404, json!({"path": ["not found"]}));
        conduit.stranger().get(path).assert_errors(404, json!({"path": ["not found"]}));
    }
    conduit.server.root().get("/user").assert_errors(404, json!({"path": ["not found"]}));
    for (method, path) in [("PATCH", "/user"), ("DELETE", "/tags"), ("PUT", "/articles")] {
        let answer = conduit.stranger().send(method, path, Body::Empty);
        answer.assert_errors(405, json!({"method": ["not allowed"]}));
    }
}

fn may_be_called_by_pages_of_any_site(conduit: &Conduit) {
    let mut page = conduit.stranger();
    page.set_header("origin", "https://conduit.example");
    page.set_header("access-control-request-method", "PUT");
    page.set_header("access-control-request-headers", "authorization,content-type");
    let answer = page.send("OPTIONS", "/user", Body::Empty);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://conduit.example"));
    let allowed = answer.header("access-control-allow-headers").unwrap();
    assert!(allowed.contains("authorization"), "{allowed}");
    // No cookie could be of use to such a page, and none is allowed.
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    // Errors can be read by the page too.
    let answer = page.get("/user");
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://conduit.example"));
}
