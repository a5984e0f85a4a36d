//! Keys of programs that sign their requests.
//!
//! Whoever comes by a key himself makes and changes none: a stolen one would outlive its end.

use auth_poem::{
    features::{AccessKeyInfo, IssuedAccessKey},
    prelude::*,
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use example_kit::Nullable;
use poem::http::StatusCode;
use poem_openapi::{ApiResponse, Enum, Object, param::Path, payload::Json};

use super::{Deleted, Tag, disabled};
use crate::user::User;

/// The operations.
#[derive(Debug)]
pub struct AccessKeysApi {
    /// Whether signatures are a way in.
    pub(super) is_open: bool,
}

/// How a key signs, as RFC 9421 names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
enum Algorithm {
    /// Both sides know a secret.
    #[oai(rename = "hmac-sha256")]
    HmacSha256,
    /// The server knows the public key only.
    #[oai(rename = "ed25519")]
    Ed25519,
}

/// What a key is to be.
#[derive(Object)]
struct NewAccessKey {
    /// What its owner calls it.
    #[oai(validator(min_length = 1, max_length = 100))]
    name: String,
    algorithm: Algorithm,
    /// With `ed25519`: the public key, 32 bytes in base64.
    public_key: Option<String>,
}

/// A key, as a list shows it.
#[derive(Object)]
#[oai(rename = "AccessKey")]
struct AccessKeyView {
    /// What signatures name as `keyid`.
    id: String,
    name: String,
    algorithm: String,
    created_at: DateTime<Utc>,
    /// To the minute.
    last_used_at: Nullable<DateTime<Utc>>,
}

/// A key that was just made: this answer is the only one with the secret.
#[derive(Object)]
#[oai(rename = "IssuedAccessKey")]
struct NewAccessKeyView {
    #[oai(flatten)]
    key: AccessKeyView,
    /// The secret of an HMAC key: its bytes are those of this text.
    #[oai(skip_serializing_if_is_none)]
    secret: Option<String>,
    /// The registered public key.
    #[oai(skip_serializing_if_is_none)]
    public_key: Option<String>,
}

/// A new key.
#[derive(ApiResponse)]
enum Created {
    /// The key. Nobody can see its secret later.
    #[oai(status = 201)]
    Key(Json<NewAccessKeyView>),
}

impl From<AccessKeyInfo> for AccessKeyView {
    fn from(info: AccessKeyInfo) -> Self {
        Self {
            id: info.id,
            name: info.name,
            algorithm: info.algorithm.name().into(),
            created_at: info.created_at,
            last_used_at: Nullable(info.last_used_at),
        }
    }
}

#[auth_api(prefix_path = "/access-keys", tag = "Tag::AccessKeys")]
impl AccessKeysApi {
    /// Makes a key, or registers the public half of one.
    #[schemes(session, bearer, basic)]
    #[rejects(scheme_disabled = 404, invalid_public_key = 422)]
    #[oai(path = "/", method = "post")]
    async fn create(
        &self,
        _user: User,
        auth: Auth<User>,
        data: Json<NewAccessKey>,
    ) -> auth_poem::Result<Created> {
        self.check()?;
        let NewAccessKey { name, algorithm, public_key } = data.0;
        let key = auth.create_access_key(&name);
        let key = match (algorithm, &public_key) {
            (Algorithm::HmacSha256, None) => key,
            (Algorithm::Ed25519, Some(text)) => key.ed25519(decoded(text)?),
            (Algorithm::HmacSha256, Some(_)) => {
                return Err(invalid("A public key goes with the algorithm ed25519.").into());
            }
            (Algorithm::Ed25519, None) => {
                return Err(invalid("The algorithm ed25519 needs a public key.").into());
            }
        };
        let IssuedAccessKey { secret, info, .. } = key.await?;
        let secret = secret.map(|secret| secret.to_string());
        Ok(Created::Key(Json(NewAccessKeyView { key: info.into(), secret, public_key })))
    }

    /// One's keys, the oldest first.
    #[rejects(scheme_disabled = 404)]
    #[oai(path = "/", method = "get")]
    async fn list(
        &self,
        _user: User,
        auth: Auth<User>,
    ) -> auth_poem::Result<Json<Vec<AccessKeyView>>> {
        self.check()?;
        Ok(Json(auth.access_keys().await?.into_iter().map(Into::into).collect()))
    }

    /// Ends a key.
    #[schemes(session, bearer, basic)]
    #[rejects(not_found = 404, scheme_disabled = 404)]
    #[oai(path = "/:id", method = "delete")]
    async fn revoke(
        &self,
        _user: User,
        auth: Auth<User>,
        id: Path<String>,
    ) -> auth_poem::Result<Deleted> {
        self.check()?;
        auth.revoke_access_key(&id)
            .await?
            .then_some(Deleted::Done)
            .ok_or(Rejection::NotFound.into())
    }
}

impl AccessKeysApi {
    fn check(&self) -> Result<(), Rejection> {
        self.is_open.then_some(()).ok_or_else(|| disabled("Signatures are switched off here."))
    }
}

/// The bytes of a text in base64, of either alphabet, padded or not.
fn decoded(text: &str) -> Result<Vec<u8>, Rejection> {
    let text = text.trim_end_matches('=').replace('-', "+").replace('_', "/");
    STANDARD_NO_PAD.decode(text).map_err(|_| invalid("The public key is not base64."))
}

fn invalid(detail: &'static str) -> Rejection {
    Rejection::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_public_key", detail)
}
