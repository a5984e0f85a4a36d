//! Accounts, for administrators. The originals leave this to other programs.

use auth_poem::{Error, prelude::*};
use poem_openapi::{Object, param::Path, payload::Json};

use super::Tag;
use crate::{
    errors::{bad_request, not_found},
    services::{
        Services,
        accounts::Account,
        roles::UserRoles,
    },
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

#[auth_api(prefix_path = "/users/:user_id", tag = "Tag::Administration", require(role = "admin"))]
impl UsersApi {
    /// Gives an account these roles and no others.
    #[rejects(INVALID_ROLE = 400, USER_NOT_FOUND = 404)]
    #[oai(path = "/roles", method = "put")]
    async fn set_roles(
        &self,
        _user: User,
        user_id: Path<String>,
        data: Json<NewRoles>,
    ) -> auth_poem::Result<Json<UserRoles>> {
        let grants: Vec<Grant> = data
            .roles
            .iter()
            .map(|role| role.parse())
            .collect::<Result<_, _>>()
            .map_err(|_| bad_request("INVALID_ROLE", "A role is `admin` or, as in `1:manager`, \
                a site's `admin`, `manager` or `user`."))?;
        let account = self.account(&user_id).await?;
        let mut work = self.services.begin().await?;
        self.services.roles.replace(&mut work, &account.id, &grants).await?;
        work.commit().await.map_err(Error::fault)?;
        let roles = grants.iter().map(Grant::to_string).collect();
        Ok(Json(UserRoles { id: account.id, roles, update_time: Utc::now() }))
    }

    /// Marks an account as deleted; its sessions end with it.
    #[rejects(USER_NOT_FOUND = 404)]
    #[oai(path = "/", method = "delete")]
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
