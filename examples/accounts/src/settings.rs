//! What the environment says.

use auth_poem::prelude::*;
use example_kit::{Common, EnvironmentError, read, text};

/// The settings, each from the environment variable of its name.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Those that all examples know.
    pub common: Common,
    /// `PASSWORD_MIN_LENGTH`, default the library's 15.
    pub password_min_length: Option<usize>,
    /// `ADMIN_USERNAME` and `ADMIN_PASSWORD`: an administrator to create.
    pub admin: Option<Admin>,
}

/// The administrator to create if there is no user of that name.
#[derive(Clone)]
pub struct Admin {
    /// The name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Admin({})", self.username)
    }
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    ///
    /// - a variable cannot be read; the message names it
    pub fn from_env() -> Result<Self, EnvironmentError> {
        let admin = match (text("ADMIN_USERNAME")?, text("ADMIN_PASSWORD")?) {
            (Some(username), Some(password)) => Some(Admin { username, password }),
            (None, None) => None,
            _ => {
                let names = "ADMIN_USERNAME and ADMIN_PASSWORD";
                return Err(EnvironmentError::new(names, "set both or neither"));
            }
        };
        Ok(Self {
            common: Common::from_env("accounts")?,
            password_min_length: read("PASSWORD_MIN_LENGTH")?,
            admin,
        })
    }

    /// What new passwords must be.
    #[must_use]
    pub fn password_policy(&self) -> PasswordPolicy {
        let policy = PasswordPolicy::default();
        match self.password_min_length {
            Some(length) => policy.min_length(length),
            None => policy,
        }
    }
}
