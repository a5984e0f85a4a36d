//! A provider at run time: sends people there, and learns who came back.

use std::{borrow::Cow, future::ready, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use super::{
    external::ExternalUser,
    github::GitHub,
    http::Http,
    openid::OpenId,
    provider::{Kind, Provider},
};
use crate::{
    error::{Error, Failure},
    rejection::Rejection,
    secret::random,
};

/// What binds a login to the browser that began it. Each is 256 bits from the operating system.
#[derive(Clone)]
pub(crate) struct Secrets {
    pub(crate) state: String,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
}

impl Secrets {
    /// New ones.
    pub(crate) fn generate() -> Result<Self, Error> {
        let secret = || random::<32>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        Ok(Self { state: secret()?, nonce: secret()?, verifier: secret()? })
    }
}

/// A provider and what is known of it.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) name: Arc<str>,
    pub(crate) issuer: String,
    pub(crate) verified_email: bool,
    protocol: Protocol,
}

#[derive(Debug)]
enum Protocol {
    OpenId(Box<OpenId>),
    GitHub(Box<GitHub>),
}

/// What every protocol needs.
#[derive(Debug)]
pub(super) struct Registration {
    pub(super) name: Arc<str>,
    pub(super) provider: Provider,
    pub(super) redirect: String,
    pub(super) http: Http,
}

impl Client {
    pub(crate) fn new(name: &str, provider: Provider, redirect: String, http: Http) -> Self {
        let name: Arc<str> = name.into();
        let (issuer, kind) = (provider.issuer().to_owned(), provider.kind.clone());
        let verified_email = provider.verified_email;
        let registration = Registration { name: name.clone(), provider, redirect, http };
        let protocol = match kind {
            Kind::OpenId { issuer } => {
                Protocol::OpenId(Box::new(OpenId::new(issuer, registration)))
            }
            Kind::GitHub { web, api } => {
                Protocol::GitHub(Box::new(GitHub::new(web, api, registration)))
            }
        };
        Self { name, issuer, verified_email, protocol }
    }

    /// Where to send somebody who wants to log in.
    ///
    /// # Errors
    ///
    /// - the provider cannot be asked where that is: [`Error::Provider`]
    pub(crate) fn authorize_url<'a>(
        &'a self,
        secrets: &'a Secrets,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<String, Error>> {
        match &self.protocol {
            Protocol::OpenId(openid) => Box::pin(openid.authorize_url(secrets, now)),
            Protocol::GitHub(github) => Box::pin(ready(github.authorize_url(secrets))),
        }
    }

    /// Whether the provider promises to name itself in every answer (RFC 9207).
    ///
    /// # Errors
    ///
    /// - the provider cannot be asked: [`Error::Provider`]
    pub(crate) fn names_itself(&self, now: DateTime<Utc>) -> BoxFuture<'_, Result<bool, Error>> {
        match &self.protocol {
            Protocol::OpenId(openid) => Box::pin(openid.names_itself(now)),
            Protocol::GitHub(_) => Box::pin(ready(Ok(false))),
        }
    }

    /// Who it is that the provider has sent back with this code.
    ///
    /// # Errors
    ///
    /// - the provider does not take the code, or what it says does not hold:
    ///   [`Failure::Rejected`]
    /// - the provider cannot be asked: [`Failure::Fault`]
    pub(crate) fn identify<'a>(
        &'a self,
        code: &'a str,
        secrets: &'a Secrets,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<ExternalUser, Failure>> {
        match &self.protocol {
            Protocol::OpenId(openid) => Box::pin(openid.identify(code, secrets, now)),
            Protocol::GitHub(github) => Box::pin(github.identify(code, secrets, now)),
        }
    }

    /// Where the provider ends its own session, `None` for one that does not offer it.
    ///
    /// # Errors
    ///
    /// - the provider cannot be asked: [`Error::Provider`]
    pub(crate) fn end_session_url<'a>(
        &'a self,
        return_to: &'a str,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<Option<String>, Error>> {
        match &self.protocol {
            Protocol::OpenId(openid) => Box::pin(openid.end_session_url(return_to, now)),
            Protocol::GitHub(_) => Box::pin(ready(Ok(None))),
        }
    }
}

/// What a provider says does not hold. The reason is for the log.
pub(super) fn refused(provider: &str, reason: impl Into<Cow<'static, str>>) -> Rejection {
    let reason = reason.into();
    tracing::warn!(provider, ?reason, "a login at a provider was refused");
    super::invalid_identity()
}

/// A member that is text, and not empty.
pub(super) fn text(claims: &Map<String, Value>, name: &str) -> Option<String> {
    claims.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}
