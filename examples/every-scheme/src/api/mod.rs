//! What can be done, one group of operations per file.

use auth_poem::{prelude::*, scheme::SchemeKind};
use poem::http::StatusCode;
use poem_openapi::{ApiResponse, Tags};

mod access_keys;
mod claims;
mod echo;
mod keys;
mod me;
mod session;

pub use access_keys::AccessKeysApi;
pub use claims::{ClaimsApi, Outsider};
pub use keys::KeysApi;
pub use me::MeApi;
pub use session::SessionApi;

use crate::is_open;

/// The groups in the document.
#[derive(Debug, Tags)]
enum Tag {
    /// For whoever has come in, by whatever way.
    Everybody,
    /// Name and password once, then a cookie.
    Session,
    /// Keys for programs.
    Keys,
    /// Keys for programs that sign their requests.
    #[oai(rename = "Access keys")]
    AccessKeys,
    /// For users of another issuer, who have no account here.
    Claims,
}

/// What is there whoever may come in.
#[must_use]
pub fn open_to_all(auth: &Authenticator) -> (MeApi, SessionApi) {
    (MeApi, SessionApi { is_open: is_open(auth, SchemeKind::Session) })
}

/// What is there for those who can come in by what only they know.
#[must_use]
pub fn keys(auth: &Authenticator) -> (KeysApi, AccessKeysApi) {
    (
        KeysApi { is_open: is_open(auth, SchemeKind::ApiKey) },
        AccessKeysApi { is_open: is_open(auth, SchemeKind::Signature) },
    )
}

/// Nothing is left to say.
#[derive(ApiResponse)]
enum Deleted {
    /// It is gone.
    #[oai(status = 204)]
    Done,
}

/// The refusal of an operation that serves a scheme which is switched off.
fn disabled(detail: &'static str) -> Rejection {
    Rejection::new(StatusCode::NOT_FOUND, "scheme_disabled", detail)
}
