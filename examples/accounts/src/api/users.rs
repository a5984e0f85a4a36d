//! Everybody's accounts, for administrators.

use auth_poem::prelude::*;
use poem::http::StatusCode;
use poem_openapi::{ApiResponse, param::Path, payload::Json};

use super::Tag;
use crate::{
    database::Users,
    user::{User, UserView},
};

/// The operations.
#[derive(Debug)]
pub struct UsersApi {
    pub(super) users: Users,
}

/// The account is gone.
#[derive(ApiResponse)]
enum Removed {
    /// The account is gone.
    #[oai(status = 204)]
    Done,
}

#[auth_api(prefix_path = "/users", tag = "Tag::Administration")]
impl UsersApi {
    /// All accounts, in the order in which they signed up.
    #[require(role = "admin")]
    #[oai(path = "/", method = "get")]
    async fn list(&self, _user: User) -> auth_poem::Result<Json<Vec<UserView>>> {
        let users = self.users.all().await?;
        Ok(Json(users.iter().map(Into::into).collect()))
    }

    /// Removes an account; its sessions and tokens end with it.
    #[require(role = "admin")]
    #[rejects(no_such_user = 404, last_administrator = 409)]
    #[oai(path = "/:id", method = "delete")]
    async fn remove(&self, id: Path<Uuid>, _user: User) -> auth_poem::Result<Removed> {
        if self.users.remove(id.0).await? {
            return Ok(Removed::Done);
        }
        Err(if self.users.exists(id.0).await? {
            Rejection::new(
                StatusCode::CONFLICT,
                "last_administrator",
                "The last administrator cannot be removed.",
            )
        } else {
            Rejection::new(StatusCode::NOT_FOUND, "no_such_user", "There is no such user.")
        }
        .into())
    }
}
