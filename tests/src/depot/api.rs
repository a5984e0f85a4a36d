//! What the keepers of the depot can do.

use auth_poem::{
    features::{AccessKeyInfo, ApiKeyInfo, IssuedApiKey},
    prelude::*,
};
use poem_openapi::{
    Object,
    param::Path,
    payload::{Binary, Json, PlainText},
};

use super::Keeper;

/// The operations.
#[derive(Debug)]
pub struct DepotApi;

#[derive(Object)]
struct Credentials {
    name: String,
    password: String,
}

#[derive(Object)]
struct Wanted {
    name: String,
    scopes: Option<Vec<String>>,
    expires_in: Option<i64>,
}

#[derive(Object)]
struct WantedAccess {
    name: String,
    scopes: Option<Vec<String>>,
    expires_in: Option<i64>,
    public_key: Option<Vec<u8>>,
}

/// An access key; the secret is there when it has just been made.
#[derive(Object)]
struct AccessKey {
    id: String,
    algorithm: String,
    name: String,
    secret: Option<String>,
    scopes: Option<Vec<String>>,
    expires_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
}

impl From<AccessKeyInfo> for AccessKey {
    fn from(info: AccessKeyInfo) -> Self {
        Self {
            id: info.id,
            algorithm: info.algorithm.name().into(),
            name: info.name,
            secret: None,
            scopes: info.scopes.list().map(<[String]>::to_vec),
            expires_at: info.expires_at,
            last_used_at: info.last_used_at,
        }
    }
}

/// A key; the secret is there when it has just been made.
#[derive(Object)]
struct Key {
    id: String,
    name: String,
    key: Option<String>,
    scopes: Option<Vec<String>>,
    expires_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
}

impl From<ApiKeyInfo> for Key {
    fn from(info: ApiKeyInfo) -> Self {
        Self {
            id: info.id,
            name: info.name,
            key: None,
            scopes: info.scopes.list().map(<[String]>::to_vec),
            expires_at: info.expires_at,
            last_used_at: info.last_used_at,
        }
    }
}

impl From<IssuedApiKey> for Key {
    fn from(issued: IssuedApiKey) -> Self {
        Self { key: Some(issued.key.expose().into()), ..issued.info.into() }
    }
}

/// Who somebody is, and by what.
#[derive(Object)]
struct Known {
    name: String,
    scheme: String,
    scopes: Option<Vec<String>>,
}

#[auth_api]
impl DepotApi {
    #[oai(path = "/me", method = "get", method = "post")]
    async fn me(&self, keeper: Keeper) -> PlainText<String> {
        PlainText(keeper.name)
    }

    #[oai(path = "/maybe", method = "get", method = "post")]
    async fn maybe(&self, keeper: Option<Keeper>) -> PlainText<String> {
        PlainText(keeper.map_or("nobody".into(), |keeper| keeper.name))
    }

    #[oai(path = "/identity", method = "get")]
    async fn identity(&self, keeper: Keeper, auth: Auth<Keeper>) -> auth_poem::Result<Json<Known>> {
        let identity = auth.identity().ok_or(Rejection::MissingCredentials)?;
        Ok(Json(Known {
            name: keeper.name,
            scheme: identity.scheme.name().into(),
            scopes: identity.scopes.list().map(<[String]>::to_vec),
        }))
    }

    #[schemes(bearer)]
    #[oai(path = "/by/bearer", method = "get")]
    async fn by_bearer(&self, keeper: Keeper) -> PlainText<String> {
        PlainText(keeper.name)
    }

    #[schemes(bearer)]
    #[oai(path = "/by/bearer/maybe", method = "get")]
    async fn by_bearer_maybe(&self, keeper: Option<Keeper>) -> PlainText<String> {
        PlainText(keeper.map_or("nobody".into(), |keeper| keeper.name))
    }

    #[schemes(session, custom = "badge")]
    #[oai(path = "/by/session-or-badge", method = "get")]
    async fn by_session_or_badge(&self, keeper: Keeper) -> PlainText<String> {
        PlainText(keeper.name)
    }

    #[require(permission = "reports:read")]
    #[oai(path = "/reports", method = "get")]
    async fn reports(&self, keeper: Keeper) -> PlainText<String> {
        PlainText(keeper.name)
    }

    #[require(role = "chief")]
    #[oai(path = "/chief", method = "get")]
    async fn chief(&self, keeper: Keeper) -> PlainText<String> {
        PlainText(keeper.name)
    }

    #[require(permission = "reports:read", conceal)]
    #[oai(path = "/concealed", method = "get")]
    async fn concealed(&self, keeper: Keeper) -> PlainText<String> {
        PlainText(keeper.name)
    }

