//! Black-box tests of an example: [`Server`] starts its program in a folder of its own, [`Client`]
//! asks it over HTTP. What goes wrong is a panic, which is how a test fails.
#![allow(clippy::missing_panics_doc, clippy::unwrap_used, reason = "a test fails by it")]

mod client;
mod remote;
mod server;

pub use self::{
    client::{Answer, Body, Client},
    remote::Remote,
    server::{PATIENCE, Server, command, empty_folder},
};
