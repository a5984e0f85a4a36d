//! The forms that a requirement and a check can have.
#![deny(warnings)]

use auth_poem::prelude::*;
use poem::Request;
use poem_openapi::{OpenApiService, param::Path};

#[derive(AuthRole, Clone, Copy)]
enum Role {
    Admin,
    Manager,
}

#[derive(AuthUser, Clone)]
#[auth(table = "users", role = Role, schemes(session))]
struct User {
    #[auth(id)]
    id: i64,
    #[auth(roles)]
    roles: Vec<Scoped<Role>>,
}

/// A check in a module, with an error of its own.
mod checks {
    use auth_poem::Error;
    use poem::Request;

    pub struct Missing;

    impl From<Missing> for Error {
        fn from(_: Missing) -> Self {
            auth_poem::rejection::Rejection::NotFound.into()
        }
    }

    pub(super) async fn owns<'u>(
        user: &'u super::User,
        request: &Request,
    ) -> Result<bool, Missing> {
        let name = request.raw_path_param("name").ok_or(Missing)?;
        Ok(name == user.id.to_string())
    }
}

struct Api {
    open: bool,
}

const PREFIX: &str = "/prefix/:anything";

#[auth_api(prefix_path = PREFIX, require(any(role = "admin", owner = "{anything}")))]
impl Api {
    #[oai(path = "/", method = "get")]
    async fn everywhere(&self, _user: User) {}

    #[require(role = "{site_id}:manager", fresh(hours = 1), conceal)]
    #[oai(path = "/sites/:site_id/notes/:note_id", method = "get")]
    async fn both(&self, _user: User, site_id: Path<i64>, #[oai(name = "note_id")] id: Path<i64>) {
        let _ = (site_id, id);
    }

    #[require(any(check = checks::owns, check = Self::is_open))]
    #[oai(path = "/checks/:name", method = "get")]
    async fn checks(&self, _user: User) {}

    async fn is_open(&self, _user: &User, _request: &Request) -> bool {
        self.open
    }
}

#[auth_poem::handler]
#[require(check = checks::owns, owner = "{user_id}")]
async fn handler(_user: User) {}

fn main() {
    let _ = OpenApiService::new(Api { open: true }, "Test", "1.0");
    let _ = handler;
}
