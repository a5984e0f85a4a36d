//! Keys that programs present in place of a login.
//!
//! Whoever comes by a key himself makes and changes none: a stolen one would outlive its end.

use auth_poem::{
    features::{ApiKeyInfo, IssuedApiKey},
    prelude::*,
    scopes::is_scope,
};
use example_kit::Nullable;
use poem::http::StatusCode;
use poem_openapi::{ApiResponse, Object, param::Path, payload::Json};

use super::{Deleted, Tag, disabled};
use crate::user::User;

/// The operations.
#[derive(Debug)]
pub struct KeysApi {
    /// Whether keys are a way in.
    pub(super) is_open: bool,
}

/// What a key is to be.
#[derive(Object)]
struct NewKey {
    /// What its owner calls it.
    #[oai(validator(min_length = 1, max_length = 100))]
    name: String,
    /// How far it is to reach: permissions, and roles as `role:<name>`. Without any of them it may
    /// do what any user may.
    #[oai(validator(max_items = 50))]
    scopes: Vec<String>,
    /// When it is to end, in seconds from now. Without it, it does not end by itself.
    #[oai(validator(minimum(value = "1")))]
    expires_in: Option<i64>,
}

/// A key, as a list shows it.
#[derive(Object)]
#[oai(rename = "ApiKey")]
struct KeyView {
    id: String,
    name: String,
    /// How far it reaches; null: as far as its user.
    scopes: Nullable<Vec<String>>,
    created_at: DateTime<Utc>,
    expires_at: Nullable<DateTime<Utc>>,
    /// To the minute.
    last_used_at: Nullable<DateTime<Utc>>,
}

/// A key that was just made, or has a new secret: this answer is the only one with the secret.
#[derive(Object)]
#[oai(rename = "IssuedApiKey")]
struct IssuedKey {
    #[oai(flatten)]
    key_view: KeyView,
    /// What goes into `X-API-Key`, or behind `Bearer`.
    key: String,
}

/// A new key.
#[derive(ApiResponse)]
enum Created {
    /// The key. Nobody can see its secret later.
    #[oai(status = 201)]
    Key(Json<IssuedKey>),
}

impl From<ApiKeyInfo> for KeyView {
    fn from(info: ApiKeyInfo) -> Self {
        Self {
            id: info.id,
            name: info.name,
            scopes: Nullable(info.scopes.list().map(<[String]>::to_vec)),
            created_at: info.created_at,
            expires_at: Nullable(info.expires_at),
            last_used_at: Nullable(info.last_used_at),
        }
    }
}

impl From<IssuedApiKey> for IssuedKey {
    fn from(issued: IssuedApiKey) -> Self {
        Self { key: issued.key.expose().to_owned(), key_view: issued.info.into() }
    }
}

#[auth_api(prefix_path = "/keys", tag = "Tag::Keys")]
impl KeysApi {
    /// Makes a key.
    #[schemes(session, bearer, basic)]
    #[rejects(scheme_disabled = 404, malformed_scope = 422)]
    #[oai(path = "/", method = "post")]
    async fn create(
        &self,
        _user: User,
        auth: Auth<User>,
        data: Json<NewKey>,
    ) -> auth_poem::Result<Created> {
        self.check()?;
        if !data.scopes.iter().all(|scope| is_scope(scope)) {
            return Err(malformed_scope().into());
        }
        let mut key = auth.create_api_key(&data.name).scopes(&data.scopes);
        if let Some(seconds) = data.expires_in {
            key = key.expires_in(Duration::try_seconds(seconds).unwrap_or(Duration::MAX));
        }
        Ok(Created::Key(Json(key.await?.into())))
    }

    /// One's keys, the oldest first.
    #[rejects(scheme_disabled = 404)]
    #[oai(path = "/", method = "get")]
    async fn list(&self, _user: User, auth: Auth<User>) -> auth_poem::Result<Json<Vec<KeyView>>> {
        self.check()?;
        Ok(Json(auth.api_keys().await?.into_iter().map(Into::into).collect()))
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
        if auth.revoke_api_key(&id).await? {
            Ok(Deleted::Done)
        } else {
            Err(Rejection::NotFound.into())
        }
    }

    /// Gives a key a new secret. The old one ends at once.
    #[schemes(session, bearer, basic)]
    #[rejects(not_found = 404, scheme_disabled = 404)]
    #[oai(path = "/:id/rotate", method = "post")]
    async fn rotate(
        &self,
        _user: User,
        auth: Auth<User>,
        id: Path<String>,
    ) -> auth_poem::Result<Json<IssuedKey>> {
        self.check()?;
        let key = auth.rotate_api_key(&id).await?.ok_or(Rejection::NotFound)?;
        Ok(Json(key.into()))
    }
}

impl KeysApi {
    fn check(&self) -> Result<(), Rejection> {
        self.is_open.then_some(()).ok_or_else(|| disabled("API keys are switched off here."))
    }
}

fn malformed_scope() -> Rejection {
    Rejection::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "malformed_scope",
        "A scope is visible ASCII without spaces, quotes and backslashes.",
    )
}
