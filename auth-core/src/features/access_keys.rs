//! A user's access keys: making one, listing and revoking them. Programs sign their requests with
//! them.
//!
//! - Needs: [`AuthConfig::signatures`](crate::config::AuthConfig::signatures).
//! - Refuses: `missing_credentials`, `reauthentication_required`, `insufficient_scope`;
//!   `invalid_public_key`, 422.
//!
//! The rules are those of API keys: whoever comes with a key makes none.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
};

use aws_lc_rs::signature::{ED25519, ParsedPublicKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use zeroize::Zeroizing;

use super::{
    AuthHandle,
    api_keys::{LONGEST, NAME_BYTES},
};
use crate::{
    access_keys::{AccessKeyRecord, KeyMaterial},
    error::Failure,
    http::truncated,
    rejection::Rejection,
    requirement::Requirement,
    scheme::signed_purpose,
    scopes::Scopes,
    secret::random,
    signature::SignatureAlgorithm,
    user::{AuthUser, UserKey},
};

/// An access key, as a list shows it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AccessKeyInfo {
    /// The name by which signatures name it, and to revoke it by; no credential.
    pub id: String,
    /// How it signs.
    pub algorithm: SignatureAlgorithm,
    /// What the user calls it.
    pub name: String,
    /// How far it reaches.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends, `None` for one that does not.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl From<&AccessKeyRecord> for AccessKeyInfo {
    fn from(record: &AccessKeyRecord) -> Self {
        Self {
            id: record.id.clone(),
            algorithm: record.verifier.algorithm(),
            name: record.name.clone(),
            scopes: record.scopes.clone(),
            created_at: record.created_at,
            expires_at: record.expires_at,
            last_used_at: record.last_used_at,
        }
    }
}

/// A key that was just made.
#[non_exhaustive]
pub struct IssuedAccessKey {
    /// The secret of an HMAC key, text: show it now, nobody can later. `None` for an Ed25519 key,
    /// whose private half the user has.
    pub secret: Option<Zeroizing<String>>,
    /// What lists show of it.
    pub info: AccessKeyInfo,
}

impl fmt::Debug for IssuedAccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedAccessKey").field("info", &self.info).finish_non_exhaustive()
    }
}

/// An access key that is about to be made and waits for its `.await`.
#[derive(Debug)]
#[must_use = "nothing happens before `.await`"]
pub struct CreateAccessKey<'a, U: AuthUser> {
    auth: &'a AuthHandle<U>,
    name: &'a str,
    public_key: Option<Vec<u8>>,
    scopes: Option<Scopes>,
    lifetime: Option<TimeDelta>,
}

impl<U: AuthUser> CreateAccessKey<'_, U> {
    /// Registers a public Ed25519 key, 32 bytes. Default: an HMAC key is made, and its secret is in
    /// the answer.
    pub fn ed25519(mut self, public_key: impl AsRef<[u8]>) -> Self {
        self.public_key = Some(public_key.as_ref().to_vec());
        self
    }

    /// Restricts the key. Default: it reaches as far as the credential of this request.
    pub fn scopes<S: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = Some(super::api_keys::list(scopes));
        self
    }

    /// Lets the key end after this time. Default: it does not end by itself.
    pub fn expires_in(mut self, lifetime: TimeDelta) -> Self {
        self.lifetime = Some(lifetime);
        self
    }
}

impl<'a, U: AuthUser> IntoFuture for CreateAccessKey<'a, U> {
    type Output = Result<IssuedAccessKey, Failure>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { auth, name, public_key, scopes, lifetime } = self;
            let identity = auth.key_holder()?;
            let scopes = scopes.unwrap_or_else(|| identity.scopes.clone());
            if !identity.scopes.include(&scopes) {
                return Err(Rejection::InsufficientScope(Requirement::LoggedIn).into());
            }
            let settings = &auth.context.signatures()?.settings;
            let user = UserKey::of(&*identity.user);
            let now = auth.context.now();
            let public_key = public_key.map(|key| parsed(&key)).transpose()?;
            loop {
                let id = format!("ak_{}", URL_SAFE_NO_PAD.encode(random::<15>()?));
                let (verifier, secret) = match public_key {
                    Some(public_key) => (KeyMaterial::Ed25519 { public_key }, None),
                    None => {
                        let bytes = Zeroizing::new(random::<32>()?);
                        let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes));
                        let purpose = signed_purpose(&id, &user);
                        let sealed = settings.sealing.seal(&purpose, secret.as_bytes())?;
                        (KeyMaterial::HmacSha256 { sealed }, Some(secret))
                    }
                };
                let record = AccessKeyRecord {
                    id,
                    user: user.clone(),
                    verifier,
                    name: truncated(name, NAME_BYTES).to_owned(),
                    scopes: scopes.clone(),
                    created_at: now,
                    expires_at: lifetime.map(|time| now + time.min(LONGEST)),
                    last_used_at: None,
                };
                // Ids are random; one that is taken is not worth more than another try.
                if settings.keys.create(&record).await? {
                    let info = AccessKeyInfo::from(&record);
                    tracing::info!(users = U::META.table, id = %identity.user.id(), key = info.id, "an access key was made");
                    return Ok(IssuedAccessKey { secret, info });
                }
            }
        })
    }
}

