//! What tests of an application use: a walk through its document, and stores that fail on demand.
//!
//! A [`Walk`] calls every operation that a document names and compares what comes back with what
//! the document says. It calls each operation
//!
//! - without a credential,
//! - with a bearer token that does not hold, and any other explicit credential of the operation,
//! - with a session cookie that no store knows,
//! - with a good credential, once for each alternative that the operation lists,
//! - with only a part of the schemes that are needed together,
//! - with a user who does not meet the requirement, where the document names one.
//!
//! Every answer must be documented, status and content type. Beyond that:
//!
//! | the document says | the server must |
//! |---|---|
//! | a credential is needed | refuse nobody, a stale cookie, a part |
//! | no credential is needed, or `{}` is among the alternatives | not refuse, nor a stale cookie |
//! | the operation takes a token, optional or not | refuse one that does not hold |
//! | the operation takes a session | have a stale cookie removed |
//! | "The operation requires: …" | refuse a user who lacks it, with that status |
//! | anything | never turn away a good credential with 401, or with 403 as `forbidden`, `cross_site`, … |
//! | the schema of an error | answer such errors with bodies that fit it |
//! | anything | not fail with 5xx |
//!
//! To refuse is to answer with the status of which the document says "Nobody is logged in.", "The
//! session has ended." or "A credential does not hold.", else 401, and with a problem document and
//! its code, or another JSON document of which the schema is known: the form of an
//! [`ErrorBody`](crate::ErrorBody).
//!
//! A refusal with the code `wrong_credentials`, or with the status of which the document says "The
//! name or the password is wrong.", is about the body of a login and passes as any other documented
//! answer.
//!
//! # Examples
//!
//! ```
//! use auth_poem::{prelude::*, testing::{Credential, Standing, Walk, set_cookie}};
//! use poem::{IntoEndpoint, test::TestClient};
//! use poem_openapi::{param::Path, payload::PlainText};
//!
//! #[derive(AuthRole, Clone, Copy, PartialEq, Debug)]
//! enum Role {
//!     Admin,
//! }
//!
//! #[derive(AuthUser, Clone)]
//! #[auth(table = "users", role = Role, schemes(session))]
//! struct User {
//!     #[auth(id)]
//!     id: i64,
//!     #[auth(roles)]
//!     roles: Vec<Role>,
//! }
//!
//! struct Api;
//!
//! #[auth_api]
//! impl Api {
//!     /// Logs a user in. A real one asks for a password.
//!     #[public]
//!     #[oai(path = "/login/:id", method = "post")]
//!     async fn login(&self, auth: Auth<User>, id: Path<i64>) -> auth_poem::Result<PlainText<String>> {
//!         let roles = if id.0 == 1 { vec![Role::Admin] } else { Vec::new() };
//!         auth.login_user(&User { id: id.0, roles }).await?;
//!         Ok(PlainText("Welcome".into()))
//!     }
//!
//!     /// Counts the users.
//!     #[require(role = "admin")]
//!     #[oai(path = "/count", method = "get")]
//!     async fn count(&self, _user: User) -> PlainText<String> {
//!         PlainText("2".into())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let users = MemoryUsers::default();
//! users.insert(User { id: 1, roles: vec![Role::Admin] })?;
//! users.insert(User { id: 2, roles: Vec::new() })?;
//! let auth = AuthConfig::new().user::<User>(users).sessions(MemorySessions::default()).build()?;
//! let api = auth.openapi(Api, "Counter", "1.0");
//! let document = api.spec();
//! let app = api.into_endpoint();
//!
//! let report = Walk::new(&app, &document)
//!     .credentials(async |who| {
//!         let id = if who.standing() == Standing::Entitled { 1 } else { 2 };
//!         let login = TestClient::new(&app).post(format!("/login/{id}")).send().await;
//!         set_cookie(&login.0, "__Host-sid").map(Credential::new)
//!     })
//!     .run()
//!     .await;
//!
//! report.assert_clean();
//! assert!(report.skipped().is_empty() && report.never_succeeded().is_empty(), "{report}");
//! # Ok(())
//! # }
//! ```

mod document;
mod fits;
mod report;
mod request;
mod rules;
mod sample;
mod schema;
mod walk;

pub use auth_core::testing::{FailingSessions, FailingUsers, SessionCalls, UserCalls};
pub use document::Operation;
pub use report::{Call, Report};
pub use request::Credential;
pub use sample::Sample;
pub use walk::{NoCredentials, NoSamples, Standing, Walk, Who, set_cookie};
