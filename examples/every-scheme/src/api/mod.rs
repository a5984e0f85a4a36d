//! What can be done, one group of operations per file.

use auth_poem::{prelude::*, scheme::SchemeKind};
use poem::http::StatusCode;
use poem_openapi::Tags;

mod echo;
mod me;
mod session;

pub use me::MeApi;
pub use session::SessionApi;

use crate::is_open;

/// All operations.
pub type Apis = (MeApi, SessionApi);

/// The groups in the document.
#[derive(Debug, Tags)]
enum Tag {
    /// For whoever has come in, by whatever way.
    Everybody,
    /// Name and password once, then a cookie.
    Session,
}

/// All operations, for as many ways in as are open.
#[must_use]
pub fn apis(auth: &Authenticator) -> Apis {
    (MeApi, SessionApi { is_open: is_open(auth, SchemeKind::Session) })
}

/// The refusal of an operation that serves a scheme which is switched off.
fn disabled(detail: &'static str) -> Rejection {
    Rejection::new(StatusCode::NOT_FOUND, "scheme_disabled", detail)
}
