//! What the expansions of this crate's macros may name. Nobody else should.

#[cfg(feature = "sqlx")]
pub use sqlx;

#[cfg(feature = "sqlx")]
pub use crate::users::sql::column::{read_ip, read_list, read_roles};
