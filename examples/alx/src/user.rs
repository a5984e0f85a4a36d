//! Who a user is.

use auth_poem::prelude::*;
use example_kit::Nullable;
use poem_openapi::Object;

/// What a user may be beyond being a user.
#[derive(AuthRole, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Changes and removes the accounts of others.
    Admin,
}

/// A row of the table `users`.
#[derive(AuthUser, Debug, Clone)]
#[auth(table = "users", role = Role, schemes(basic, session))]
pub struct User {
    #[auth(id)]
    pub(crate) id: String,
    /// The e-mail address. `None` where an older account has the same one; only `COMPAT` lets
    /// that happen.
    #[auth(login)]
    pub(crate) login: Option<String>,
    #[auth(password)]
    pub(crate) password: PasswordHash,
    #[auth(roles)]
    pub(crate) roles: Vec<Role>,
    pub(crate) email: String,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
}

/// What others may know of a user.
#[derive(Debug, Object)]
#[oai(rename = "User")]
pub(crate) struct UserView {
    /// As in `2017-10-16 04:23:04`, UTC.
    pub(crate) created_at: String,
    pub(crate) email: String,
    pub(crate) first_name: Nullable<String>,
    pub(crate) id: String,
    pub(crate) last_name: Nullable<String>,
    pub(crate) updated_at: String,
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self {
            created_at: user.created_at.clone(),
            email: user.email.clone(),
            first_name: Nullable(user.first_name.clone()),
            id: user.id.clone(),
            last_name: Nullable(user.last_name.clone()),
            updated_at: user.updated_at.clone(),
        }
    }
}
