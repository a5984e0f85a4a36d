//! Identities and the users to whom they belong: linking, listing, unlinking.

use std::sync::Arc;

use super::{Account, Oidc};
use crate::{
    error::Failure,
    features::AuthHandle,
    identities::{ExternalId, LinkedIdentity},
    oidc::{Client, ExternalUser, account_refused, identity_taken, invalid_login_state},
    rejection::Rejection,
    user::{AuthUser, UserKey},
};

impl<U: AuthUser> Oidc<U> {
    /// The identities of the request's user.
    ///
    /// # Errors
    ///
    /// - the operation has no user: [`Rejection::MissingCredentials`]
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn identities(&self, auth: &AuthHandle<U>) -> Result<Vec<LinkedIdentity>, Failure> {
        let identity = auth.identity().ok_or(Rejection::MissingCredentials)?;
        Ok(self.inner.identities.of(identity.user.id()).await?)
    }

    /// Takes an identity from the request's user, and says whether it was his. Whether he can still
    /// log in afterwards is for the application to see to.
    ///
    /// # Errors
    ///
    /// - the operation has no user: [`Rejection::MissingCredentials`]
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn unlink(&self, auth: &AuthHandle<U>, id: &ExternalId) -> Result<bool, Failure> {
        let identity = auth.identity().ok_or(Rejection::MissingCredentials)?;
        Ok(self.inner.identities.unlink(id, identity.user.id()).await?)
    }

    /// Adds the identity of somebody to the user who has begun that, and who is logged in still.
    pub(super) async fn link(
        &self,
        auth: &AuthHandle<U>,
        user: &UserKey,
        person: &ExternalUser,
    ) -> Result<(), Failure> {
        let identity = auth.identity().filter(|identity| UserKey::of(&*identity.user) == *user);
        let identity = identity.ok_or_else(invalid_login_state)?;
        let (id, user) = (&person.id, &*identity.user);
        match self.inner.identities.owner(id).await? {
            Some(owner) if owner != *user.id() => return Err(identity_taken().into()),
            _ => self.inner.accounts.logged_in(user, person).await?,
        }
        if !self.inner.identities.link(id, user.id(), auth.context.now()).await? {
            return Err(identity_taken().into());
        }
        let provider = &*person.provider;
        tracing::info!(users = U::META.table, id = %user.id(), provider, "an identity was linked");
        Ok(())
    }

    /// The user to whom an identity belongs.
    pub(super) async fn owner(
        &self,
        auth: &AuthHandle<U>,
        id: &ExternalId,
    ) -> Result<Option<Arc<U>>, Failure> {
        let Some(owner) = self.inner.identities.owner(id).await? else { return Ok(None) };
        let user = auth.context.user_service::<U>()?.store.by_id(&owner).await?;
        if user.is_none() {
            // He was deleted, and the link was left behind.
            self.inner.identities.unlink(id, &owner).await?;
        }
        Ok(user)
    }

    /// The account that the application has for somebody new, now linked.
    pub(super) async fn account(
        &self,
        auth: &AuthHandle<U>,
        client: &Client,
        person: &ExternalUser,
    ) -> Result<Arc<U>, Failure> {
        let user = match self.inner.accounts.account(person).await? {
            Account::New(user) => user,
            Account::SameAddress { user, verified_email } => {
                let told = person.email.as_deref().filter(|_| person.email_verified);
                let same = told.is_some_and(|told| told.eq_ignore_ascii_case(&verified_email));
                if !(client.verified_email && same) {
                    tracing::warn!(
                        provider = &*person.provider,
                        users = U::META.table,
                        id = %user.id(),
                        "an identity was not linked by its address"
                    );
                    return Err(account_refused().into());
                }
                user
            }
            Account::Refused => return Err(account_refused().into()),
        };
        if !user.is_active() {
            return Err(account_refused().into());
        }
        if self.inner.identities.link(&person.id, user.id(), auth.context.now()).await? {
            return Ok(Arc::new(user));
        }
        // Another window was faster. Whose the identity is, the store says.
        Ok(self.owner(auth, &person.id).await?.ok_or_else(account_refused)?)
    }
}
