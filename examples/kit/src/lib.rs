//! What any service has and none of the examples is about: settings from the environment, a log, a
//! database, messages, a server that stops when it is told to. An example names it where it puts
//! itself together, and is about something else.

pub mod database;
pub mod environment;
pub mod keys;
pub mod nullable;
pub mod outbox;
pub mod process;
pub mod sessions;
pub mod settings;
#[cfg(feature = "testing")]
pub mod testing;

pub use crate::{
    database::Database,
    environment::{EnvironmentError, flag, read, text},
    nullable::Nullable,
    outbox::{Message, Outbox},
    process::Process,
    settings::{Common, RedisUrl},
};

/// Anything that keeps a program from starting.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
