//! The harness of the workspace's tests: one application with operations of every kind, browsers
//! that talk to it, a clock that is moved by hand, stores that fail on demand.
//!
//! Tests go through HTTP, as a client does. `flows` tells what works, `threats` what an attacker
//! tries, one file for each.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a panic is how a test fails")]

pub mod api;
pub mod around;
pub mod body;
pub mod browser;
pub mod depot;
pub mod failing_keys;
pub mod failing_nonces;
pub mod gates;
pub mod logs;
pub mod office;
pub mod oidc;
pub mod paused;
pub mod people;
pub mod provider;
pub mod vault;
pub mod world;

pub use crate::{
    around::Around,
    browser::{Answer, Browser},
    depot::{Badges, Depot, Duty, Keeper},
    failing_keys::{FailingAccessKeys, FailingApiKeys},
    failing_nonces::FailingNonces,
    gates::Gates,
    logs::Logs,
    office::{Clerk, Office},
    oidc::{OidcWorld, Whose},
    paused::PausedSessions,
    people::{Admin, Cart, Draft, EmailSession, Rank, Role, User},
    provider::{Person, Provider, Signed},
    world::World,
};
