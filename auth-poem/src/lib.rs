//! Declarative authentication and authorization for poem and poem-openapi.

#[cfg(feature = "sqlite")]
pub use auth_core::sql;
pub use auth_core::{
    clock, config, error as fault, expiry, features, guard, http, jwt, password, rejection,
    requirement, responder, scheme, secret, session, store, throttle, user, users,
};
pub use auth_macros::{
    AuthRole, AuthUser, SessionSchema, auth_api, handler, public, rejects, require,
};

#[doc(hidden)]
pub mod __private;
mod access;
mod error;
mod extract;
mod gate;
mod layer;
mod openapi;
mod param;
pub mod prelude;
mod problem;
mod service;

pub use access::AccessReport;
pub use error::{Error, Result};
pub use extract::{Auth, Session};
pub use layer::{AuthEndpoint, AuthLayer};
pub use service::{AuthApi, AuthenticatorExt};
