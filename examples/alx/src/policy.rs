//! What the default is stricter about than the original: one value each, so that both modes run
//! the same code.

use auth_poem::{password::PasswordHasher, prelude::*};

use crate::{
    settings::{AuthType, Settings},
    user::{Role, User},
};

/// What `COMPAT` allows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    /// Everybody changes and removes every account.
    pub(crate) open_accounts: bool,
    /// A login that fails says whether it was the name or the password.
    pub(crate) names_the_mistake: bool,
    /// Two accounts may have one e-mail address.
    pub(crate) shared_emails: bool,
    /// Every password is good enough.
    pub(crate) weak_passwords: bool,
}

impl Policy {
    pub(crate) fn of(settings: &Settings) -> Self {
        let compat = settings.compat;
        Self {
            open_accounts: compat || settings.auth_type == AuthType::None,
            names_the_mistake: compat,
            shared_emails: compat,
            weak_passwords: compat,
        }
    }

    /// Refuses a change of an account to whom it does not belong, administrators excepted.
    pub(crate) fn permit(self, me: Option<&User>, account: &str) -> Result<(), Rejection> {
        let may = |me: &User| me.id == account || me.roles.contains(&Role::Admin);
        if self.open_accounts || me.is_some_and(may) { Ok(()) } else { Err(Rejection::Forbidden) }
    }

    /// Hashes the password of a new user, if it is good enough.
    pub(crate) async fn hash(
        self,
        auth: &Auth<User>,
        password: &str,
        email: &str,
    ) -> auth_poem::Result<PasswordHash> {
        if self.weak_passwords {
            return Ok(PasswordHasher::default().hash(password).await?);
        }
        Ok(auth.hash_password(password, &[email]).await?)
    }
}
