//! What the environment says.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
};

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
    /// `PUBLIC_URL`: where browsers reach this process, as in `https://shop.example`. Default: the
    /// address that it listens at.
    pub public_url: String,
    /// `OIDC_ISSUER`, `OIDC_CLIENT_ID` and `OIDC_CLIENT_SECRET`: the provider `main`.
    pub provider: Option<Provider>,
    /// `TRUSTED_ISSUER`, `TRUSTED_JWKS` and `TRUSTED_AUDIENCE`: another issuer whose tokens count.
    pub trusted: Option<Trusted>,
}

/// A provider of identities, and this application's registration there.
#[derive(Clone)]
pub struct Provider {
    /// What stands before `/.well-known/openid-configuration`.
    pub issuer: String,
    /// What this application is called there.
    pub client_id: String,
    /// What proves it.
    pub client_secret: String,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provider({})", self.issuer)
    }
}

impl Provider {
    fn from_env() -> Result<Option<Self>, EnvironmentError> {
        let names = ["OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"];
        let [issuer, id, secret] = names.map(text);
        match (issuer?, id?, secret?) {
            (Some(issuer), Some(client_id), Some(client_secret)) => {
                Ok(Some(Self { issuer, client_id, client_secret }))
            }
            (None, None, None) => Ok(None),
            _ => Err(EnvironmentError::new(names.join(", "), "set all of them or none")),
        }
    }
}

/// Where a process that listens here is for a browser on this machine.
fn local(address: SocketAddr) -> String {
    match address.ip().is_unspecified() {
        true => format!("http://{}", SocketAddr::from((Ipv4Addr::LOCALHOST, address.port()))),
        false => format!("http://{address}"),
    }
}

/// Another issuer.
#[derive(Debug, Clone)]
pub struct Trusted {
    /// What stands as `iss` in its tokens.
    pub issuer: String,
    /// Where its public keys are, a JWK set: a file, or an address that begins with `https://`.
    pub keys: String,
    /// What stands as `aud` in those that are for this application.
    pub audience: String,
}

impl Trusted {
    fn from_env() -> Result<Option<Self>, EnvironmentError> {
        let names = ["TRUSTED_ISSUER", "TRUSTED_JWKS", "TRUSTED_AUDIENCE"];
        let [issuer, keys, audience] = names.map(text);
        match (issuer?, keys?, audience?) {
            (Some(issuer), Some(keys), Some(audience)) => Ok(Some(Self { issuer, keys, audience })),
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
        let common = Common::from_env("every-scheme")?;
        let public_url = text("PUBLIC_URL")?.unwrap_or_else(|| local(common.address));
        Ok(Self {
            common,
            seed: flag("SEED")?,
            disabled: names.map(str::to_owned).collect(),
            refresh_grace: read("REFRESH_GRACE")?.map(Duration::seconds),
            legacy_signature: flag("LEGACY_SIGNATURE")?,
            trusted: Trusted::from_env()?,
            public_url: public_url.trim_end_matches('/').to_owned(),
            provider: Provider::from_env()?,
        })
    }
}
