//! What can be done, one group of operations per file. Nothing here asks for a user: the guard
//! stands before all of it, see `auth::guard`.

use auth_poem::prelude::*;
use poem::http::StatusCode;
use poem_openapi::{Object, Tags};

use crate::{policy::Policy, users::Users};

mod index;
mod session;
mod users;

pub use index::IndexApi;
pub use session::SessionApi;
pub use users::UsersApi;

/// All operations.
pub type Apis = (IndexApi, UsersApi, SessionApi);

/// Where a user logs in.
pub(crate) const LOGIN_PATH: &str = "/api/v1/auth_session/login";

/// The groups in the document.
#[derive(Debug, Tags)]
enum Tag {
    /// The state of the service.
    Index,
    /// Accounts.
    Users,
    /// Logging in and out.
    Session,
}

/// Nothing to say: `{}`.
#[derive(Debug, Object)]
struct Nothing {}

/// All operations. `sessions` says whether a login starts one.
pub(crate) fn apis(users: Users, policy: Policy, sessions: bool) -> Apis {
    (
        IndexApi { users: users.clone() },
        UsersApi { users: users.clone(), policy },
        SessionApi { users, policy, sessions },
    )
}

/// A field that is there and not empty.
fn given(
    value: Option<String>,
    code: &'static str,
    detail: &'static str,
) -> auth_poem::Result<String> {
    let value = value.filter(|value| !value.is_empty());
    value.ok_or_else(|| Rejection::new(StatusCode::BAD_REQUEST, code, detail).into())
}
