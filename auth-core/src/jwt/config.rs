//! What an application decides about its tokens, and the service made of it.

use std::sync::Arc;

use chrono::TimeDelta;

use super::{AccessClaims, cache::VerifiedTokens, issue::header, keys::JwtKeys, refused};
use crate::{error::Error, secret::TokenId};

/// Ten minutes, the span for which a stolen token is of use.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// Thirty seconds between the clocks of two servers.
pub(super) const LEEWAY: TimeDelta = TimeDelta::seconds(30);
/// More than a minute between clocks is a fault of the clocks.
const MAX_LEEWAY: TimeDelta = TimeDelta::seconds(60);
const CACHE_ENTRIES: usize = 4096;

/// Keys, issuer, audience, and how long tokens live.
#[derive(Debug)]
#[must_use = "call `build`"]
pub struct JwtConfig {
    keys: JwtKeys,
    issuer: String,
    audience: String,
    lifetime: TimeDelta,
    leeway: TimeDelta,
    cache_entries: usize,
}

impl JwtConfig {
    /// Tokens that are signed and verified with these keys, by this issuer, for this audience.
    ///
    /// Issuer and audience are compared byte by byte; URLs of the services are usual. A token of
    /// another issuer is invalid, one for another audience is [`WrongAudience`].
    ///
    /// [`WrongAudience`]: super::Verified::WrongAudience
    pub fn new(keys: JwtKeys, issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            keys,
            issuer: issuer.into(),
            audience: audience.into(),
            lifetime: LIFETIME,
            leeway: LEEWAY,
            cache_entries: CACHE_ENTRIES,
        }
    }

    /// How long a token lives where the caller does not say. Ten minutes by default; a shorter life
    /// is what limits the use of a stolen token.
    pub fn lifetime(mut self, lifetime: TimeDelta) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// By how much the clocks of issuer and verifier may differ. 30 seconds by default, 60 at most.
    pub fn leeway(mut self, leeway: TimeDelta) -> Self {
        self.leeway = leeway;
        self
    }

    /// How many verified tokens are remembered, so that the next request with one of them costs no
    /// signature. 4096 by default, about 1 MiB; 0 remembers none.
    pub fn cache_entries(mut self, entries: usize) -> Self {
        self.cache_entries = entries;
        self
    }

    /// Checks the settings and makes the service.
    ///
    /// # Errors
    ///
    /// - issuer or audience is empty, the lifetime is below one second, the leeway is negative or
    ///   above 60 seconds: [`Error::Misconfigured`]
    /// - the system has no random numbers to give: [`Error::Crypto`]
    pub fn build(self) -> Result<Jwt, Error> {
        let Self { keys, issuer, audience, lifetime, leeway, cache_entries } = self;
        if issuer.is_empty() || audience.is_empty() {
            return Err(refused("issuer and audience of tokens may not be empty"));
        }
        if lifetime < TimeDelta::seconds(1) {
            return Err(refused("the lifetime of tokens is at least one second"));
        }
        if leeway < TimeDelta::zero() || leeway > MAX_LEEWAY {
            return Err(refused("the leeway of tokens is from 0 to 60 seconds"));
        }
        let header = keys.signing_key().map(header).transpose()?;
        let cache = VerifiedTokens::new(cache_entries)?;
        let leeway = leeway.num_seconds();
        Ok(Jwt { keys, header, issuer, audience, lifetime, leeway, cache })
    }
}

/// Issues and verifies access tokens. Made by [`JwtConfig::build`].
#[derive(Debug)]
pub struct Jwt {
    pub(super) keys: JwtKeys,
    /// The encoded header of every token that is issued, `None` where the ring cannot sign.
    pub(super) header: Option<Box<str>>,
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) lifetime: TimeDelta,
    /// In seconds, as claims are.
    pub(super) leeway: i64,
    pub(super) cache: Option<VerifiedTokens<Arc<AccessClaims>>>,
}

impl Jwt {
    /// Names the token that this service calls so.
    pub(crate) fn name(&self, jti: &str) -> TokenId {
        TokenId::new(&self.issuer, jti)
    }

    pub(crate) fn public_jwks(&self) -> Result<String, Error> {
        self.keys.public_jwks()
    }

    /// By how much clocks may differ.
    pub(crate) fn leeway(&self) -> TimeDelta {
        TimeDelta::seconds(self.leeway)
    }

    /// Names a token that this service has verified.
    pub(crate) fn token_id(&self, claims: &AccessClaims) -> TokenId {
        claims.id(&self.issuer)
    }

    /// The audience that tokens are issued for.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.audience
    }
}
