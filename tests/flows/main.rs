//! What works, told as stories: one file for each subject.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod api_keys;
mod authorization;
mod basic;
mod calls;
mod configuration;
mod cookies;
mod cors;
mod data;
mod error_body;
mod every_scheme;
mod expiry;
mod guard_before_routing;
mod guards;
mod handlers;
mod header_sessions;
mod imported_hashes;
mod login;
mod narrowed;
mod other_errors;
mod own_scheme;
mod password;
mod purge;
mod refresh;
mod responder;
mod role_sources;
mod routes;
mod schemes;
mod session_columns;
mod session_limit;
mod sessions_of_others;
mod signed_requests;
mod token_routes;
mod tokens;
mod two_users;
mod waiting;
