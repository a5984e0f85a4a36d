//! Operations of every kind, as an application writes them.

use auth_poem::prelude::MemoryUsers;

use crate::{gates::Gates, people::User};

mod account;
mod behind;
mod guards;
pub mod plain;
mod sessions;
mod sites;

pub use account::AccountApi;
pub use behind::{BehindApi, ForeignApi};
pub use guards::GuardApi;
pub use sessions::SessionApi;
pub use sites::{Articles, BackofficeApi, BranchApi, SiteApi};

/// Those whose requirements are the user's alone.
#[must_use]
pub fn apis(gates: &Gates, people: &MemoryUsers<User>) -> (AccountApi, SessionApi, GuardApi) {
    let account = AccountApi { gates: gates.clone(), people: people.clone() };
    (account, SessionApi { gates: gates.clone() }, GuardApi)
}

/// Those whose requirements look at the path, or ask.
#[must_use]
pub fn sites(articles: &Articles) -> (SiteApi, BackofficeApi, BranchApi) {
    (SiteApi { articles: articles.clone() }, BackofficeApi, BranchApi)
}
