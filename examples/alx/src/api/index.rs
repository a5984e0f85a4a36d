//! The state of the service.

use auth_poem::prelude::*;
use poem_openapi::{Object, payload::Json};

use super::Tag;
use crate::users::Users;

/// The operations.
#[derive(Debug)]
pub struct IndexApi {
    pub(super) users: Users,
}

/// The service runs.
#[derive(Object)]
struct Status {
    status: String,
}

/// How many there are of everything.
#[derive(Object)]
struct Stats {
    users: i64,
}

#[auth_api(prefix_path = "/api/v1", tag = "Tag::Index")]
impl IndexApi {
    /// Whether the service runs.
    #[public]
    #[oai(path = "/status", method = "get")]
    async fn status(&self) -> Json<Status> {
        Json(Status { status: "OK".into() })
    }

    /// How many users there are.
    #[public]
    #[oai(path = "/stats", method = "get")]
    async fn stats(&self) -> auth_poem::Result<Json<Stats>> {
        Ok(Json(Stats { users: self.users.count().await? }))
    }

    /// Refuses as if nobody was logged in.
    #[public]
    #[rejects(missing_credentials = 401)]
    #[oai(path = "/unauthorized", method = "get")]
    async fn unauthorized(&self) -> auth_poem::Result<()> {
        Err(Rejection::MissingCredentials.into())
    }

    /// Refuses as if the user may not.
    #[public]
    #[rejects(forbidden = 403)]
    #[oai(path = "/forbidden", method = "get")]
    async fn forbidden(&self) -> auth_poem::Result<()> {
        Err(Rejection::Forbidden.into())
    }
}
