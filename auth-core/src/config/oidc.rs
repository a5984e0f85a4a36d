//! Puts logins through providers together: [`OidcConfig`].

use std::{fmt, sync::Arc};

use crate::{
    config::{Authenticator, ConfigError},
    features::{ExternalAccounts, Oidc, OidcParts},
    http::cookie::SameSite,
    identities::IdentityStore,
    oidc::{Client, Http, Provider, is_protected},
    scheme::SchemeKind,
    user::AuthUser,
};

/// What an application declares of its logins through providers, until [`build`](Self::build) checks
/// it.
///
/// The first argument is the address under which browsers reach the routes, as in
/// `https://shop.example/api/oidc`; what is registered at a provider of the name `google` is then
/// `https://shop.example/api/oidc/google/callback`. It is never taken from a request, whose `Host`
/// anybody may write.
#[must_use = "call `build`"]
pub struct OidcConfig<U: AuthUser> {
    address: String,
    providers: Vec<(String, Provider)>,
    identities: Arc<dyn IdentityStore<U>>,
    accounts: Arc<dyn ExternalAccounts<U>>,
    home: String,
    after_logout: Option<String>,
}

impl<U: AuthUser> OidcConfig<U> {
    /// Logins without providers, at this address.
    pub fn new(
        address: impl Into<String>,
        identities: impl IdentityStore<U>,
        accounts: impl ExternalAccounts<U>,
    ) -> Self {
        Self {
            address: address.into(),
            providers: Vec::new(),
            identities: Arc::new(identities),
            accounts: Arc::new(accounts),
            home: "/".into(),
            after_logout: None,
        }
    }

    /// A provider, under the name that it has in paths: letters, digits, `-` and `_`.
    pub fn provider(mut self, name: impl Into<String>, provider: Provider) -> Self {
        self.providers.push((name.into(), provider));
        self
    }

    /// The path to go to after a login that names no other. Default: `/`.
    pub fn home(mut self, path: impl Into<String>) -> Self {
        self.home = path.into();
        self
    }

    /// The address to which a provider sends people whom it has logged out; it is registered there.
    /// Default: the root of this site.
    pub fn after_logout(mut self, address: impl Into<String>) -> Self {
        self.after_logout = Some(address.into());
        self
    }

    /// Checks everything. No provider is asked anything yet, so that an application starts also while
    /// one is down.
    ///
    /// # Errors
    ///
    /// - parts that do not fit, all of them at once: [`ConfigError`]
    pub fn build(self, auth: &Authenticator) -> Result<Oidc<U>, ConfigError> {
        let mut problems = self.problems(auth);
        let http = match Http::new() {
            Ok(http) if problems.is_empty() => http,
            Ok(_) => return Err(ConfigError::new(problems)),
            Err(error) => {
                problems.push(error.to_string());
                return Err(ConfigError::new(problems));
            }
        };
        let address = self.address.trim_end_matches('/');
        let clients = self.providers.into_iter().map(|(name, provider)| {
            Client::new(&name, provider, format!("{address}/{name}/callback"), http.clone())
        });
        let after_logout = self.after_logout.unwrap_or_else(|| format!("{}/", root(address)));
        Ok(Oidc::new(OidcParts {
            clients: clients.collect(),
            identities: self.identities,
            accounts: self.accounts,
            home: self.home,
            after_logout,
        }))
    }

    fn problems(&self, auth: &Authenticator) -> Vec<String> {
        let mut problems = Vec::new();
        let name = U::META.name;
        let id = std::any::TypeId::of::<U>();
        if !auth.schemes(id).contains(&SchemeKind::Session) {
            problems.push(format!(
                "who comes back from a provider is logged in by a session, and {name} has none; write \
                 `#[auth(schemes(session))]`, and call `.user::<{name}>(..)` on AuthConfig"
            ));
        }
        let sessions = auth.inner.sessions.as_ref();
        match sessions.and_then(|sessions| sessions.carriers.cookie.as_ref()) {
            None => problems.push(
                "a provider sends browsers back without any header; leave out \
                 AuthConfig::without_session_cookie"
                    .into(),
            ),
            Some(cookie) => {
                if cookie.is_same_site(SameSite::Strict) {
                    problems.push(
                        "browsers that come back from a provider do not send a session cookie with \
                         SameSite=Strict, and no login could be finished; leave it at Lax"
                            .into(),
                    );
                }
                if !cookie.covers(path(&self.address)) {
                    problems.push(format!(
                        "the session cookie is not sent to {:?}; let its path be a part of that one",
                        path(&self.address)
                    ));
                }
            }
        }
        if !is_protected(&self.address) || self.address.contains(['?', '#']) {
            problems.push(format!(
                "{:?} is no address to come back to; write it as in \
                 `https://shop.example/api/oidc` (http is for this machine only)",
                self.address
            ));
        }
        if !self.home.starts_with('/') || self.home.starts_with("//") {
            problems.push(format!("{:?} is no path to go to after a login", self.home));
        }
        if self.providers.is_empty() {
            problems.push("there is no provider; call OidcConfig::provider".into());
        }
        for (index, (name, provider)) in self.providers.iter().enumerate() {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            if name.is_empty() || !name.bytes().all(fits) {
                problems.push(format!("{name:?} cannot be a provider's name in a path"));
            }
            if self.providers[..index].iter().any(|(other, _)| other == name) {
                problems.push(format!("two providers have the name `{name}`"));
            }
            problems.extend(provider.problems(name));
        }
        problems
    }
}

/// The path of an address.
fn path(address: &str) -> &str {
    &address[root(address).len()..]
}

/// An address without its path.
fn root(address: &str) -> &str {
    let host = address.find("://").map_or(0, |scheme| scheme + 3);
    address[host..].find('/').map_or(address, |slash| &address[..host + slash])
}

impl<U: AuthUser> fmt::Debug for OidcConfig<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OidcConfig")
            .field("address", &self.address)
            .field("providers", &self.providers)
            .finish_non_exhaustive()
    }
}
