//! A user's API keys: making one, listing, replacing and revoking them.
//!
//! - Needs: [`AuthConfig::api_keys`](crate::config::AuthConfig::api_keys).
//! - Refuses: `missing_credentials`, `reauthentication_required`, `insufficient_scope`.
//!
//! Whoever comes with an API key or a signature may not make or change keys: one that was stolen
//! would outlive its being revoked. Neither may a restricted credential make a key that reaches
//! farther.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::AuthHandle;
use crate::{
    api_keys::{ApiKey, ApiKeyRecord, ApiKeyVerifier},
    error::Failure,
    http::truncated,
    rejection::Rejection,
    requirement::Requirement,
    scheme::{Identity, SchemeKind, stamp_of},
    scopes::Scopes,
    user::{AuthUser, UserKey},
};

/// How much of a key's name is kept.
pub(super) const NAME_BYTES: usize = 255;

/// The longest that a key may be wanted to live; one without an end lives longer.
pub(super) const LONGEST: TimeDelta = TimeDelta::days(100 * 365);

/// An API key, as a list shows it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ApiKeyInfo {
    /// The name to revoke it by; no credential.
    pub id: String,
    /// What the user calls it.
    pub name: String,
    /// How far it reaches.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends, `None` for one that does not.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last presented, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl From<&ApiKeyRecord> for ApiKeyInfo {
    fn from(record: &ApiKeyRecord) -> Self {
        Self {
            id: record.id.clone(),
            name: record.name.clone(),
            scopes: record.scopes.clone(),
            created_at: record.created_at,
            expires_at: record.expires_at,
            last_used_at: record.last_used_at,
        }
    }
}

/// A restriction to these scopes. A space would make two of one when the list is stored, so it does
/// now.
pub(super) fn list<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> Scopes {
    let scopes: Vec<String> = scopes.into_iter().map(|scope| scope.as_ref().into()).collect();
    Scopes::parse(&scopes.join(" "))
}

/// A key that was just made, or has a new secret.
#[derive(Debug)]
#[non_exhaustive]
pub struct IssuedApiKey {
    /// The key itself: show it now, nobody can later.
    pub key: ApiKey,
    /// What lists show of it.
    pub info: ApiKeyInfo,
}

/// An API key that is about to be made and waits for its `.await`.
#[derive(Debug)]
#[must_use = "nothing happens before `.await`"]
pub struct CreateApiKey<'a, U: AuthUser> {
    auth: &'a AuthHandle<U>,
    name: &'a str,
    scopes: Option<Scopes>,
    lifetime: Option<TimeDelta>,
}

impl<U: AuthUser> CreateApiKey<'_, U> {
    /// Restricts the key. Default: it reaches as far as the credential of this request.
    pub fn scopes<S: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = Some(list(scopes));
        self
    }

    /// Lets the key end after this time. Default: it does not end by itself.
    pub fn expires_in(mut self, lifetime: TimeDelta) -> Self {
        self.lifetime = Some(lifetime);
        self
    }
}

impl<'a, U: AuthUser> IntoFuture for CreateApiKey<'a, U> {
    type Output = Result<IssuedApiKey, Failure>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { auth, name, scopes, lifetime } = self;
            let identity = auth.key_holder()?;
            let scopes = scopes.unwrap_or_else(|| identity.scopes.clone());
            if !identity.scopes.include(&scopes) {
                return Err(Rejection::InsufficientScope(Requirement::LoggedIn).into());
            }
            let scheme = auth.context.api_keys()?;
            let user = &*identity.user;
            let now = auth.context.now();
            loop {
                let key = ApiKey::generate(scheme.keys.key_prefix())?;
                let record = ApiKeyRecord {
                    id: key.id().to_owned(),
                    user: UserKey::of(user),
                    verifier: ApiKeyVerifier { hash: key.hash(), stamp: stamp_of(user) },
                    name: truncated(name, NAME_BYTES).to_owned(),
                    scopes: scopes.clone(),
                    created_at: now,
                    expires_at: lifetime.map(|time| now + time.min(LONGEST)),
                    last_used_at: None,
                };
                // Ids are random; one that is taken is not worth more than another try.
                if scheme.keys.store().create(&record).await? {
                    tracing::info!(users = U::META.table, id = %user.id(), key = key.id(), "an API key was made");
                    return Ok(IssuedApiKey { info: (&record).into(), key });
                }
            }
        })
    }
}

impl<U: AuthUser> AuthHandle<U> {
    /// Makes an API key for the request's user: `auth.create_api_key("deploy").scopes(["deploy"])`.
    /// The key is in the answer and can be had nowhere else.
    ///
    /// # Errors
    ///
    /// - the operation has no user: [`Rejection::MissingCredentials`]
    /// - he came with an API key or a signature: [`Rejection::ReauthenticationRequired`]
    /// - the key would reach farther than the credential of this request:
    ///   [`Rejection::InsufficientScope`]
    /// - the store cannot answer: [`Failure::Fault`]
    pub fn create_api_key<'a>(&'a self, name: &'a str) -> CreateApiKey<'a, U> {
        CreateApiKey { auth: self, name, scopes: None, lifetime: None }
    }

