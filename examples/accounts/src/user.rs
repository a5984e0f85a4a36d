//! Who a user is.

use std::net::IpAddr;

use auth_poem::prelude::*;
use example_kit::Nullable;
use poem_openapi::Object;

/// What a user may be beyond being a user.
#[derive(AuthRole, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Sees and removes other users.
    Admin,
}

/// A row of the table `users`.
#[derive(AuthUser, Debug, Clone)]
#[auth(table = "users", role = Role, schemes(bearer, session))]
pub struct User {
    #[auth(id)]
    pub(crate) id: Uuid,
    #[auth(login(ignore_case))]
    pub(crate) username: String,
    #[auth(password)]
    pub(crate) password: PasswordHash,
    #[auth(roles)]
    pub(crate) roles: Vec<Role>,
    #[auth(epoch)]
    pub(crate) epoch: i64,
    #[auth(login_time)]
    pub(crate) last_login: Option<DateTime<Utc>>,
    #[auth(login_ip)]
    pub(crate) last_ip: Option<IpAddr>,
    pub(crate) signup_time: DateTime<Utc>,
}

/// What others may know of a user.
#[derive(Debug, Object)]
#[oai(rename = "User")]
pub struct UserView {
    id: Uuid,
    username: String,
    roles: Vec<String>,
    signup_time: DateTime<Utc>,
    last_login: Nullable<DateTime<Utc>>,
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self {
            id: user.id,
            username: user.username.clone(),
            roles: user.roles.iter().map(ToString::to_string).collect(),
            signup_time: user.signup_time,
            last_login: Nullable(user.last_login),
        }
    }
}
