//! A third application: its users may prove who they are in every way that the framework has, and
//! in one of the application's own.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use auth_core::testing::{FailingSessions, FailingUsers};
use auth_poem::{
    access_keys::Signatures,
    fault::Failure,
    features::{AccessKeyInfo, ApiKeyInfo, IssuedApiKey},
    http::RequestHead,
    prelude::*,
    scheme::{Proof, Scheme, SchemeInfo},
    scopes::Scopes,
    sealing::SealingKeys,
    signature::{Message, Signer},
};
use poem::{EndpointExt, IntoEndpoint};
use poem_openapi::{
    Object,
    param::Path,
    payload::{Binary, Json, PlainText},
};

use crate::{
    browser::{Ask, Browser},
    failing_access_keys::FailingAccessKeys,
    failing_keys::FailingApiKeys,
    world::{App, JWT_SECRET, fast_hasher, password_of},
};

/// What a [`Keeper`] may be.
#[derive(AuthRole, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Runs the depot.
    #[role(permissions("reports:read"))]
    Chief,
}

/// A user of the depot.
#[derive(AuthUser, Debug, Clone)]
#[auth(table = "keepers", role = Duty, schemes(basic, session, bearer, api_key, signature, custom = "badge"))]
pub struct Keeper {
    /// The id.
    #[auth(id)]
    pub id: i64,
    /// The login name.
    #[auth(login)]
    pub name: String,
    /// The password; its hash is what ends sessions and tokens.
    #[auth(password)]
    pub password: PasswordHash,
    /// What he is.
    #[auth(roles)]
    pub duties: Vec<Duty>,
    /// What he may do beyond that.
    #[auth(permissions)]
    pub permissions: Vec<String>,
    /// Whether the account may be used.
    #[auth(active)]
    pub active: bool,
}

/// Badges and whose they are.
#[derive(Debug, Clone, Default)]
pub struct Badges {
    owners: Arc<Mutex<HashMap<String, (i64, Scopes)>>>,
    fails: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl Badges {
    /// Hands out a badge.
    pub fn give(&self, badge: &str, owner: i64, scopes: Scopes) {
        self.owners.lock().unwrap().insert(badge.into(), (owner, scopes));
    }

    /// Whether every question fails from now on.
    pub fn fail(&self, fails: bool) {
        self.fails.store(fails, SeqCst);
    }

    /// How often a badge was looked up.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }
}

impl Scheme<Keeper> for Badges {
    fn info(&self) -> SchemeInfo {
        SchemeInfo::header("x-badge")
            .described("The number on the badge.")
            .challenged_as("Badge gate=\"north\"")
    }

    async fn find(&self, head: &RequestHead<'_>) -> Result<Option<Proof<Keeper>>, Failure> {
        let Some(badge) = head.header("x-badge")? else { return Ok(None) };
        self.asked.fetch_add(1, SeqCst);
        if self.fails.load(SeqCst) {
            return Err(auth_poem::fault::Error::Application("the badges burn".into()).into());
        }
        let owner = self.owners.lock().unwrap().get(badge).cloned();
        let (owner, scopes) = owner.ok_or(Rejection::InvalidCredentials)?;
        Ok(Some(Proof::of_id(owner).scopes(scopes)))
    }
}

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

/// The application and all that a test can do to it.
///
/// - `ann` (1), a keeper with the permission `reports:read`;
/// - `bob` (2), the chief, whose role grants it too;
/// - `eve` (3), who may nothing.
pub struct Depot {
    /// The time.
    pub clock: ManualClock,
    /// Where the sessions are.
    pub sessions: FailingSessions,
    /// Where the keepers are, as the framework sees it.
    pub keepers: FailingUsers<Keeper>,
    /// The same, as the application's own database access sees it.
    pub people: MemoryUsers<Keeper>,
    /// The badges.
    pub badges: Badges,
    /// The API keys.
    pub keys: FailingApiKeys,
    /// The access keys, and which signed requests there were.
    pub access_keys: FailingAccessKeys,
    /// The hasher, which counts.
    pub hasher: auth_poem::password::PasswordHasher,
    /// The configured framework.
    pub auth: Authenticator,
    /// The API's document.
    pub document: serde_json::Value,
    app: App,
}

impl fmt::Debug for Depot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Depot")
    }
}

impl Depot {
    /// A depot with the framework's defaults.
    pub async fn new() -> Self {
        Self::with(|config| config).await
    }

    /// A depot with another configuration.
    pub async fn with(change: impl FnOnce(AuthConfig) -> AuthConfig) -> Self {
        Self::signed_as(|signatures| signatures, change).await
    }

