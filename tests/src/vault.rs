//! A third application: its members have tokens, which are refreshed and ended.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use async_trait::async_trait;
use auth_core::{
    error::Error,
    secret::{RefreshKey, TokenId},
    store::{DenyList, FoundFamily, MemoryDenyList, MemoryTokens, TokenFamily, TokenStore},
    testing::FailingUsers,
    user::UserKey,
};
use auth_poem::{features::LoggedIn, prelude::*};
use poem::{EndpointExt, IntoEndpoint, Route};
use poem_openapi::{
    Object,
    param::Path,
    payload::{Json, PlainText},
};

use crate::{
    browser::{Answer, Browser},
    world::{App, JWT_SECRET, fast_hasher, password_of},
};

/// A member; the hash of the password is the stamp.
#[derive(AuthUser, Debug, Clone)]
#[auth(table = "members", schemes(bearer, session))]
pub struct Member {
    /// The id.
    #[auth(id)]
    pub id: i64,
    /// The login name.
    #[auth(login)]
    pub name: String,
    /// The password.
    #[auth(password)]
    pub password: PasswordHash,
    /// Whether the account may be used.
    #[auth(active)]
    pub active: bool,
}

/// The operations.
#[derive(Debug)]
pub struct VaultApi;

#[derive(Object)]
struct Credentials {
    name: String,
    password: String,
}

#[derive(Object)]
struct Passwords {
    current: String,
    new: String,
}

#[derive(Object)]
struct Presented {
    token: String,
}

#[derive(Object)]
struct Tokens {
    access: String,
    expires_in: i64,
    refresh: Option<String>,
}

impl From<LoggedIn<Member>> for Tokens {
    fn from(login: LoggedIn<Member>) -> Self {
        let access = login.token.unwrap();
        Self {
            access: access.token.expose().to_owned(),
            expires_in: access.expires_in.num_seconds(),
            refresh: login.refresh_token.map(|token| token.expose()),
        }
    }
}

#[auth_api]
impl VaultApi {
    #[oai(path = "/me", method = "get")]
    async fn me(&self, member: Member) -> PlainText<String> {
        PlainText(member.name)
    }

    #[oai(path = "/maybe", method = "get")]
    async fn maybe(&self, member: Option<Member>) -> PlainText<String> {
        PlainText(member.map_or("nobody".into(), |member| member.name))
    }

    #[require(fresh)]
    #[oai(path = "/fresh", method = "get")]
    async fn fresh(&self, member: Member) -> PlainText<String> {
        PlainText(member.name)
    }

    #[public]
    #[oai(path = "/login", method = "post")]
    async fn login(&self, auth: Auth<Member>, data: Json<Credentials>) -> auth_poem::Result<()> {
        let login = auth.login(&data.name, &data.password).await?;
        let login = login.ok_or(Rejection::WrongCredentials)?;
        assert!(login.refresh_token.is_none(), "a session needs none");
        Ok(())
    }

    #[public]
    #[oai(path = "/token", method = "post")]
    async fn token(
        &self,
        auth: Auth<Member>,
        data: Json<Credentials>,
    ) -> auth_poem::Result<Json<Tokens>> {
        let login = auth.login(&data.name, &data.password).token_only().await?;
        Ok(Json(login.ok_or(Rejection::WrongCredentials)?.into()))
    }

    #[public]
    #[oai(path = "/short", method = "post")]
    async fn short(
        &self,
        auth: Auth<Member>,
        data: Json<Credentials>,
    ) -> auth_poem::Result<Json<Tokens>> {
        let login = auth.login(&data.name, &data.password).token_only();
        let login = login.expires_in(Duration::seconds(90)).await?;
        Ok(Json(login.ok_or(Rejection::WrongCredentials)?.into()))
    }

    #[public]
    #[rejects(refresh_token_just_used = 409)]
    #[oai(path = "/refresh", method = "post")]
    async fn refresh(
        &self,
        auth: Auth<Member>,
        data: Json<Presented>,
    ) -> auth_poem::Result<Json<Tokens>> {
        Ok(Json(auth.refresh(&data.token).await?.into()))
    }

    #[public]
    #[oai(path = "/revoke", method = "post")]
    async fn revoke(
        &self,
        auth: Auth<Member>,
        data: Json<Presented>,
    ) -> auth_poem::Result<Json<bool>> {
        Ok(Json(auth.revoke_token(&data.token).await?))
    }

