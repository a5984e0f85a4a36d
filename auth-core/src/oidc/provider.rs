//! Where people may log in: [`Provider`].

use std::fmt;

use secrecy::SecretString;

use super::http::is_protected;

/// A provider of identities, and this application's registration there.
///
/// # Examples
///
/// ```
/// use auth_core::oidc::Provider;
///
/// let google = Provider::google("client id", "client secret");
/// let company = Provider::new("https://login.example.com/realms/staff", "shop", "secret")
///     .scope("groups")
///     .trust_verified_email();
/// ```
#[derive(Clone)]
#[must_use = "hand it to `OidcConfig::provider`"]
pub struct Provider {
    pub(crate) kind: Kind,
    pub(crate) client_id: String,
    pub(crate) client_secret: SecretString,
    pub(crate) scopes: Vec<String>,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) verified_email: bool,
}

/// What a provider speaks.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// OpenID Connect, found by discovery.
    OpenId {
        /// The issuer.
        issuer: String,
    },
    /// GitHub's OAuth 2.0, which has no ID token.
    GitHub {
        /// Where people log in; it serves as the issuer.
        web: String,
        /// Where programs ask.
        api: String,
    },
}

/// Microsoft's names for "any tenant": their tokens have the issuer of the tenant, and which tenant
/// may come in is for the application to say.
const ANY_TENANT: [&str; 3] = ["common", "organizations", "consumers"];

/// Parameters of the request that are not the application's to set.
const RESERVED: [&str; 9] = [
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "response_mode",
    "response_type",
    "state",
];

impl Provider {
    /// Any provider of OpenID Connect, by its issuer: what stands before
    /// `/.well-known/openid-configuration`.
    pub fn new(
        issuer: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<SecretString>,
    ) -> Self {
        Self {
            kind: Kind::OpenId { issuer: issuer.into() },
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            scopes: ["profile", "email"].map(str::to_owned).to_vec(),
            parameters: Vec::new(),
            verified_email: false,
        }
    }

    /// Google.
    pub fn google(client_id: impl Into<String>, client_secret: impl Into<SecretString>) -> Self {
        Self::new("https://accounts.google.com", client_id, client_secret)
    }

    /// Microsoft Entra ID, the accounts of one tenant: its id, as in
    /// `72f988bf-86f1-41af-91ab-2d7cd011db47`.
    ///
    /// # Security
    ///
    /// Anybody may have a tenant, and say there what address he has. So there is no preset for all
    /// tenants at once, and the addresses of this provider should not be trusted.
    pub fn microsoft(
        tenant: impl AsRef<str>,
        client_id: impl Into<String>,
        client_secret: impl Into<SecretString>,
    ) -> Self {
        let issuer = format!("https://login.microsoftonline.com/{}/v2.0", tenant.as_ref());
        Self::new(issuer, client_id, client_secret)
    }

    /// GitLab at gitlab.com. One of your own is [`Provider::new`] with its address.
    pub fn gitlab(client_id: impl Into<String>, client_secret: impl Into<SecretString>) -> Self {
        Self::new("https://gitlab.com", client_id, client_secret)
    }

    /// GitHub. The subject is the numeric id of the account, for names can be given up and taken by
    /// others; the issuer is `https://github.com`.
    pub fn github(client_id: impl Into<String>, client_secret: impl Into<SecretString>) -> Self {
        Self::github_at("https://github.com", "https://api.github.com", client_id, client_secret)
    }

    /// GitHub Enterprise: where people log in, as in `https://github.example`, and where programs
    /// ask, as in `https://github.example/api/v3`.
    pub fn github_at(
        web: impl Into<String>,
        api: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<SecretString>,
    ) -> Self {
        Self {
            kind: Kind::GitHub { web: web.into(), api: api.into() },
            scopes: ["read:user", "user:email"].map(str::to_owned).to_vec(),
            ..Self::new("", client_id, client_secret)
        }
    }

