//! Operations with requirements.

use auth_poem::prelude::*;

use crate::people::{Admin, User};

/// The operations.
#[derive(Debug)]
pub struct GuardApi;

#[auth_api(prefix_path = "/guard")]
impl GuardApi {
    #[require(role = "admin")]
    #[oai(path = "/role", method = "get", method = "post")]
    async fn role(&self, _user: User) {}

    #[require(permission = "users:delete")]
    #[oai(path = "/permission", method = "get")]
    async fn permission(&self, _user: User) {}

    #[require(any(role = "admin", role = "editor"))]
    #[oai(path = "/any", method = "get")]
    async fn any(&self, _user: User) {}

    #[require(all(role = "editor", permission = "users:delete"))]
    #[oai(path = "/all", method = "get")]
    async fn all(&self, _user: User) {}

    #[require(fresh)]
    #[oai(path = "/fresh", method = "get")]
    async fn fresh(&self, _user: User) {}

    #[require(fresh(minutes = 2))]
    #[oai(path = "/fresher", method = "get")]
    async fn fresher(&self, _user: User) {}

    #[require(role = "admin", fresh)]
    #[oai(path = "/role_and_fresh", method = "get")]
    async fn role_and_fresh(&self, _user: User) {}

    #[require(any(role = "admin", fresh))]
    #[oai(path = "/role_or_fresh", method = "get")]
    async fn role_or_fresh(&self, _user: User) {}

    #[require(any(role = "editor", all(role = "admin", fresh)))]
    #[oai(path = "/nested", method = "get")]
    async fn nested(&self, _user: User) {}

    /// The requirement is the administrator's; any user will do.
    #[require(user = Admin, role = "chief")]
    #[oai(path = "/chief", method = "get")]
    async fn chief(&self, _user: User, _admin: Admin) {}

    /// The requirement is the user's; any administrator will do.
    #[require(user = User, role = "editor")]
    #[oai(path = "/editor", method = "get")]
    async fn editor(&self, _admin: Admin, _user: User) {}

    /// The one required user is meant, not the optional one.
    #[require(role = "chief")]
    #[oai(path = "/chief_maybe_user", method = "get")]
    async fn chief_maybe_user(&self, _user: Option<User>, _admin: Admin) {}
}
