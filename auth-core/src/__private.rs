//! Exactly what the expansions of the macros may name. Nothing here is public interface.

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use sqlx;

pub use chrono;

pub use crate::{
    __impl_sql_user as impl_sql_user,
    guard::{AuthParameter, OtherParameter, Parameter, Policy, Probe},
    password::PasswordHash,
    requirement::{Check, FRESH, Requirement},
    secret::TokenId,
    session::schema::SessionSchema,
    user::{
        AuthRole, AuthUser, LoginColumn, NoRole, RoleSet, RoleSource, Scoped, UnknownRole, UserMeta,
    },
    users::ClaimsUser,
};

/// The adapter's name for an operation: a type that carries its policy.
pub trait Operation: Send + Sync + 'static {
    /// What the operation asks of its callers.
    const POLICY: &'static Policy;
}

/// Checks that run while the application compiles.
pub mod check;
