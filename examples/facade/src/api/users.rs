//! Accounts, for administrators. The originals leave this to other programs.

use auth_poem::prelude::*;
use poem_openapi::{Object, param::Path, payload::Json};

use super::Tag;
use crate::{
    errors::{bad_request, not_found},
    services::{Services, accounts::Account, roles::UserRoles},
    session::texts,
    text,
    user::{Grant, User},
};

/// The operations.
#[derive(Debug)]
pub struct UsersApi {
    pub(super) services: Services,
}

/// What an account may do.
#[derive(Object)]
struct NewRoles {
    /// As in `admin` and `1:manager`.
    roles: Vec<String>,
}

#[auth_api(prefix_path = "/users", tag = "Tag::Administration", require(role = "admin"))]
impl UsersApi {
    /// Gives an account these roles and no others, in all its sessions.
    #[rejects(INVALID_ROLE = 400, USER_NOT_FOUND = 404)]
    #[oai(path = "/:user_id/roles", method = "put")]
    async fn set_roles(
        &self,
        _user: User,
        user_id: Path<String>,
        data: Json<NewRoles>,
    ) -> auth_poem::Result<Json<UserRoles>> {
        let grants: Vec<Grant> =
            data.roles.iter().map(|role| read(role)).collect::<Result<_, _>>()?;
        let account = self.services.accounts.by_id_or_login(&user_id).await?;
        let account = account.filter(|account| account.id == *user_id).ok_or_else(no_such_user)?;
        let mut work = self.services.begin().await?;
        self.services.roles.replace(&mut work, &account.id, &grants).await?;
        work.commit().await?;
        let (id, roles) = (account.id, texts(&grants));
        Ok(Json(UserRoles { id, roles, update_time: Utc::now() }))
    }

    /// Marks an account as deleted. Its sessions end.
    #[rejects(USER_NOT_FOUND = 404)]
    #[oai(path = "/:user_id", method = "delete")]
    async fn delete(
        &self,
        _user: User,
        auth: Auth<User>,
        user_id: Path<String>,
    ) -> auth_poem::Result<Json<Account>> {
        let account = self.services.accounts.delete(&user_id).await?;
        let account = account.ok_or_else(no_such_user)?;
        auth.revoke_sessions_of(&account.id).await?;
        Ok(Json(account))
    }
}

fn read(role: &str) -> Result<Grant, Rejection> {
    let grant = role.parse().ok();
    let grant = grant.filter(|grant: &Grant| grant.scope.as_deref().is_none_or(text::is_id));
    grant.ok_or_else(|| {
        let message = "A role is `admin`, or as in `1:manager`: admin, manager or user of a site.";
        bad_request("INVALID_ROLE", message).with("role", role)
    })
}

fn no_such_user() -> Rejection {
    not_found("USER_NOT_FOUND", "There is no such account.")
}
