//! Authentication and authorization for HTTP APIs, without a web framework.

pub mod clock;
pub mod error;
pub mod jwt;
pub mod password;
pub mod rejection;
pub mod requirement;
pub mod secret;
pub mod session;
#[cfg(feature = "sqlx")]
pub mod sql;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod user;
pub mod users;
