//! Sessions: what a store keeps of one, what a request sees of it, when it is written back.
//!
//! A request looks at its session only when somebody asks, and writes it once, when the request
//! ends. Until then all changes wait in the request's state:
//!
//! - [`record`]: the stored row;
//! - [`schema`] and [`untyped`]: the data as the application declares it;
//! - [`live`]: the handle that an operation receives;
//! - `columns`: what the application adds to their records;
//! - `service`: how sessions are configured; `token`: how their tokens travel;
//! - `state`: what the request knows and has changed; `commit`: how that reaches the store.

mod columns;
mod commit;
pub mod live;
pub(crate) mod patch;
pub mod record;
pub mod schema;
mod service;
mod state;
mod token;
pub mod untyped;

pub(crate) use columns::FillColumns;
pub(crate) use service::{Lifetime, SessionService};
pub(crate) use state::SessionState;
pub use token::TokenHeaders;
pub(crate) use token::{Carriers, Way};
