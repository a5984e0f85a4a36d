//! Sessions.
pub mod record;
pub mod schema;
