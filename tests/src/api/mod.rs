//! Operations of every kind, as an application writes them.

use auth_poem::prelude::MemoryUsers;

use crate::{gates::Gates, people::User};

mod account;
mod guards;
pub mod plain;
mod sessions;
mod sites;

pub use account::AccountApi;
pub use guards::GuardApi;
pub use sessions::SessionApi;
pub use sites::{Articles, BranchApi, OfficeApi, SiteApi};

/// All of them.
#[must_use]
pub fn apis(
    gates: &Gates,
    people: &MemoryUsers<User>,
    articles: &Articles,
) -> (AccountApi, SessionApi, GuardApi, (SiteApi, OfficeApi, BranchApi)) {
    let account = AccountApi { gates: gates.clone(), people: people.clone() };
    let sites = SiteApi { articles: articles.clone() };
    (account, SessionApi { gates: gates.clone() }, GuardApi, (sites, OfficeApi, BranchApi))
}
