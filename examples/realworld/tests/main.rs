//! What the RealWorld example promises: the contract that its clients rely on, on every engine;
//! what attackers try; that its document is true.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod articles;
mod attacks;
mod bodies;
mod comments;
mod conduit;
mod document;
mod engines;
mod lists;
mod ownership;
mod process;
mod profiles;
mod tokens;
mod users;
