//! The document is true: every operation, as every caller, whatever the way to authenticate.

use std::sync::atomic::{AtomicUsize, Ordering};

use auth_poem::testing::{Credential, Operation, Sample, Walk};
use example_kit::testing::{Client, Server};
use serde_json::{Value, json};

use super::server::{COOKIE, authorization, basic, logged_in, start_with};

/// Somebody who may do everything.
const ROOT: (&str, &str) = ("root@hbtn.io", "eight yellow elephants");

/// What succeeds for nobody.
const NEVER: [&str; 2] = ["GET /api/v1/forbidden", "GET /api/v1/unauthorized"];

/// What succeeds only where there are sessions.
const WITH_SESSIONS: [&str; 2] =
    ["POST /api/v1/auth_session/login", "DELETE /api/v1/auth_session/logout"];

#[tokio::test]
async fn the_server_does_what_its_document_says() {
    walk("basic_auth", "basic", &[&WITH_SESSIONS[..], &NEVER].concat()).await;
    walk("session_auth", "session", &NEVER).await;
    walk("session_db_auth", "session", &NEVER).await;
}

async fn walk(auth_type: &str, scheme: &str, never_succeeds: &[&str]) {
    let settings = [("ADMIN_EMAIL", ROOT.0), ("ADMIN_PASSWORD", ROOT.1)];
    let server = start_with(auth_type, &settings);
    let document = server.root().get("/openapi.json").body;
    let schemes = document["components"]["securitySchemes"].as_object().unwrap();
    assert_eq!(schemes.keys().collect::<Vec<_>>(), [scheme]);

    let names = AtomicUsize::new(0);
    let report = Walk::new(server.endpoint(), &document.to_string())
        .credentials(async |who| Some(credential(&server, who.scheme())))
        .samples(async |operation| sample(root(&server, scheme), operation, &names))
        .run()
        .await;
    report.assert_clean();
    // This one refuses everybody, and that is all it does.
    let skipped = report.skipped();
    assert!(skipped.len() == 2 && skipped.iter().all(|call| call.contains(NEVER[1])), "{report}");
    assert_eq!(report.never_succeeded(), never_succeeds, "{report}");
}

fn credential(server: &Server, scheme: &str) -> Credential {
    Credential::new(match scheme {
        "basic" => authorization(ROOT.0, ROOT.1).trim_start_matches("Basic ").to_owned(),
        _ => logged_in(server, ROOT).cookies[COOKIE].clone(),
    })
}

fn root(server: &Server, scheme: &str) -> Client {
    if scheme == "basic" { basic(server, ROOT) } else { logged_in(server, ROOT) }
}

fn sample(mut root: Client, operation: &Operation, names: &AtomicUsize) -> Option<Sample> {
    let new = || -> Value {
        let email = format!("user{}@hbtn.io", names.fetch_add(1, Ordering::Relaxed));
        json!({"email": email, "password": "seven giraffes"})
    };
    Some(match operation.to_string().as_str() {
        "GET /api/v1/unauthorized" => Sample::skip("it refuses everybody"),
        "POST /api/v1/auth_session/login" => {
            let form = format!("email={}&password={}", ROOT.0, ROOT.1.replace(' ', "+"));
            Sample::new().body("application/x-www-form-urlencoded", form)
        }
        "POST /api/v1/users" => Sample::json(new()),
        "PUT /api/v1/users/{user_id}" | "DELETE /api/v1/users/{user_id}" => {
            let user = root.post("/users", new()).body;
            Sample::new().parameter("user_id", user["id"].as_str().unwrap())
        }
        "GET /api/v1/users/{user_id}" => Sample::new().parameter("user_id", "me"),
        _ => return None,
    })
}
