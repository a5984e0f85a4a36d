//! The walk through a document: it passes an honest application, and finds every kind of lie.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod app;
mod honest;
mod lies;
mod samples;
