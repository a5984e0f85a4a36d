//! What can be done, one group of operations per file.

use example_kit::Outbox;
use poem_openapi::Tags;

use crate::database::Users;

mod email;
mod user;
mod users;

pub use email::EmailApi;
pub use user::UserApi;
pub use users::UsersApi;

/// All operations.
pub type Apis = (UserApi, UsersApi, EmailApi);

/// The groups in the document.
#[derive(Debug, Tags)]
enum Tag {
    /// One's own account.
    User,
    /// Everybody's accounts.
    Administration,
    /// Confirming an address.
    Email,
}

/// All operations on a table of users.
#[must_use]
pub fn apis(users: Users, outbox: Outbox) -> Apis {
    (UserApi { users: users.clone() }, UsersApi { users }, EmailApi { outbox })
}
