//! Authentication and authorization for HTTP APIs, without a web framework.
//!
//! Every decision is made here: what a header means, who may pass, what is stored, what answer goes
//! back. An adapter for a web framework (such as `auth-poem`, which is what applications name)
//! hands requests in and answers out. Authors of stores and adapters name this crate.
//!
//! The public interface is, from the plain to the composed:
//!
//! - vocabulary: [`user`], [`requirement`], [`scopes`], [`rejection`], [`error`], [`secret`],
//!   [`sealing`], [`expiry`], [`http`], [`signature`];
//! - ports, traits with their implementations: [`clock`], [`password`], [`store`], [`users`],
//!   [`keys`], [`api_keys`], [`access_keys`];
//! - services: [`session`], [`jwt`], [`scheme`], [`guard`], [`throttle`], [`responder`];
//! - features, one flow per file: [`features`];
//! - assembly: [`config`], [`context`].

#[doc(hidden)]
pub mod __private;
pub mod access_keys;
pub mod api_keys;
pub mod clock;
pub mod config;
pub mod context;
mod credentials;
pub mod error;
pub mod expiry;
pub mod features;
pub mod guard;
pub mod http;
#[cfg(feature = "oidc")]
pub mod identities;
pub mod jwt;
pub mod keys;
#[cfg(feature = "oidc")]
pub mod oidc;
pub mod password;
pub mod rejection;
pub mod requirement;
pub mod responder;
pub mod scheme;
pub mod scopes;
pub mod sealing;
pub mod secret;
pub mod session;
pub mod signature;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub mod sql;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod throttle;
pub mod user;
pub mod users;