    /// A depot that verifies signatures otherwise.
    pub async fn signed_as(
        settle: impl FnOnce(Signatures) -> Signatures,
        change: impl FnOnce(AuthConfig) -> AuthConfig,
    ) -> Self {
        let hasher = fast_hasher();
        let people = MemoryUsers::default();
        for (id, name) in (1..).zip(["ann", "bob", "eve"]) {
            let keeper = Keeper {
                id,
                name: name.into(),
                password: hasher.hash(&password_of(name)).await.unwrap(),
                duties: if name == "bob" { vec![Duty::Chief] } else { Vec::new() },
                permissions: if name == "ann" { vec!["reports:read".into()] } else { Vec::new() },
                active: true,
            };
            people.insert(keeper).unwrap();
        }
        let clock = ManualClock::default();
        let sessions = FailingSessions::new(MemorySessions::new());
        let keepers = FailingUsers::new(Arc::new(people.clone()));
        let badges = Badges::default();
        let keys = FailingApiKeys::default();
        let access_keys = FailingAccessKeys::default();
        let sealing = SealingKeys::generate().unwrap();
        let signatures = Signatures::new(access_keys.clone(), access_keys.clone(), sealing);
        let signatures = settle(signatures).max_body(1000);
        let config = AuthConfig::new()
            .user::<Keeper>(keepers.clone())
            .sessions(sessions.clone())
            .jwt(JwtKeys::hs256(JWT_SECRET).unwrap())
            .scheme::<Keeper>("badge", badges.clone())
            .api_keys(keys.clone())
            .signatures(signatures)
            .hasher(hasher.clone())
            .clock(clock.clone());
        let auth = change(config).build().unwrap();
        let api = auth.openapi(DepotApi, "Depot", "1.0");
        let document = serde_json::from_str(&api.spec()).unwrap();
        let app = Arc::new(api.into_endpoint().boxed());
        Self {
            clock,
            sessions,
            keepers,
            people,
            badges,
            keys,
            access_keys,
            hasher,
            auth,
            document,
            app,
        }
    }

    /// A new browser without cookies.
    #[must_use]
    pub fn browser(&self) -> Browser {
        Browser::new(self.app.clone())
    }

    /// The application, for a walk through its document.
    #[must_use]
    pub fn endpoint(&self) -> App {
        self.app.clone()
    }

    /// A browser in which this keeper has logged in.
    pub async fn logged_in(&self, name: &str) -> Browser {
        let browser = self.browser();
        let _ = browser.login(name).await.is(200);
        browser
    }

    /// A token of this keeper.
    pub async fn token(&self, name: &str) -> String {
        let login = serde_json::json!({ "name": name, "password": password_of(name) });
        self.browser().post("/token").json(login).await.is(200).body
    }

    /// A new API key of this keeper, and its id.
    pub async fn api_key(&self, name: &str, scopes: Option<&[&str]>) -> (String, String) {
        let wanted = serde_json::json!({ "name": "test", "scopes": scopes });
        let made = self.logged_in(name).await.post("/keys").json(wanted).await.is(200).json();
        let text = |member: &str| made[member].as_str().unwrap().to_owned();
        (text("key"), text("id"))
    }

    /// One who signs with a new access key of this keeper, and its id.
    pub async fn signer(&self, name: &str, scopes: Option<&[&str]>) -> (Signer, String) {
        let (id, secret) = self.access_key(name, scopes).await;
        (Signer::hmac_sha256(&id, secret.as_bytes()), id)
    }

    /// A new access key of this keeper: id and secret.
    pub async fn access_key(&self, name: &str, scopes: Option<&[&str]>) -> (String, String) {
        let wanted = serde_json::json!({ "name": "test", "scopes": scopes });
        let browser = self.logged_in(name).await;
        let made = browser.post("/access-keys").json(wanted).await.is(200).json();
        let text = |member: &str| made[member].as_str().unwrap().to_owned();
        (text("id"), text("secret"))
    }

    /// The headers of a signed request to `depot.example`.
    #[must_use]
    pub fn sign(
        &self,
        signer: &Signer,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Vec<(&'static str, String)> {
        let mut headers = poem::http::HeaderMap::new();
        headers.insert("host", "depot.example".parse().unwrap());
        let (method, uri) = (method.parse().unwrap(), path.parse().unwrap());
        let message = Message { method: &method, uri: &uri, headers: &headers };
        let signed = signer.headers_for(&message, body, self.clock.now()).unwrap();
        let mut all = vec![("host", "depot.example".to_owned())];
        all.extend(signed.into_iter().map(|(name, value)| {
            let known = ["content-digest", "signature-input", "signature"];
            let name = known.into_iter().find(|known| name == *known).unwrap();
            (name, value.to_str().unwrap().to_owned())
        }));
        all
    }

    /// A request of anybody with these headers.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&'static str, String)],
        body: impl Into<poem::Body>,
    ) -> Ask {
        let mut ask = self.browser().ask(method, path);
        for (name, value) in headers {
            ask = ask.header(name, value);
        }
        ask.body("application/octet-stream", body)
    }

    /// A signed GET request.
    pub fn signed_get(&self, signer: &Signer, path: &str) -> Ask {
        self.send("GET", path, &self.sign(signer, "GET", path, b""), "")
    }

    /// The keeper of this name, as the database has him.
    #[must_use]
    pub fn keeper(&self, name: &str) -> Keeper {
        let all = self.people.all();
        (**all.iter().find(|keeper| keeper.name == name).unwrap()).clone()
    }

    /// Changes a keeper in the database.
    pub fn change(&self, name: &str, change: impl FnOnce(&mut Keeper)) {
        assert_eq!(self.people.update(&self.keeper(name).id, change), Ok(true));
    }

    /// Has every store answer later, as over a network.
    pub fn stores_wait(&self) {
        self.sessions.wait(true);
        self.keepers.wait(true);
    }
}
