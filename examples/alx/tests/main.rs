//! What the clients of ALX 0x02 rely on: of a started process, and where time must pass, of the
//! application with a clock that is moved by hand.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod accounts;
mod document;
mod guard;
mod lifetime;
mod login;
mod probe;
mod process;
mod server;
mod transcript;
