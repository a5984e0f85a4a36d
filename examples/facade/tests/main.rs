//! What the facade promises: its document is true, its services can be elsewhere, and the process
//! keeps the contract that its clients rely on.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod contract;
mod document;
mod in_process;