    /// The API keys of the request's user, oldest first, without those that have ended.
    ///
    /// # Errors
    ///
    /// - the operation has no user: [`Rejection::MissingCredentials`]
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn api_keys(&self) -> Result<Vec<ApiKeyInfo>, Failure> {
        let identity = self.identity().ok_or(Rejection::MissingCredentials)?;
        self.api_keys_of(identity.user.id()).await
    }

    /// Gives an API key of the request's user a new secret; the old one is dead at once. Name, id,
    /// scopes and end stay. `None` if he has no such key, or it has ended.
    ///
    /// # Errors
    ///
    /// - the operation has no user: [`Rejection::MissingCredentials`]
    /// - he came with an API key or a signature: [`Rejection::ReauthenticationRequired`]
    /// - the credential of this request does not reach as far as the key:
    ///   [`Rejection::InsufficientScope`]
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn rotate_api_key(&self, id: &str) -> Result<Option<IssuedApiKey>, Failure> {
        let identity = self.key_holder()?;
        let scheme = self.context.api_keys()?;
        let store = scheme.keys.store();
        let (owner, now) = (UserKey::of(&*identity.user), self.context.now());
        let record = store.load(id).await?.filter(|record| record.user == owner);
        let Some(record) = record else { return Ok(None) };
        if !identity.scopes.include(&record.scopes) {
            return Err(Rejection::InsufficientScope(Requirement::LoggedIn).into());
        }
        let key = ApiKey::with_id(scheme.keys.key_prefix(), &record.id)?;
        let verifier = ApiKeyVerifier { hash: key.hash(), stamp: stamp_of(&*identity.user) };
        if !store.rotate(&owner, &record.id, &verifier, now).await? {
            return Ok(None);
        }
        tracing::info!(users = U::META.table, key = key.id(), "an API key was rotated");
        Ok(Some(IssuedApiKey { key, info: (&*record).into() }))
    }

    /// Revokes an API key of the request's user, and says whether it was there. Another user's is
    /// not.
    ///
    /// # Errors
    ///
    /// - the operation has no user: [`Rejection::MissingCredentials`]
    /// - he came with an API key or a signature: [`Rejection::ReauthenticationRequired`]
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn revoke_api_key(&self, id: &str) -> Result<bool, Failure> {
        let identity = self.key_holder()?;
        self.revoke_api_key_of(identity.user.id(), id).await
    }

    /// The API keys of any user, oldest first, without those that have ended.
    ///
    /// Who may ask is the operation's to say: `#[require(…)]`.
    ///
    /// # Errors
    ///
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn api_keys_of(&self, user: &U::Id) -> Result<Vec<ApiKeyInfo>, Failure> {
        let now = self.context.now();
        let store = self.context.api_keys()?.keys.store();
        let records = store.list_by_user(&UserKey::from_id::<U>(user)).await?;
        Ok(records
            .iter()
            .filter(|record| record.is_live(now))
            .map(|record| (&**record).into())
            .collect())
    }

    /// Revokes an API key of any user, and says whether it was there and his.
    ///
    /// Who may ask is the operation's to say: `#[require(…)]`.
    ///
    /// # Errors
    ///
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn revoke_api_key_of(&self, user: &U::Id, id: &str) -> Result<bool, Failure> {
        let store = self.context.api_keys()?.keys.store();
        let revoked = store.delete(&UserKey::from_id::<U>(user), id).await?;
        if revoked {
            tracing::info!(users = U::META.table, key = id, "an API key was revoked");
        }
        Ok(revoked)
    }

    /// Revokes all API keys of any user, and says how many there were: for one who is removed, so
    /// that nobody who gets his id gets his keys.
    ///
    /// Who may ask is the operation's to say: `#[require(…)]`.
    ///
    /// # Errors
    ///
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn revoke_api_keys_of(&self, user: &U::Id) -> Result<u64, Failure> {
        let store = self.context.api_keys()?.keys.store();
        Ok(store.delete_by_user(&UserKey::from_id::<U>(user)).await?)
    }

    /// The request's user, if he came with more than a key.
    pub(super) fn key_holder(&self) -> Result<Identity<U>, Rejection> {
        let identity = self.identity().ok_or(Rejection::MissingCredentials)?;
        match identity.scheme {
            SchemeKind::ApiKey | SchemeKind::Signature => Err(Rejection::ReauthenticationRequired),
            SchemeKind::Session
            | SchemeKind::Bearer
            | SchemeKind::Basic
            | SchemeKind::Custom(_) => Ok(identity),
        }
    }
}
