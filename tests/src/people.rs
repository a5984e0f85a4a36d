//! Who uses the application, and what their sessions hold.

use std::net::IpAddr;

use auth_poem::prelude::*;
use serde::{Deserialize, Serialize};

/// What a [`User`] may be.
#[derive(AuthRole, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Deletes users.
    #[role(permissions("users:delete"))]
    Admin,
    /// Writes.
    Editor,
    /// Runs a site.
    Manager,
}

/// A user with everything that a user can have.
#[derive(AuthUser, Debug, Clone)]
#[auth(table = "users", role = Role, schemes(bearer, session))]
pub struct User {
    /// The id.
    #[auth(id)]
    pub id: Uuid,
    /// One login name.
    #[auth(login(ignore_case))]
    pub username: String,
    /// Another one.
    #[auth(login)]
    pub email: String,
    /// The password.
    #[auth(password)]
    pub password: Option<PasswordHash>,
    /// The roles.
    #[auth(roles)]
    pub roles: Vec<Scoped<Role>>,
    /// What the user may do beyond them.
    #[auth(permissions)]
    pub permissions: Vec<String>,
    /// Ends sessions and tokens.
    #[auth(epoch)]
    pub epoch: i64,
    /// Whether the account may be used.
    #[auth(active)]
    pub active: bool,
    /// The last login.
    #[auth(login_time)]
    pub last_login: Option<DateTime<Utc>>,
    /// From where it came.
    #[auth(login_ip)]
    pub last_ip: Option<IpAddr>,
}

/// What an [`Admin`] may be.
#[derive(AuthRole, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rank {
    /// The highest.
    Chief,
    /// The lowest.
    Clerk,
}

/// A second type of user, without an epoch: the password hash is what ends sessions.
#[derive(AuthUser, Debug, Clone)]
#[auth(table = "admins", role = Rank, schemes(session, bearer))]
pub struct Admin {
    /// The id.
    #[auth(id)]
    pub id: i64,
    /// The login name.
    #[auth(login)]
    pub name: String,
    /// The password.
    #[auth(password)]
    pub password: PasswordHash,
    /// The rank.
    #[auth(roles)]
    pub rank: Rank,
}

/// A schema with fields that change independently.
#[derive(SessionSchema, Debug, Default, Serialize, Deserialize)]
pub struct Cart {
    /// A counter.
    pub items: u32,
    /// A text.
    pub note: Option<String>,
}

/// A schema with a secret in it.
#[derive(SessionSchema, Debug, Default, Serialize, Deserialize)]
pub struct EmailSession {
    /// A one-time code.
    pub code: Option<String>,
}

/// A schema whose changes are dropped when the operation fails.
#[derive(SessionSchema, Debug, Default, Serialize, Deserialize)]
#[session(discard_on_error)]
pub struct Draft {
    /// A text.
    pub text: Option<String>,
}