    #[public]
    #[oai(path = "/logout", method = "post")]
    async fn logout(&self, auth: Auth<Member>) -> auth_poem::Result<()> {
        Ok(auth.logout().await?)
    }

    #[oai(path = "/families", method = "get")]
    async fn families(
        &self,
        _member: Member,
        auth: Auth<Member>,
    ) -> auth_poem::Result<Json<Vec<Uuid>>> {
        let families = auth.refresh_families().await?;
        Ok(Json(families.iter().map(|family| family.handle).collect()))
    }

    #[oai(path = "/families/:handle", method = "delete")]
    async fn end_family(
        &self,
        _member: Member,
        auth: Auth<Member>,
        handle: Path<Uuid>,
    ) -> auth_poem::Result<Json<bool>> {
        Ok(Json(auth.revoke_refresh_family(*handle).await?))
    }

    #[oai(path = "/password", method = "put")]
    async fn change_password(
        &self,
        _member: Member,
        auth: Auth<Member>,
        data: Json<Passwords>,
    ) -> auth_poem::Result<()> {
        auth.change_password(&data.current, &data.new).await?;
        Ok(())
    }

    #[oai(path = "/others", method = "delete")]
    async fn revoke_others(&self, _member: Member, auth: Auth<Member>) -> auth_poem::Result<()> {
        Ok(auth.revoke_others().await?)
    }
}

/// A store that fails on demand, answers late on demand, and counts its calls.
#[derive(Debug)]
pub struct Switch<T: ?Sized> {
    state: Arc<State>,
    store: Arc<T>,
}

impl<T: ?Sized> Clone for Switch<T> {
    fn clone(&self) -> Self {
        Self { state: self.state.clone(), store: self.store.clone() }
    }
}

#[derive(Debug, Default)]
struct State {
    fails: AtomicBool,
    calls: AtomicUsize,
}

impl<T: ?Sized> Switch<T> {
    /// A store that works.
    #[must_use]
    pub fn new(store: Arc<T>) -> Self {
        Self { state: Arc::default(), store }
    }

    /// Whether it fails from now on.
    pub fn fail(&self, fails: bool) {
        self.state.fails.store(fails, SeqCst);
    }

    /// How often it was called.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.state.calls.load(SeqCst)
    }

    async fn ask(&self, fault: impl FnOnce(&'static str) -> Error) -> Result<&T, Error> {
        self.state.calls.fetch_add(1, SeqCst);
        tokio::task::yield_now().await;
        match self.state.fails.load(SeqCst) {
            true => Err(fault("switched to fail by a test")),
            false => Ok(&self.store),
        }
    }
}

#[async_trait]
impl TokenStore for Switch<dyn TokenStore> {
    async fn create(&self, key: &RefreshKey, family: Arc<TokenFamily>) -> Result<bool, Error> {
        self.ask(Error::token_store).await?.create(key, family).await
    }

    async fn find(
        &self,
        key: &RefreshKey,
        now: DateTime<Utc>,
    ) -> Result<Option<FoundFamily>, Error> {
        self.ask(Error::token_store).await?.find(key, now).await
    }

    async fn rotate(
        &self,
        key: &RefreshKey,
        next: &RefreshKey,
        now: DateTime<Utc>,
        ends_at: DateTime<Utc>,
    ) -> Result<bool, Error> {
        self.ask(Error::token_store).await?.rotate(key, next, now, ends_at).await
    }

    async fn delete(&self, key: &RefreshKey) -> Result<bool, Error> {
        self.ask(Error::token_store).await?.delete(key).await
    }

    async fn list_by_user(
        &self,
        user: &UserKey,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<TokenFamily>>, Error> {
        self.ask(Error::token_store).await?.list_by_user(user, now).await
    }

    async fn delete_by_handle(&self, user: &UserKey, handle: Uuid) -> Result<bool, Error> {
        self.ask(Error::token_store).await?.delete_by_handle(user, handle).await
    }

    async fn delete_by_user(&self, user: &UserKey) -> Result<u64, Error> {
        self.ask(Error::token_store).await?.delete_by_user(user).await
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        self.ask(Error::token_store).await?.purge_expired(now).await
    }
}

#[async_trait]
impl DenyList for Switch<dyn DenyList> {
    async fn deny(
        &self,
        id: &TokenId,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        self.ask(Error::deny_list).await?.deny(id, until, now).await
    }

