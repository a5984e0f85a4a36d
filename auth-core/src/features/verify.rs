//! Verifying a name and a password, and preparing a new password.
//!
//! - Needs: `#[auth(login)]`, `#[auth(password)]`.
//! - Refuses: `too_many_attempts`; for new passwords `weak_password`.
//!
//! A wrong password, an unknown name, an ambiguous one, a user without a password and an inactive
//! one cost the same work and give the same answer.

use std::sync::Arc;

use super::AuthHandle;
use crate::{
    error::{Error, Failure},
    password::{PasswordHash, Verdict},
    rejection::Rejection,
    user::AuthUser,
    users::{Lookup, PasswordChange},
};

impl<U: AuthUser> AuthHandle<U> {
    /// Whose name and password these are; `None` if they are wrong, for whatever reason.
    ///
    /// Nobody is logged in by it; see [`login`](Self::login).
    ///
    /// # Errors
    ///
    /// - too many failures for this name: [`Rejection::TooManyAttempts`]
    /// - a store cannot answer, or too many passwords are being hashed: [`Failure::Fault`]
    pub async fn verify(&self, name: &str, password: &str) -> Result<Option<Arc<U>>, Failure> {
        let inner = &self.context.auth().inner;
        let attempt = inner
            .attempts
            .begin(U::META.table, name, self.context.now())
            .map_err(|retry_after| Rejection::TooManyAttempts { retry_after })?;
        let store = &self.context.user_service::<U>()?.store;
        let user = match store.by_login(name).await? {
            Lookup::One(user) => Some(user),
            Lookup::None => None,
            Lookup::Ambiguous => {
                tracing::warn!(users = U::META.table, "a login name means several users");
                None
            }
        };
        let hash = user.as_ref().and_then(|user| user.password());
        let verdict = inner.hasher.verify(password, hash).await?;
        match (user, verdict) {
            (Some(user), Verdict::Right { outdated }) if user.is_active() => {
                attempt.succeeded();
                let user = if outdated { self.rehash(user, password).await } else { user };
                Ok(Some(user))
            }
            _ => {
                attempt.failed(self.context.now());
                tracing::info!(users = U::META.table, "a login failed");
                Ok(None)
            }
        }
    }

    /// Replaces a hash that was made with other parameters. The user has proved who he is; that
    /// the new hash could not be stored is no reason to turn him away.
    async fn rehash(&self, user: Arc<U>, password: &str) -> Arc<U> {
        match self.try_rehash(&user, password).await {
            Ok(Some(fresh)) => fresh,
            // Somebody changed the password meanwhile; the next request will tell.
            Ok(None) => user,
            Err(error) => {
                tracing::warn!(%error, "an outdated password hash could not be replaced");
                user
            }
        }
    }

    async fn try_rehash(&self, user: &U, password: &str) -> Result<Option<Arc<U>>, Error> {
        let hasher = &self.context.auth().inner.hasher;
        let store = &self.context.user_service::<U>()?.store;
        let hash = hasher.hash(password).await?;
        let change = PasswordChange { replaces: user.password(), hash: &hash, raise_epoch: false };
        if let Some(fresh) = store.set_password(user.id(), change).await? {
            return Ok(Some(fresh));
        }
        // Perhaps another login with the same password was faster: its hash is the one that counts
        // from now on, and this login has to carry its stamp.
        let Some(now) = store.by_id(user.id()).await? else { return Ok(None) };
        let verdict = hasher.verify(password, now.password()).await?;
        Ok(matches!(verdict, Verdict::Right { .. }).then_some(now))
    }

    /// The hash of a new password, as signup needs it: checked against the policy first. `names`
    /// are the user's login names, which the password must not repeat.
    ///
    /// # Errors
    ///
    /// - the policy refuses the password: [`Rejection::WeakPassword`]
    /// - too many passwords are being hashed: [`Failure::Fault`]
    pub async fn hash_password(
        &self,
        password: &str,
        names: &[&str],
    ) -> Result<PasswordHash, Failure> {
        let inner = &self.context.auth().inner;
        inner.policy.check(password, names).map_err(Rejection::WeakPassword)?;
        Ok(inner.hasher.hash(password).await?)
    }
}
