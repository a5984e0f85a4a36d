//! What the accounts example promises: its document is true, and the process keeps the contract
//! that its clients rely on.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod contract;
mod document;
