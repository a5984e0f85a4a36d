//! The document is true: every operation, as every caller.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use auth_poem::testing::{Credential, Operation, Sample, Standing, Walk, Who};
use example_kit::testing::Client;
use serde_json::json;

use crate::contract::client::{Caller, PASSWORD, Server};

#[tokio::test]
async fn the_server_does_what_its_document_says() {
    for settings in [&[][..], &[("COOKIE_ENABLED", "1")], &[("COMPAT", "1")]] {
        let walker = Walker::new(Server::start_with(settings));
        let document = walker.server.root().get("/openapi.json").body.to_string();
        let report = Walk::new(walker.server.endpoint(), &document)
            .prefix("/api/v1")
            .credentials(async |who| walker.credential(who))
            .samples(async |operation| walker.sample(operation))
            .run()
            .await;
        report.assert_clean();
        assert_eq!(report.skipped(), [""; 0], "{report}");
        assert_eq!(report.never_succeeded(), [""; 0], "{report}");
    }
}

/// Who provides for a walk: an administrator, and somebody new whenever there is need.
struct Walker {
    server: Server,
    admin: Mutex<Client>,
    names: AtomicUsize,
    /// Whose code the latest sample is.
    newcomer: Mutex<Option<Client>>,
}

impl Walker {
    fn new(server: Server) -> Self {
        let admin = Mutex::new(server.admin());
        Self { server, admin, names: AtomicUsize::new(0), newcomer: Mutex::new(None) }
    }

    fn fresh_name(&self) -> String {
        format!("new{}", self.names.fetch_add(1, Ordering::Relaxed))
    }

    /// A token, which is the value of the header as well as of the cookie.
    fn credential(&self, who: &Who) -> Option<Credential> {
        let client = match (who.standing(), who.operation().has_requirement()) {
            (Standing::Lacking, _) => self.server.stranger(&self.fresh_name()),
            (Standing::Entitled, true) => self.server.admin(),
            (Standing::Entitled, false) => {
                self.newcomer.lock().unwrap().take().unwrap_or_else(|| self.server.user())
            }
        };
        let (_, token) = client.headers.into_iter().next()?;
        Some(Credential::new(token))
    }

    fn sample(&self, operation: &Operation) -> Option<Sample> {
        let mut admin = self.admin.lock().unwrap();
        let signin = json!({"login": "user2", "password": "user2-password-1"});
        let site = json!({"name": "Plant"});
        let invitation = json!({"invitee_email": "ann@example.org"});
        let at_site = || Sample::new().parameter("site_id", "1");
        Some(match operation.to_string().as_str() {
            "POST /signin" => Sample::json(signin),
            "POST /signup" => {
                let name = self.fresh_name();
                let email = format!("{name}@example.org");
                Sample::json(json!({"login": name, "email": email, "password": PASSWORD}))
            }
            "GET /signup/validate" => Sample::new().parameter("login", self.fresh_name()),
            "POST /signup/verify" => {
                let name = self.fresh_name();
                *self.newcomer.lock().unwrap() = Some(self.server.stranger(&name));
                let code = self.server.code_for(&format!("{name}@example.org"));
                Sample::json(json!({"code": code}))
            }
            "GET /sessions/{user_id}" => Sample::new().parameter("user_id", "3"),
            "DELETE /sessions/{user_id}/{session_id}" => {
                let session = self.server.user().session_id();
                Sample::new().parameter("user_id", "3").parameter("session_id", session)
            }
            "POST /sites" => Sample::json(site),
            "PUT /sites/{site_id}" => Sample::json(site).parameter("site_id", "1"),
            "DELETE /sites/{site_id}" => {
                Sample::new().parameter("site_id", admin.new_site("Plant"))
            }
            "POST /sites/{site_id}/invitations" | "POST /sites/{site_id}/invitations/notify" => {
                Sample::json(invitation).parameter("site_id", "1")
            }
            path if path.contains("{invitation_id}") => {
                let invitation = admin.post("/sites/1/invitations", invitation).body;
                at_site().parameter("invitation_id", invitation["id"].as_str()?)
            }
            path if path.contains("{site_id}") => at_site(),
            "PUT /users/{user_id}/roles" => {
                Sample::json(json!({"roles": ["1:user"]})).parameter("user_id", "3")
            }
            "DELETE /users/{user_id}" => {
                let id = self.server.stranger(&self.fresh_name()).user_id();
                Sample::new().parameter("user_id", id)
            }
            _ => return None,
        })
    }
}
