//! The keys that somebody else signs his tokens with: [`RemoteJwks`].

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::{
    cached::{Cached, Freshness, Renewed},
    http::{Http, fault, is_protected},
};
use crate::{
    clock::{Clock, SystemClock},
    error::Error,
    jwt::{JwtKeys, KeySource},
};

/// A set of public keys at a fixed address ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)), for
/// a service that takes the tokens of another.
///
/// The set is fetched when the first token comes, and kept for an hour. A token of a key that is not
/// in it has the set fetched again, at most once in ten seconds and once at a time. While there is no
/// answer, the last one serves for a day.
///
/// # Security
///
/// The address comes from the configuration, and is never taken from a token: `jku` and `x5u` are not
/// looked at. Only public keys are taken from the answer, never shared secrets, and each verifies
/// with its one algorithm. A token whose key nobody can ask for is a fault, 503, and not "nobody's".
#[derive(Debug)]
pub struct RemoteJwks {
    place: Place,
    http: Http,
    url: Cached<String>,
    keys: Cached<JwtKeys>,
    clock: Arc<dyn Clock>,
}

/// Where the keys are.
#[derive(Debug)]
enum Place {
    Url(String),
    /// Where the issuer's discovery document says.
    Issuer(String),
}

impl RemoteJwks {
    /// The set at this address.
    ///
    /// # Errors
    ///
    /// - the address is not protected by https: [`Error::Misconfigured`]
    pub fn new(url: impl Into<String>) -> Result<Self, Error> {
        Self::at(Place::Url(url.into()))
    }

    /// The set of an issuer, whose address its discovery document tells.
    ///
    /// # Errors
    ///
    /// - the issuer is not protected by https: [`Error::Misconfigured`]
    pub fn of_issuer(issuer: impl Into<String>) -> Result<Self, Error> {
        Self::at(Place::Issuer(issuer.into()))
    }

    fn at(place: Place) -> Result<Self, Error> {
        let address = place.address();
        if !is_protected(address) {
            return Err(Error::Misconfigured(format!(
                "the keys at {address:?} are not protected by https (http is for this machine only)"
            )));
        }
        let freshness = Freshness::default();
        let (url, keys) =
            (Cached::new(address.into(), freshness), Cached::new(address.into(), freshness));
        Ok(Self { http: Http::new()?, url, keys, place, clock: Arc::new(SystemClock) })
    }

    /// For how long a set is good: one hour, unless it is said here.
    #[must_use]
    pub fn fresh_for(mut self, fresh: TimeDelta) -> Self {
        let address = self.place.address().into();
        self.keys = Cached::new(address, Freshness { fresh, ..Freshness::default() });
        self
    }

    /// The clock by which a [`KeySource`] is asked. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The set that has the key of this name; `None` if there is no such key. Without a name, the set
    /// of one key only.
    ///
    /// # Errors
    ///
    /// - nobody can tell, because the set cannot be fetched: [`Error::Provider`]
    pub async fn key(
        &self,
        kid: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<JwtKeys>>, Error> {
        Ok(Some(self.ring(kid, now).await?).filter(|ring| ring.has(kid)))
    }

    /// The set, as new as it takes for this key.
    async fn ring(&self, kid: Option<&str>, now: DateTime<Utc>) -> Result<Arc<JwtKeys>, Error> {
        let known = self.keys.get(now, self.fetch(now)).await?;
        if known.has(kid) {
            return Ok(known);
        }
        match self.keys.newer_than(known.clone(), now, self.fetch(now)).await? {
            Renewed::Newer(newer) => Ok(newer),
            Renewed::Same => Ok(known),
        }
    }

    async fn fetch(&self, now: DateTime<Utc>) -> Result<JwtKeys, Error> {
        let url = match &self.place {
            Place::Url(url) => url.clone(),
            Place::Issuer(issuer) => (*self.url.get(now, self.discover(issuer)).await?).clone(),
        };
        let body = self.http.get(&url).await.map_err(|error| fault(&url, error))?;
        let json = std::str::from_utf8(&body).map_err(|error| fault(&url, error))?;
        JwtKeys::published_jwks(json).map_err(|error| fault(&url, error))
    }

    async fn discover(&self, issuer: &str) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct Document {
            issuer: String,
            jwks_uri: String,
        }
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let body = self.http.get(&url).await.map_err(|error| fault(issuer, error))?;
        let document: Document = serde_json::from_slice(&body)
            .map_err(|error| fault(issuer, format!("its discovery document: {error}")))?;
        if document.issuer != issuer || !is_protected(&document.jwks_uri) {
            return Err(fault(issuer, "its discovery document is another's, or names plain http"));
        }
        Ok(document.jwks_uri)
    }
}

#[async_trait]
impl KeySource for RemoteJwks {
    async fn keys(&self, kid: Option<&str>) -> Result<Arc<JwtKeys>, Error> {
        self.ring(kid, self.clock.now()).await
    }

    fn keys_now(&self, kid: Option<&str>) -> Option<Arc<JwtKeys>> {
        self.keys.fresh(self.clock.now()).filter(|ring| ring.has(kid))
    }
}

impl Place {
    fn address(&self) -> &str {
        match self {
            Self::Url(address) | Self::Issuer(address) => address,
        }
    }
}