/// A public key, if it is one.
fn parsed(bytes: &[u8]) -> Result<[u8; 32], Rejection> {
    let key = <[u8; 32]>::try_from(bytes).ok();
    key.filter(|key| ParsedPublicKey::new(&ED25519, key).is_ok()).ok_or_else(|| {
        Rejection::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_public_key",
            "This is no public Ed25519 key of 32 bytes.",
        )
    })
}

impl<U: AuthUser> AuthHandle<U> {
    /// Makes an access key for the request's user, with which programs sign requests:
    /// `auth.create_access_key("ci").scopes(["deploy"])`. The secret is in the answer and can be had
    /// nowhere else; with [`ed25519`](CreateAccessKey::ed25519) there is none.
    ///
    /// # Errors
    ///
    /// - the operation has no user: [`Rejection::MissingCredentials`]
    /// - he came with an API key or a signature: [`Rejection::ReauthenticationRequired`]
    /// - the key would reach farther than the credential of this request:
    ///   [`Rejection::InsufficientScope`]
    /// - what is to be registered is no public key: 422 `invalid_public_key`
    /// - the store cannot answer: [`Failure::Fault`]
    pub fn create_access_key<'a>(&'a self, name: &'a str) -> CreateAccessKey<'a, U> {
        CreateAccessKey { auth: self, name, public_key: None, scopes: None, lifetime: None }
    }

    /// The access keys of the request's user, oldest first, without those that have ended.
    ///
    /// # Errors
    ///
    /// - the operation has no user: [`Rejection::MissingCredentials`]
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn access_keys(&self) -> Result<Vec<AccessKeyInfo>, Failure> {
        let identity = self.identity().ok_or(Rejection::MissingCredentials)?;
        self.access_keys_of(identity.user.id()).await
    }

    /// Revokes an access key of the request's user, and says whether it was there. Another user's is
    /// not.
    ///
    /// # Errors
    ///
    /// - the operation has no user: [`Rejection::MissingCredentials`]
    /// - he came with an API key or a signature: [`Rejection::ReauthenticationRequired`]
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn revoke_access_key(&self, id: &str) -> Result<bool, Failure> {
        let identity = self.key_holder()?;
        self.revoke_access_key_of(identity.user.id(), id).await
    }

    /// The access keys of any user, oldest first, without those that have ended.
    ///
    /// Who may ask is the operation's to say: `#[require(…)]`.
    ///
    /// # Errors
    ///
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn access_keys_of(&self, user: &U::Id) -> Result<Vec<AccessKeyInfo>, Failure> {
        let now = self.context.now();
        let store = &self.context.signatures()?.settings.keys;
        let records = store.list_by_user(&UserKey::from_id::<U>(user)).await?;
        let live = records.iter().filter(|record| record.is_live(now));
        Ok(live.map(|record| (&**record).into()).collect())
    }

    /// Revokes an access key of any user, and says whether it was there and his.
    ///
    /// Who may ask is the operation's to say: `#[require(…)]`.
    ///
    /// # Errors
    ///
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn revoke_access_key_of(&self, user: &U::Id, id: &str) -> Result<bool, Failure> {
        let store = &self.context.signatures()?.settings.keys;
        let revoked = store.delete(&UserKey::from_id::<U>(user), id).await?;
        if revoked {
            tracing::info!(users = U::META.table, key = id, "an access key was revoked");
        }
        Ok(revoked)
    }

    /// Revokes all access keys of any user, and says how many there were: for one who is removed,
    /// so that nobody who gets his id gets his keys.
    ///
    /// Who may ask is the operation's to say: `#[require(…)]`.
    ///
    /// # Errors
    ///
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn revoke_access_keys_of(&self, user: &U::Id) -> Result<u64, Failure> {
        let store = &self.context.signatures()?.settings.keys;
        Ok(store.delete_by_user(&UserKey::from_id::<U>(user)).await?)
    }
}
