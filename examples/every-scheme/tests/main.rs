//! What the every-scheme example promises: one user by every way in, and a document that is true.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod claims;
mod conform;
mod document;
mod keys;
mod oidc;
mod process;
mod server;
mod session;
mod signed;
mod tokens;
mod way;
mod ways;
