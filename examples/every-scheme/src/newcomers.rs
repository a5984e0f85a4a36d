//! Accounts for people who come from a provider of identities (OpenID Connect).

use async_trait::async_trait;
use auth_poem::{
    fault::Failure,
    features::{Account, ExternalAccounts},
    oidc::ExternalUser,
};

use crate::{store::Store, user::User};

/// Makes an account for everybody who comes. He has no password and no role, and is named after the
/// provider and what it calls him, which nobody else can be.
#[derive(Debug)]
pub struct Newcomers(pub(crate) Store);

#[async_trait]
impl ExternalAccounts<User> for Newcomers {
    async fn account(&self, person: &ExternalUser) -> Result<Account<User>, Failure> {
        let name = format!("{}:{}", person.provider, person.id.subject);
        Ok(Account::New(self.0.newcomer(&name).await?))
    }
}
