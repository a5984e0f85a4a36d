//! The document is true: every operation, as every caller.

use std::sync::atomic::{AtomicUsize, Ordering};

use auth_poem::{
    jwt::JwtAlgorithm,
    prelude::*,
    sql::SqlPool,
    testing::{Credential, Operation, Sample, Standing, Walk, set_cookie},
};
use example_accounts::{
    app,
    settings::{Admin, Settings},
};
use example_kit::Common;
use poem::{
    Endpoint, IntoEndpoint, Response,
    http::StatusCode,
    test::{TestClient, TestResponse},
};
use serde_json::{Value, json};

const PASSWORD: &str = "seven purple giraffes";

#[tokio::test]
async fn the_server_does_what_its_document_says() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = folder.path().join("outbox");
    std::fs::create_dir(&outbox).unwrap();
    let file = folder.path().join("accounts.db");
    let pool = SqlPool::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    let settings = Settings {
        common: Common { outbox: Some(outbox), ..Common::new("accounts") },
        password_min_length: None,
        admin: None,
    };
    let keys = JwtKeys::generate(JwtAlgorithm::EdDsa).unwrap();
    let app = app(&settings, keys, pool).await.unwrap();
    let admin = Admin { username: "root".into(), password: PASSWORD.into() };
    app.create_administrator(&admin).await.unwrap();

    let document = app.api.spec();
    let client = Client { endpoint: app.routes().into_endpoint(), names: AtomicUsize::new(0) };
    client.sign_up("ann").await;

    let report = Walk::new(&client.endpoint, &document)
        .prefix("/api")
        .credentials(async |who| {
            let needs_admin = who.operation().has_requirement();
            let name =
                if needs_admin && who.standing() == Standing::Entitled { "root" } else { "ann" };
            client.credential(who.scheme(), name).await
        })
        .samples(async |operation| client.sample(operation).await)
        .run()
        .await;
    report.assert_clean();
    assert_eq!(report.skipped(), [""; 0], "{report}");
    // A code is verified only in the session that asked for it.
    assert_eq!(report.never_succeeded(), ["POST /email/verify_code"], "{report}");
}

struct Client<E> {
    endpoint: E,
    names: AtomicUsize,
}

impl<E: Endpoint> Client<E> {
    async fn post(&self, path: &str, body: Value) -> TestResponse {
        TestClient::new(&self.endpoint).post(format!("/api{path}")).body_json(&body).send().await
    }

    /// Creates an account, and tells its id.
    async fn sign_up(&self, name: &str) -> String {
        let answer =
            self.post("/user/signup", json!({"username": name, "password": PASSWORD})).await;
        answer.assert_status(StatusCode::CREATED);
        let user = answer.json().await;
        user.value().object().get("id").string().to_owned()
    }

    async fn credential(&self, scheme: &str, name: &str) -> Option<Credential> {
        let login = json!({"username": name, "password": PASSWORD});
        match scheme {
            "session" => {
                let response: Response = self.post("/user/login", login).await.0;
                set_cookie(&response, "sid").map(Credential::new)
            }
            "bearer" => {
                let answer = self.post("/user/token", login).await.json().await;
                Some(Credential::new(answer.value().object().get("access_token").string()))
            }
            _ => None,
        }
    }

    fn fresh_name(&self) -> String {
        format!("user{}", self.names.fetch_add(1, Ordering::Relaxed))
    }

    async fn sample(&self, operation: &Operation) -> Option<Sample> {
        let login = json!({"username": "ann", "password": PASSWORD});
        match operation.to_string().as_str() {
            "POST /user/signup" => {
                Some(Sample::json(json!({"username": self.fresh_name(), "password": PASSWORD})))
            }
            "POST /user/login" | "POST /user/token" => Some(Sample::json(login)),
            "DELETE /users/{id}" => {
                Some(Sample::new().parameter("id", self.sign_up(&self.fresh_name()).await))
            }
            "POST /email/send_code" => Some(Sample::json(json!({"email": "ann@example.org"}))),
            _ => None,
        }
    }
}
