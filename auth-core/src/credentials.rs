//! Names and passwords: whose they are. What a login and HTTP Basic have in common.
//!
//! A wrong password, an unknown name, an ambiguous one, a user without a password and an inactive
//! one cost the same work and give the same answer.

use std::sync::Arc;

use crate::{
    clock::{Clock, to_the_millisecond},
    error::{Error, Failure},
    password::{PasswordHasher, Verdict},
    rejection::Rejection,
    throttle::Attempts,
    user::AuthUser,
    users::{Lookup, PasswordChange, UserStore},
};

/// Verifies names and passwords of one type of user.
pub(crate) struct PasswordCheck<'a, U> {
    pub(crate) store: &'a dyn UserStore<U>,
    pub(crate) hasher: &'a PasswordHasher,
    pub(crate) attempts: &'a Attempts,
    pub(crate) clock: &'a dyn Clock,
}

impl<U: AuthUser> PasswordCheck<'_, U> {
    /// Whose name and password these are; `None` if they are wrong, for whatever reason.
    ///
    /// # Errors
    ///
    /// - too many failures for this name: [`Rejection::TooManyAttempts`]
    /// - a store cannot answer, or too many passwords are being hashed: [`Failure::Fault`]
    pub(crate) async fn verify(
        &self,
        name: &str,
        password: &str,
    ) -> Result<Option<Arc<U>>, Failure> {
        let now = || to_the_millisecond(self.clock.now());
        let attempt = self
            .attempts
            .begin(U::META.table, name, now())
            .map_err(|retry_after| Rejection::TooManyAttempts { retry_after })?;
        let user = match self.store.by_login(name).await? {
            Lookup::One(user) => Some(user),
            Lookup::None => None,
            Lookup::Ambiguous => {
                tracing::warn!(users = U::META.table, "a login name means several users");
                None
            }
        };
        let hash = user.as_ref().and_then(|user| user.password());
        let verdict = self.hasher.verify(password, hash).await?;
        match (user, verdict) {
            (Some(user), Verdict::Right { outdated }) if user.is_active() => {
                attempt.succeeded();
                let user = if outdated { self.rehash(user, password).await } else { user };
                Ok(Some(user))
            }
            _ => {
                attempt.failed(now());
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
        let hash = self.hasher.hash(password).await?;
        let change = PasswordChange { replaces: user.password(), hash: &hash, raise_epoch: false };
        if let Some(fresh) = self.store.set_password(user.id(), change).await? {
            return Ok(Some(fresh));
        }
        // Perhaps another login with the same password was faster: its hash is the one that counts
        // from now on, and this login has to carry its stamp.
        let Some(now) = self.store.by_id(user.id()).await? else { return Ok(None) };
        let verdict = self.hasher.verify(password, now.password()).await?;
        Ok(matches!(verdict, Verdict::Right { .. }).then_some(now))
    }
}
