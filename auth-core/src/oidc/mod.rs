//! Providers of identities: OpenID Connect, and GitHub (feature `oidc`).
//!
//! People log in at a provider and come back with a code; what the provider then says of them is
//! verified here. The flow, from the browser's point of view, is [`Oidc`](crate::features::Oidc).
//!
//! # Security
//!
//! Authorization code with PKCE (S256), `state` and `nonce`, each 256 random bits, kept in the
//! browser's session, good once and for ten minutes. Of the ID token, signature (by a key that the
//! provider publishes, never a shared secret, never `none`), `iss`, `aud`, `azp`, `exp`, `iat`,
//! `nonce` and `at_hash` are checked, by the crate `openidconnect`. An answer that names its issuer
//! (RFC 9207) must name the right one.
//!
//! Requests go to the configured issuer, and to the addresses in its discovery document, over https;
//! they follow no redirect, end after ten seconds and read 256 KiB at most. Documents and keys are
//! kept for an hour, and for a day while the provider does not answer; a new key is asked for at most
//! once in ten seconds.
//!
//! # Refusals
//!
//! | code | status | when |
//! |---|---|---|
//! | `not_found` | 404 | there is no provider of this name |
//! | `invalid_return_path` | 400 | where to go afterwards is no path of this site |
//! | `invalid_login_state` | 400 | what came back belongs to no login of this browser: another browser's, used, too old, another provider's |
//! | `login_denied` | 403 | the provider says no, as when somebody cancels |
//! | `invalid_identity` | 403 | what the provider says does not hold: its issuer, the code, the ID token |
//! | `account_refused` | 403 | there is no account for this identity and none is made, or it is not active |
//! | `identity_taken` | 409 | the identity belongs to another user already |
//!
//! A provider that does not answer is a fault: 503.

mod answers;
mod cached;
mod client;
mod external;
mod github;
mod http;
mod introspect;
mod jwks;
mod openid;
mod provider;
mod seal;

pub(crate) use self::{
    client::{Client, Secrets},
    http::{Http, fault, is_protected},
};
pub use self::{
    external::{ExternalUser, ProviderTokens},
    introspect::{IntrospectedToken, Introspection, LinkedUsers, TokenUsers},
    jwks::RemoteJwks,
    provider::Provider,
};
use ::http::StatusCode;

use crate::rejection::Rejection;

/// Every refusal of this flow, for documents: status and code.
pub const REFUSALS: &[(u16, &str)] = &[
    (400, "invalid_return_path"),
    (400, "invalid_login_state"),
    (403, "login_denied"),
    (403, "invalid_identity"),
    (403, "account_refused"),
    (404, "not_found"),
    (409, "identity_taken"),
];

pub(crate) fn invalid_return_path() -> Rejection {
    Rejection::new(
        StatusCode::BAD_REQUEST,
        "invalid_return_path",
        "Where to go after the login is no path of this site.",
    )
}

pub(crate) fn invalid_login_state() -> Rejection {
    Rejection::new(
        StatusCode::BAD_REQUEST,
        "invalid_login_state",
        "This login was not begun here, or is over. Begin again.",
    )
}

pub(crate) fn login_denied() -> Rejection {
    Rejection::new(StatusCode::FORBIDDEN, "login_denied", "The provider did not log you in.")
}

pub(crate) fn invalid_identity() -> Rejection {
    Rejection::new(
        StatusCode::FORBIDDEN,
        "invalid_identity",
        "What the provider says cannot be verified. Begin again.",
    )
}

pub(crate) fn account_refused() -> Rejection {
    Rejection::new(
        StatusCode::FORBIDDEN,
        "account_refused",
        "There is no account for you here, or it cannot be used.",
    )
}

pub(crate) fn identity_taken() -> Rejection {
    Rejection::new(
        StatusCode::CONFLICT,
        "identity_taken",
        "This identity belongs to another account.",
    )
}