    /// Asks for one scope more. Default: `openid profile email`, at GitHub `read:user user:email`.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// Asks for these scopes and no others; `openid` is always asked for where it has a meaning.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a parameter to the request for a login, as in `("prompt", "select_account")`.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Believes this provider that an address which it calls verified belongs to the person. Default:
    /// no.
    ///
    /// It is asked where the application finds an account with the same verified address; see
    /// [`Account::SameAddress`](crate::features::Account::SameAddress).
    ///
    /// # Security
    ///
    /// Who runs a trusted provider can log in to every account whose address he claims. Trust one
    /// that verifies addresses itself and lets nobody else say what they are.
    pub fn trust_verified_email(mut self) -> Self {
        self.verified_email = true;
        self
    }

    /// The issuer of its identities.
    #[must_use]
    pub fn issuer(&self) -> &str {
        match &self.kind {
            Kind::OpenId { issuer } => issuer,
            Kind::GitHub { web, .. } => web,
        }
    }

    /// What does not fit, one sentence each.
    pub(crate) fn problems(&self, name: &str) -> Vec<String> {
        let mut problems = Vec::new();
        let addresses = match &self.kind {
            Kind::OpenId { issuer } => vec![issuer],
            Kind::GitHub { web, api } => vec![web, api],
        };
        for address in addresses {
            if !is_protected(address) || address.contains(['?', '#']) {
                problems.push(format!(
                    "the provider `{name}` is at {address:?}; write it as in \
                     `https://login.example`, without a query (http is for this machine only)"
                ));
            } else if matches!(self.kind, Kind::GitHub { .. }) && address.ends_with('/') {
                problems.push(format!("the provider `{name}`: {address:?} ends with a slash"));
            }
        }
        if let Kind::OpenId { issuer } = &self.kind
            && let Some(rest) = issuer.strip_prefix("https://login.microsoftonline.com/")
            && ANY_TENANT.iter().any(|any| rest.split('/').next() == Some(any))
        {
            problems.push(format!(
                "the provider `{name}` is for the accounts of any tenant, each of which is another \
                 issuer; write `Provider::microsoft(\"<tenant id>\", ..)`"
            ));
        }
        if self.client_id.is_empty() {
            problems.push(format!("the provider `{name}` has no client id"));
        }
        for (parameter, _) in &self.parameters {
            if RESERVED.contains(&parameter.as_str()) {
                problems.push(format!(
                    "the provider `{name}` sets the parameter `{parameter}`, which the login needs \
                     for itself"
                ));
            }
        }
        problems
    }
}

impl fmt::Debug for Provider {
    /// Shows no secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("kind", &self.kind)
            .field("client_id", &self.client_id)
            .field("scopes", &self.scopes)
            .field("verified_email", &self.verified_email)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_fit_and_mistakes_say_what_to_write() {
        for provider in [
            Provider::new("https://login.example/realms/a", "id", "secret"),
            Provider::google("id", "secret"),
            Provider::microsoft("72f988bf-86f1-41af-91ab-2d7cd011db47", "id", "secret"),
            Provider::gitlab("id", "secret"),
            Provider::github("id", "secret"),
            Provider::google("id", "secret").parameter("prompt", "consent"),
        ] {
            assert!(provider.problems("x").is_empty(), "{:?}", provider.problems("x"));
            assert!(!format!("{provider:?}").contains("\"secret\""), "{provider:?}");
        }
        for (provider, expected) in [
            (Provider::new("http://login.example", "id", "secret"), "https://login.example"),
            (Provider::new("https://login.example/?a", "id", "secret"), "without a query"),
            (Provider::microsoft("common", "id", "secret"), "<tenant id>"),
            (Provider::github_at("https://a/", "https://a/api", "id", "s"), "ends with a slash"),
            (Provider::google("", "secret"), "no client id"),
            (Provider::google("id", "secret").parameter("state", "x"), "`state`"),
        ] {
            let problems = provider.problems("x");
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].contains(expected), "{problems:?}");
        }
    }
}
