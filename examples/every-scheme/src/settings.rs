//! What the environment says.

use std::path::PathBuf;

use auth_poem::prelude::*;
use example_kit::{Common, EnvironmentError, flag, read, text};

/// The settings, each from the environment variable of its name.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Those that all examples know.
    pub common: Common,
    /// `SEED`: two users to try it with.
    pub seed: bool,
    /// `DISABLE`: the schemes to switch off, with commas between them.
    pub disabled: Vec<String>,
    /// `REFRESH_GRACE`, in seconds: for how long a second use of a refresh token is taken for an
    /// accident. Default: the library's 10.
    pub refresh_grace: Option<Duration>,
    /// `LEGACY_SIGNATURE`: signed requests in the form of UtilMeta count too.
    pub legacy_signature: bool,
    /// `TRUSTED_ISSUER`, `TRUSTED_JWKS` and `TRUSTED_AUDIENCE`: another issuer whose tokens count.
    pub trusted: Option<Trusted>,
}

/// Another issuer.
#[derive(Debug, Clone)]
pub struct Trusted {
    /// What stands as `iss` in its tokens.
    pub issuer: String,
    /// The file with its public keys, a JWK set.
    pub keys: PathBuf,
    /// What stands as `aud` in those that are for this application.
    pub audience: String,
}

impl Trusted {
    fn from_env() -> Result<Option<Self>, EnvironmentError> {
        let names = ["TRUSTED_ISSUER", "TRUSTED_JWKS", "TRUSTED_AUDIENCE"];
        let [issuer, keys, audience] = names.map(text);
        match (issuer?, keys?, audience?) {
            (Some(issuer), Some(keys), Some(audience)) => {
                Ok(Some(Self { issuer, keys: keys.into(), audience }))
            }
            (None, None, None) => Ok(None),
            _ => Err(EnvironmentError::new(names.join(", "), "set all of them or none")),
        }
    }
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    ///
    /// - a variable cannot be read; the message names it
    pub fn from_env() -> Result<Self, EnvironmentError> {
        let disabled = text("DISABLE")?.unwrap_or_default();
        let names = disabled.split(',').map(str::trim).filter(|name| !name.is_empty());
        Ok(Self {
            common: Common::from_env("every-scheme")?,
            seed: flag("SEED")?,
            disabled: names.map(str::to_owned).collect(),
            refresh_grace: read("REFRESH_GRACE")?.map(Duration::seconds),
            legacy_signature: flag("LEGACY_SIGNATURE")?,
            trusted: Trusted::from_env()?,
        })
    }
}