    async fn is_denied(&self, id: &TokenId, now: DateTime<Utc>) -> Result<bool, Error> {
        self.ask(Error::deny_list).await?.is_denied(id, now).await
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        self.ask(Error::deny_list).await?.purge_expired(now).await
    }
}

/// The tokens of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
}

impl Pair {
    /// Reads the tokens of an answer.
    #[must_use]
    pub fn of(answer: &Answer) -> Self {
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        Self { access: text("access"), refresh: text("refresh") }
    }
}

/// The application and all that a test can do to it. Its members are `ann` and `bob`.
pub struct Vault {
    /// The time.
    pub clock: ManualClock,
    /// Where the members are, as the framework sees it.
    pub members: FailingUsers<Member>,
    /// The same, as the application's own database access sees it.
    pub people: MemoryUsers<Member>,
    /// Where the refresh tokens are.
    pub tokens: Switch<dyn TokenStore>,
    /// The deny list.
    pub denied: Switch<dyn DenyList>,
    /// The configured framework.
    pub auth: Authenticator,
    /// The API's document.
    pub document: serde_json::Value,
    app: App,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// A vault with stores in memory.
    pub async fn new() -> Self {
        Self::with(|config| config).await
    }

    /// A vault with another configuration.
    pub async fn with(change: impl FnOnce(AuthConfig) -> AuthConfig) -> Self {
        Self::on(Arc::new(MemoryTokens::new()), change).await
    }

    /// A vault whose refresh tokens are there.
    pub async fn on(
        tokens: Arc<dyn TokenStore>,
        change: impl FnOnce(AuthConfig) -> AuthConfig,
    ) -> Self {
        let hasher = fast_hasher();
        let people = MemoryUsers::default();
        for (id, name) in (1..).zip(["ann", "bob"]) {
            let password = hasher.hash(&password_of(name)).await.unwrap();
            people.insert(Member { id, name: name.into(), password, active: true }).unwrap();
        }
        let clock = ManualClock::default();
        let members = FailingUsers::new(Arc::new(people.clone()));
        let tokens = Switch::new(tokens);
        let denied: Switch<dyn DenyList> = Switch::new(Arc::new(MemoryDenyList::new()));
        let config = AuthConfig::new()
            .user::<Member>(members.clone())
            .sessions(MemorySessions::new())
            .jwt(JwtKeys::hs256(JWT_SECRET).unwrap())
            .refresh_tokens(tokens.clone())
            .deny_list(denied.clone())
            .hasher(hasher)
            .clock(clock.clone());
        let auth = change(config).build().unwrap();
        let api = auth.openapi((VaultApi, auth.token_routes::<Member>()), "Vault", "1.0");
        let document = serde_json::from_str(&api.spec()).unwrap();
        let app = Route::new().at("/.well-known/jwks.json", auth.jwks()).nest("/", api);
        let app = Arc::new(app.with(auth.errors()).into_endpoint().map_to_response().boxed());
        Self { clock, members, people, tokens, denied, auth, document, app }
    }

    /// A new client.
    #[must_use]
    pub fn browser(&self) -> Browser {
        Browser::new(self.app.clone())
    }

    /// Logs a member in, for tokens.
    pub async fn login(&self, name: &str) -> Pair {
        let login = serde_json::json!({ "name": name, "password": password_of(name) });
        Pair::of(&self.browser().post("/token").json(login).await.is(200))
    }

    /// Exchanges a refresh token.
    pub async fn refresh(&self, token: &str) -> Answer {
        self.browser().post("/refresh").json(serde_json::json!({ "token": token })).await
    }

    /// Exchanges a refresh token that holds.
    pub async fn refreshed(&self, token: &str) -> Pair {
        Pair::of(&self.refresh(token).await.is(200))
    }

    /// Who an access token says its bearer is: the status, and the name or the code.
    pub async fn me(&self, access: &str) -> (u16, String) {
        let answer = self.browser().get("/me").bearer(access).await;
        match answer.status {
            200 => (200, answer.body),
            _ => answer.outcome(),
        }
    }

    /// The application, for a walk through its document.
    #[must_use]
    pub fn endpoint(&self) -> App {
        self.app.clone()
    }

    /// Moves the clock.
    pub fn wait(&self, span: Duration) {
        self.clock.advance(span);
    }
}
