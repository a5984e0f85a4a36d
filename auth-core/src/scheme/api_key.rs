//! An API key as a credential: in a header of its own, or as a bearer token.

use chrono::DateTime;
use http::{HeaderName, HeaderValue};

use super::{Claim, Found, SchemeKind};
use crate::{
    api_keys::{ApiKeys, PresentedKey},
    context::Context,
    error::Error,
    http::{
        RequestHead,
        authorization::{Authorization, challenge},
    },
    keys::note_use,
    rejection::Rejection,
    scopes::Scopes,
    user::AuthUser,
};

/// The API key scheme as it is configured.
#[derive(Debug)]
pub(crate) struct ApiKeyScheme {
    pub(crate) keys: ApiKeys,
    /// The header for a key.
    pub(crate) header: HeaderName,
    /// What stands before a key in `Authorization`, `None` where none may.
    pub(crate) bearer: Option<String>,
    /// What challenges name.
    pub(crate) realm: String,
}

impl ApiKeyScheme {
    /// What `WWW-Authenticate` says of it.
    pub(crate) fn challenge(&self) -> Option<HeaderValue> {
        challenge("ApiKey", &self.realm, &format!(", header=\"{}\"", self.header))
    }

    /// Whether the request has the header.
    pub(crate) fn is_in_header(&self, head: &RequestHead<'_>) -> bool {
        head.headers.contains_key(&self.header)
    }

    /// The key that the request presents as a bearer token. Other tokens are none, unless every
    /// token is meant to be a key.
    pub(crate) fn bearer_key<'a>(&self, head: &RequestHead<'a>, every: bool) -> Option<&'a str> {
        let bearer = self.bearer.as_ref()?;
        match Authorization::of(head.headers) {
            Authorization::Scheme { name, credentials }
                if name.eq_ignore_ascii_case(bearer)
                    && (every || PresentedKey::begins(self.keys.key_prefix(), credentials)) =>
            {
                Some(credentials)
            }
            _ => None,
        }
    }

    /// The key that the request presents. `every` says whether every bearer token is meant to be one.
    ///
    /// # Errors
    ///
    /// - two different ones, or what cannot be read: [`Rejection::MalformedCredentials`]
    pub(super) fn presented<'a>(
        &self,
        head: &RequestHead<'a>,
        every: bool,
    ) -> Result<Option<&'a str>, Rejection> {
        if every
            && self.bearer.is_some()
            && Authorization::of(head.headers) == Authorization::Malformed
        {
            return Err(Rejection::MalformedCredentials);
        }
        match (head.header(&self.header)?, self.bearer_key(head, every)) {
            (Some(one), Some(other)) if one != other => Err(Rejection::MalformedCredentials),
            (one, other) => Ok(one.or(other)),
        }
    }

    /// Whom the key names.
    pub(super) async fn find<U: AuthUser>(
        &self,
        text: &str,
        context: &Context,
    ) -> Result<Found, Error> {
        let refused = |reason| {
            tracing::debug!(reason, "an API key was refused");
            Ok(Found::Invalid(Rejection::InvalidApiKey))
        };
        let Some(presented) = PresentedKey::parse(self.keys.key_prefix(), text) else {
            return refused("it was not made here");
        };
        let store = self.keys.store();
        let Some(record) = store.load(presented.id).await? else {
            return refused("there is none of this id");
        };
        if record.verifier.hash != presented.hash {
            return refused("its secret is wrong");
        }
        let now = context.now();
        if !record.is_live(now) {
            return refused("it has ended");
        }
        // A key of another type of user says nothing about this one.
        if !record.user.is_of::<U>() {
            return Ok(Found::Absent);
        }
        note_use(&**store, &record, now).await;
        Ok(Found::Claim(Claim {
            user: record.user.clone(),
            stamp: self.keys.ends_with_password().then_some(record.verifier.stamp),
            token: None,
            login_at: DateTime::UNIX_EPOCH,
            scheme: SchemeKind::ApiKey,
            ambient: false,
            scopes: Scopes::clone(&record.scopes),
        }))
    }
}
