//! Verifying a name and a password, and preparing a new password.
//!
//! - Needs: `#[auth(login)]`, `#[auth(password)]`.
//! - Refuses: `too_many_attempts`; for new passwords `weak_password`.
//!
//! HTTP Basic verifies in the same way, and failures count together.

use std::sync::Arc;

use super::AuthHandle;
use crate::{error::Failure, password::PasswordHash, rejection::Rejection, user::AuthUser};

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
        self.context.password_check::<U>()?.verify(name, password).await
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
