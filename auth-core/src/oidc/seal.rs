//! A provider's tokens, encrypted for an application that keeps them.

use secrecy::{ExposeSecret, SecretString};

use crate::{error::Error, sealing::SealingKeys, user::UserKey};

fn purpose(owner: &UserKey) -> String {
    format!("provider token of {}", owner.as_str())
}

impl SealingKeys {
    /// Encrypts a provider's token for this user's row (feature `oidc`).
    ///
    /// # Errors
    ///
    /// - the system has no random numbers to give: [`Error::Crypto`]
    ///
    /// # Examples
    ///
    /// ```
    /// use auth_core::{sealing::SealingKeys, user::UserKey};
    /// use secrecy::ExposeSecret;
    ///
    /// let keys = SealingKeys::generate()?;
    /// let (ann, bob) = (UserKey::from("users:7".to_owned()), UserKey::from("users:8".to_owned()));
    /// let stored = keys.seal_token(&"a refresh token".into(), &ann)?;
    /// assert_eq!(keys.open_token(&stored, &ann)?.expose_secret(), "a refresh token");
    /// assert!(keys.open_token(&stored, &bob).is_err(), "in another user's row it does not open");
    /// # Ok::<(), auth_core::error::Error>(())
    /// ```
    pub fn seal_token(&self, token: &SecretString, owner: &UserKey) -> Result<String, Error> {
        self.seal(&purpose(owner), token.expose_secret().as_bytes())
    }

    /// Decrypts what [`seal_token`](Self::seal_token) has encrypted for this user (feature `oidc`).
    ///
    /// # Errors
    ///
    /// - it was encrypted with a key that is not here, for another user, or was changed:
    ///   [`Error::Crypto`]
    pub fn open_token(&self, sealed: &str, owner: &UserKey) -> Result<SecretString, Error> {
        let bytes = self.open(&purpose(owner), sealed)?;
        let text = std::str::from_utf8(&bytes).map_err(|error| Error::Crypto(error.into()))?;
        Ok(text.to_owned().into())
    }
}
