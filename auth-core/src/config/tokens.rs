//! What is configured about tokens.

use std::sync::Arc;

use chrono::TimeDelta;

use super::AuthConfig;
use crate::{
    jwt::{JwtKeys, TrustedIssuer},
    store::{DenyList, TokenStore},
};

impl AuthConfig {
    /// The keys that sign and verify tokens. Default: none, no tokens.
    pub fn jwt(mut self, keys: JwtKeys) -> Self {
        self.jwt = Some(keys);
        self
    }

    /// The `iss` of tokens, written and required. Default: `auth`. Services that share keys need
    /// names of their own.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = issuer.into();
        self
    }

    /// The `aud` of tokens, written and required. Default: the issuer.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// How long tokens live. Default: 10 minutes; OWASP ASVS 9.2.1 asks for short ones.
    pub fn token_lifetime(mut self, lifetime: TimeDelta) -> Self {
        self.token_lifetime = Some(lifetime);
        self
    }

    /// The scheme name in front of a token in `Authorization`, compared without regard to case.
    /// Default: `Bearer`.
    pub fn token_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.token_prefix = prefix.into();
        self
    }

    /// Takes the tokens of another issuer, for types of users that are made of claims. Default: none.
    /// See [`TrustedIssuer`].
    pub fn trust(mut self, issuer: TrustedIssuer) -> Self {
        self.trusted.push(issuer);
        self
    }

    /// Has documents say that tokens are issued for name and password at this address, as in
    /// `/api/oauth/token`: the OAuth 2 password flow. Swagger UI then logs in by itself. Default: they
    /// only say that there are tokens.
    ///
    /// The address is that of the token endpoint, as clients see it; one of your own has to read and
    /// answer what RFC 6749 says.
    pub fn document_password_flow(mut self, token_url: impl Into<String>) -> Self {
        self.password_flow = Some(token_url.into());
        self
    }

    /// Where refresh tokens are. Default: nowhere, there are none. With a store, every login that
    /// issues a token issues a refresh token too, see [`crate::jwt`].
    pub fn refresh_tokens(self, store: impl TokenStore) -> Self {
        self.shared_refresh_tokens(Arc::new(store))
    }

    /// Where refresh tokens are, for a store that something else uses too.
    pub fn shared_refresh_tokens(mut self, store: Arc<dyn TokenStore>) -> Self {
        self.refresh = Some(store);
        self
    }

    /// How long a refresh token may lie unused, and when all that came out of one login end, however
    /// much they are used. Default: 14 and 30 days; OWASP ASVS 10.4.8 asks for the second limit.
    pub fn refresh_lifetime(mut self, idle: TimeDelta, absolute: TimeDelta) -> Self {
        self.refresh_lifetime.idle = idle;
        self.refresh_lifetime.absolute = absolute;
        self
    }

    /// For how long after its exchange a refresh token that is presented again is refused without
    /// harm, and not taken for a stolen one. Default: 10 seconds; zero is the strictest, a minute
    /// the most. See [`crate::jwt`].
    pub fn refresh_grace(mut self, grace: TimeDelta) -> Self {
        self.refresh_lifetime.grace = grace;
        self
    }

    /// Where access tokens stand that were ended before they expire, as by a logout. Default:
    /// nowhere, they cannot be.
    ///
    /// It is asked at every request with a token, so it costs what its store costs.
    pub fn deny_list(self, list: impl DenyList) -> Self {
        self.shared_deny_list(Arc::new(list))
    }

    /// The same, for a list that something else uses too.
    pub fn shared_deny_list(mut self, list: Arc<dyn DenyList>) -> Self {
        self.denied = Some(list);
        self
    }
}
