//! Changing the password, and ending a user's other sessions and tokens.
//!
//! - Needs: `#[auth(password)]`; `#[auth(epoch)]` to end tokens without a new password.
//! - Refuses: `wrong_current_password`, `weak_password`, `too_many_attempts`.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::AuthHandle;
use crate::{
    error::Failure,
    password::Verdict,
    rejection::Rejection,
    scheme::{Identity, Outcome, stamp_of},
    session::record::{SessionLogin, SessionRecord},
    user::{AuthUser, UserKey},
    users::PasswordChange,
};

impl<U: AuthUser> AuthHandle<U> {
    /// Replaces the password of the request's user, who proves himself once more with the current
    /// one. This session gets a new key and goes on; every other session and every token of the
    /// user ends, refresh tokens included.
    ///
    /// # Errors
    ///
    /// - the current password is wrong, or was changed at the same time:
    ///   [`Rejection::WrongCurrentPassword`]
    /// - the policy refuses the new one: [`Rejection::WeakPassword`]
    /// - too many wrong current passwords: [`Rejection::TooManyAttempts`]
    /// - the operation has no user: [`Rejection::MissingCredentials`]
    /// - a store cannot answer: [`Failure::Fault`]
    pub async fn change_password(&self, current: &str, new: &str) -> Result<Arc<U>, Failure> {
        let inner = &self.context.auth().inner;
        let identity = self.identity().ok_or(Rejection::MissingCredentials)?;
        let user = &identity.user;
        self.confirm_password(user, current).await?;
        let names: Vec<&str> =
            (0..U::META.login.len()).filter_map(|index| user.login_name(index)).collect();
        inner.policy.check(new, &names).map_err(Rejection::WeakPassword)?;
        let hash = inner.hasher.hash(new).await?;
        let change = PasswordChange { replaces: user.password(), hash: &hash, raise_epoch: true };
        let store = self.context.user_service::<U>()?.store;
        let fresh =
            store.set_password(user.id(), change).await?.ok_or(Rejection::WrongCurrentPassword)?;
        tracing::info!(users = U::META.table, id = %fresh.id(), "the password was changed");
        // The current password is a proof of identity like that of a login.
        self.keep_only_this(fresh.clone(), &identity, self.context.now()).await?;
        Ok(fresh)
    }

    /// Ends every other session of the request's user, and every refresh token. With an
    /// `#[auth(epoch)]` column, every access token as well; without one, those live until they
    /// expire.
    ///
    /// # Errors
    ///
    /// - the operation has no user: [`Rejection::MissingCredentials`]
    /// - a store cannot answer: [`Failure::Fault`]
    pub async fn revoke_others(&self) -> Result<(), Failure> {
        let identity = self.identity().ok_or(Rejection::MissingCredentials)?;
        let mut user = (*identity.user).clone();
        if U::META.epoch.is_some() {
            let store = self.context.user_service::<U>()?.store;
            let epoch = store.raise_epoch(user.id()).await?.ok_or(Rejection::MissingCredentials)?;
            user.set_epoch(epoch);
        }
        self.keep_only_this(Arc::new(user), &identity, identity.login_at).await
    }

    async fn confirm_password(&self, user: &U, current: &str) -> Result<(), Failure> {
        let inner = &self.context.auth().inner;
        // Counted under the id: whoever holds a stolen session must not guess on, and must not be
        // able to lock the user out of the login page either.
        let attempt = inner
            .attempts
            .begin(U::META.path, &user.id().to_string(), self.context.now())
            .map_err(|retry_after| Rejection::TooManyAttempts { retry_after })?;
        match inner.hasher.verify(current, user.password()).await? {
            Verdict::Right { .. } => {
                attempt.succeeded();
                Ok(())
            }
            Verdict::Wrong => {
                attempt.failed(self.context.now());
                Err(Rejection::WrongCurrentPassword.into())
            }
        }
    }

    /// Gives this session a new key under the user's new stamp and deletes the others, which the
    /// old stamp has ended already where there is a new one.
    async fn keep_only_this(
        &self,
        user: Arc<U>,
        identity: &Identity<U>,
        login_at: DateTime<Utc>,
    ) -> Result<(), Failure> {
        let key = UserKey::of(&*user);
        let stamp = stamp_of(&*user);
        if let Some(service) = &self.context.auth().inner.sessions {
            let state = &self.context.session;
            state.load(service).await?;
            // Not only what is stored: a login of this request has a session that is not yet.
            let (current, stored) = {
                let work = state.work();
                (state.current(&work), state.stored(&work))
            };
            let is_own = |record: &SessionRecord| {
                record.login.as_ref().is_some_and(|login| login.user == key)
            };
            if current.is_some_and(|record| is_own(&record)) {
                let login = SessionLogin { user: key.clone(), stamp, at: login_at };
                state.cycle(Some(login))?;
            }
            // The new key is stored when the request ends; until then the old one must stay.
            let own = stored.filter(|stored| is_own(&stored.record));
            let except = own.as_ref().map(|stored| &stored.key);
            match service.store.delete_by_user(&key, except, service.now()).await {
                Ok(_) => {}
                Err(error) if stamp != stamp_of(&*identity.user) => {
                    tracing::error!(%error, "ended sessions could not be deleted; they stay ended");
                }
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(tokens) = &self.context.auth().inner.refresh {
            match tokens.store.delete_by_user(&key).await {
                Ok(_) => {}
                Err(error) if stamp != stamp_of(&*identity.user) => {
                    tracing::error!(%error, "refresh tokens could not be deleted; they stay ended");
                }
                Err(error) => return Err(error.into()),
            }
        }
        let Identity { scheme, scopes, .. } = identity.clone();
        let identity = Identity { user, scheme, login_at, scopes };
        self.context.remember(Outcome::Known(identity));
        Ok(())
    }
}
