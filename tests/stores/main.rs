//! The stores on database servers: what every store must do, and what becomes of requests while a
//! server is away.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod cached;
mod cached_faults;
mod engines;
mod faults;
mod file;
mod identities;
mod keys;
mod migrations;
mod nonces;
mod redis;
mod redis_faults;
mod redis_names;
mod retention;
mod round_trips;
mod sessions;
mod tokens;
mod users;
