//! What attackers try, one file for each attack; and that a fault never helps them.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod api_keys;
mod basic_credentials;
mod checks;
mod cross_site;
mod enumeration;
mod fail_closed;
mod fixation;
mod guard_bypass;
mod guessing;
mod imported_hashes;
mod logout_race;
mod lying_provider;
mod mixed_credentials;
mod oidc;
mod one_time_codes;
mod other_scopes;
mod path_guards;
mod refresh_tokens;
mod secrets;
mod session_header;
mod signed_requests;
mod stale_cache;
mod stale_users;
mod token_forgery;
mod unread_bodies;