    #[require(fresh)]
    #[oai(path = "/fresh", method = "get")]
    async fn fresh(&self, keeper: Keeper) -> PlainText<String> {
        PlainText(keeper.name)
    }

    #[oai(path = "/echo", method = "post")]
    async fn echo(&self, keeper: Keeper, body: Binary<Vec<u8>>) -> Binary<Vec<u8>> {
        Binary([keeper.name.as_bytes(), b": ", &body.0].concat())
    }

    #[rejects(invalid_public_key = 422)]
    #[oai(path = "/access-keys", method = "post")]
    async fn create_access_key(
        &self,
        _keeper: Keeper,
        auth: Auth<Keeper>,
        wanted: Json<WantedAccess>,
    ) -> auth_poem::Result<Json<AccessKey>> {
        let mut key = auth.create_access_key(&wanted.name);
        if let Some(scopes) = &wanted.scopes {
            key = key.scopes(scopes);
        }
        if let Some(seconds) = wanted.expires_in {
            key = key.expires_in(Duration::seconds(seconds));
        }
        if let Some(public_key) = &wanted.public_key {
            key = key.ed25519(public_key);
        }
        let made = key.await?;
        let secret = made.secret.as_ref().map(|secret| secret.to_string());
        Ok(Json(AccessKey { secret, ..made.info.into() }))
    }

    #[oai(path = "/access-keys", method = "get")]
    async fn access_keys(
        &self,
        _keeper: Keeper,
        auth: Auth<Keeper>,
    ) -> auth_poem::Result<Json<Vec<AccessKey>>> {
        Ok(Json(auth.access_keys().await?.into_iter().map(AccessKey::from).collect()))
    }

    #[rejects(not_found = 404)]
    #[oai(path = "/access-keys/:id", method = "delete")]
    async fn revoke_access_key(
        &self,
        _keeper: Keeper,
        auth: Auth<Keeper>,
        id: Path<String>,
    ) -> auth_poem::Result<()> {
        auth.revoke_access_key(&id).await?.then_some(()).ok_or(Rejection::NotFound)?;
        Ok(())
    }

    #[oai(path = "/keys", method = "post")]
    async fn create_key(
        &self,
        _keeper: Keeper,
        auth: Auth<Keeper>,
        wanted: Json<Wanted>,
    ) -> auth_poem::Result<Json<Key>> {
        let mut key = auth.create_api_key(&wanted.name);
        if let Some(scopes) = &wanted.scopes {
            key = key.scopes(scopes);
        }
        if let Some(seconds) = wanted.expires_in {
            key = key.expires_in(Duration::seconds(seconds));
        }
        Ok(Json(key.await?.into()))
    }

    #[oai(path = "/keys", method = "get")]
    async fn keys(&self, _keeper: Keeper, auth: Auth<Keeper>) -> auth_poem::Result<Json<Vec<Key>>> {
        Ok(Json(auth.api_keys().await?.into_iter().map(Key::from).collect()))
    }

    #[rejects(not_found = 404)]
    #[oai(path = "/keys/:id/rotate", method = "post")]
    async fn rotate_key(
        &self,
        _keeper: Keeper,
        auth: Auth<Keeper>,
        id: Path<String>,
    ) -> auth_poem::Result<Json<Key>> {
        let key = auth.rotate_api_key(&id).await?.ok_or(Rejection::NotFound)?;
        Ok(Json(key.into()))
    }

    #[rejects(not_found = 404)]
    #[oai(path = "/keys/:id", method = "delete")]
    async fn revoke_key(
        &self,
        _keeper: Keeper,
        auth: Auth<Keeper>,
        id: Path<String>,
    ) -> auth_poem::Result<()> {
        auth.revoke_api_key(&id).await?.then_some(()).ok_or(Rejection::NotFound)?;
        Ok(())
    }

    #[public]
    #[oai(path = "/public", method = "get")]
    async fn public(&self) -> PlainText<&'static str> {
        PlainText("welcome")
    }

    #[public]
    #[oai(path = "/login", method = "post")]
    async fn login(&self, auth: Auth<Keeper>, data: Json<Credentials>) -> auth_poem::Result<()> {
        let login = auth.login(&data.name, &data.password).await?;
        login.ok_or(Rejection::WrongCredentials)?;
        Ok(())
    }

    #[public]
    #[oai(path = "/token", method = "post")]
    async fn token(
        &self,
        auth: Auth<Keeper>,
        data: Json<Credentials>,
    ) -> auth_poem::Result<PlainText<String>> {
        let login = auth.login(&data.name, &data.password).token_only().await?;
        let issued = login.and_then(|keeper| keeper.token).ok_or(Rejection::WrongCredentials)?;
        Ok(PlainText(issued.token.expose().to_owned()))
    }
}
