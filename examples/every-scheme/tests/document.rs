//! The document is true: every operation, as every caller.

use auth_poem::testing::{Credential, Operation, Sample, Standing, Walk};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::server::{ALICE, BOB, Person, Server};

#[tokio::test]
async fn the_server_does_what_its_document_says() {
    let server = Server::start();
    let document = server.root().get("/openapi.json").body.to_string();
    let report = Walk::new(server.endpoint(), &document)
        .prefix("/api")
        .credentials(async |who| {
            let lacking = who.standing() == Standing::Lacking;
            credential(&server, who.scheme(), if lacking { BOB } else { ALICE })
        })
        .samples(async |operation| Some(sample(&server, operation)))
        .run()
        .await;
    report.assert_clean();
    // A signature is made for its request. The other tests sign theirs.
    let skipped = report.skipped();
    assert!(skipped.iter().all(|call| call.contains("signature")), "{report}");
    assert_eq!(report.never_succeeded(), [""; 0], "{report}");
}

fn credential(server: &Server, scheme: &str, person: Person) -> Option<Credential> {
    match scheme {
        "session" => server.logged_in(person).cookies.get("sid").map(Credential::new),
        "basic" => {
            Some(Credential::new(STANDARD.encode(format!("{}:{}", person.name, person.password))))
        }
        "api_key" => server.key(person, &["reports:read"])["key"].as_str().map(Credential::new),
        "bearer" => Some(Credential::new(server.tokens(person).access)),
        _ => None,
    }
}

fn sample(server: &Server, operation: &Operation) -> Sample {
    match operation.to_string().as_str() {
        "POST /login" => Sample::json(ALICE.credentials()),
        "POST /oauth/token" => form(&format!(
            "grant_type=refresh_token&refresh_token={}",
            server.tokens(ALICE).refresh
        )),
        "POST /oauth/revoke" => form(&format!("token={}", server.tokens(ALICE).refresh)),
        "POST /keys" => Sample::json(json!({ "name": "a key", "scopes": ["reports:read"] })),
        "DELETE /keys/{id}" | "POST /keys/{id}/rotate" => {
            let key = server.key(ALICE, &[]);
            Sample::new().parameter("id", key["id"].as_str().unwrap())
        }
        "POST /access-keys" => Sample::json(json!({ "name": "a key", "algorithm": "hmac-sha256" })),
        "DELETE /access-keys/{id}" => {
            let key = server.access_key(ALICE);
            Sample::new().parameter("id", key["id"].as_str().unwrap())
        }
        _ => Sample::new(),
    }
}

fn form(fields: &str) -> Sample {
    Sample::new().body("application/x-www-form-urlencoded", fields)
}
