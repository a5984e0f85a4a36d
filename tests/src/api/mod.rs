//! Operations of every kind, as an application writes them.

use auth_poem::prelude::MemoryUsers;

use crate::{gates::Gates, people::User};

mod account;
mod behind;
mod guards;
pub mod plain;
mod sessions;

pub use account::AccountApi;
pub use behind::{BehindApi, ForeignApi};
pub use guards::GuardApi;
pub use sessions::SessionApi;

/// All of them.
#[must_use]
pub fn apis(gates: &Gates, people: &MemoryUsers<User>) -> (AccountApi, SessionApi, GuardApi) {
    let account = AccountApi { gates: gates.clone(), people: people.clone() };
    (account, SessionApi { gates: gates.clone() }, GuardApi)
}
