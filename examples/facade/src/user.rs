//! Who a user is, and what he may be.

use auth_poem::prelude::*;
use poem_openapi::Enum;
use serde::{Deserialize, Serialize};

/// What a user may be: at a site, as in `1:manager`, or, for an administrator, everywhere.
///
/// Each includes those before it, which is the order that "not above one's own" goes by.
#[derive(
    AuthRole, Enum, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord,
)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Comes to the site.
    User,
    /// Decides who comes to the site.
    Manager,
    /// Changes the site; without a site, everything.
    Admin,
}

/// A role at a site, or everywhere.
pub type Grant = Scoped<Role>;

/// Who is signed in: what the framework reads of an account, and the roles that the service of
/// that name knows.
#[derive(AuthUser, Debug, Clone)]
#[auth(table = "accounts", role = Role, schemes(session))]
pub struct User {
    #[auth(id)]
    pub(crate) id: String,
    #[auth(login(ignore_case))]
    pub(crate) login: String,
    #[auth(password)]
    pub(crate) password: PasswordHash,
    #[auth(roles(external))]
    pub(crate) roles: Vec<Grant>,
    #[auth(active)]
    pub(crate) active: bool,
    #[auth(epoch)]
    pub(crate) epoch: i64,
    pub(crate) name: String,
}

impl User {
    /// The most that the user is at a site.
    pub(crate) fn role_at(&self, site: &str) -> Option<Role> {
        let here = self.roles.iter().filter(|grant| match &grant.scope {
            Some(scope) => scope == site,
            None => grant.role == Role::Admin,
        });
        here.map(|grant| grant.role).max()
    }

    /// The sites at which the user is something.
    pub(crate) fn sites(&self) -> impl Iterator<Item = &str> {
        self.roles.iter().filter_map(|grant| grant.scope.as_deref())
    }
}
