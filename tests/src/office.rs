//! A second, smaller application: its users may prove who they are in every way there is.

use std::{fmt, sync::Arc};

use auth_core::testing::{FailingSessions, FailingUsers};
use auth_poem::{password::PasswordHasher, prelude::*};
use poem::{EndpointExt, IntoEndpoint};
use poem_openapi::{
    Object,
    param::Query,
    payload::{Json, PlainText},
};

use crate::{
    browser::Browser,
    people::Cart,
    world::{App, JWT_SECRET, fast_hasher, password_of},
};

/// A user of the office.
#[derive(AuthUser, Debug, Clone)]
#[auth(table = "clerks", schemes(basic, session, bearer))]
pub struct Clerk {
    /// The id.
    #[auth(id)]
    pub id: i64,
    /// The login name.
    #[auth(login)]
    pub name: String,
    /// The password; its hash is what ends sessions and tokens.
    #[auth(password)]
    pub password: Option<PasswordHash>,
    /// Whether the account may be used.
    #[auth(active)]
    pub active: bool,
}

/// The operations.
#[derive(Debug)]
pub struct OfficeApi;

#[derive(Object)]
struct Credentials {
    name: String,
    password: String,
}

/// The session that a login started.
#[derive(Object)]
struct Started {
    handle: Option<Uuid>,
    token: Option<String>,
}

#[auth_api]
impl OfficeApi {
    #[oai(path = "/me", method = "get", method = "post")]
    async fn me(&self, clerk: Clerk) -> PlainText<String> {
        PlainText(clerk.name)
    }

    #[oai(path = "/maybe", method = "get", method = "post")]
    async fn maybe(&self, clerk: Option<Clerk>) -> PlainText<String> {
        PlainText(clerk.map_or("nobody".into(), |clerk| clerk.name))
    }

    #[require(fresh)]
    #[oai(path = "/fresh", method = "get")]
    async fn fresh(&self, clerk: Clerk) -> PlainText<String> {
        PlainText(clerk.name)
    }

    #[public]
    #[oai(path = "/public", method = "get", method = "post")]
    async fn public(&self) -> PlainText<&'static str> {
        PlainText("welcome")
    }

    #[public]
    #[oai(path = "/login", method = "post")]
    async fn login(
        &self,
        auth: Auth<Clerk>,
        data: Json<Credentials>,
    ) -> auth_poem::Result<Json<Started>> {
        let login = auth.login(&data.name, &data.password).await?;
        let login = login.ok_or(Rejection::WrongCredentials)?;
        let session = login.session.as_ref();
        Ok(Json(Started {
            handle: session.map(|session| session.handle),
            token: session.and_then(|session| Some(session.token.as_ref()?.expose())),
        }))
    }

    #[oai(path = "/sessions", method = "get")]
    async fn sessions(
        &self,
        _user: Clerk,
        auth: Auth<Clerk>,
    ) -> auth_poem::Result<Json<Vec<Uuid>>> {
        let sessions = auth.sessions().await?;
        Ok(Json(sessions.iter().map(|session| session.handle).collect()))
    }

    #[public]
    #[oai(path = "/token", method = "post")]
    async fn token(
        &self,
        auth: Auth<Clerk>,
        data: Json<Credentials>,
    ) -> auth_poem::Result<PlainText<String>> {
        let login = auth.login(&data.name, &data.password).token_only().await?;
        let issued = login.and_then(|clerk| clerk.token).ok_or(Rejection::WrongCredentials)?;
        Ok(PlainText(issued.token.expose().to_owned()))
    }

    #[public]
    #[oai(path = "/logout", method = "post")]
    async fn logout(&self, auth: Auth<Clerk>) -> auth_poem::Result<()> {
        Ok(auth.logout().await?)
    }

    #[public]
    #[oai(path = "/note", method = "post")]
    async fn note(&self, mut cart: Session<Cart>, text: Query<String>) {
        cart.note = Some(text.0);
    }
}

/// The application and all that a test can do to it.
///
/// - `ann` and `bob`, clerks like any other; `zoë`, whose name is not ASCII;
/// - `ina`, who is inactive; `nora`, who has no password.
pub struct Office {
    /// The time.
    pub clock: ManualClock,
    /// Where the sessions are.
    pub sessions: FailingSessions,
    /// Where the clerks are, as the framework sees it.
    pub clerks: FailingUsers<Clerk>,
    /// The same, as the application's own database access sees it.
    pub people: MemoryUsers<Clerk>,
    /// The hasher, which counts.
    pub hasher: PasswordHasher,
    /// The API's document.
    pub document: serde_json::Value,
    app: App,
}

impl fmt::Debug for Office {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Office")
    }
}

impl Office {
    /// An office with the framework's defaults.
    pub async fn new() -> Self {
        Self::with(|config| config).await
    }

    /// An office with another configuration.
    pub async fn with(change: impl FnOnce(AuthConfig) -> AuthConfig) -> Self {
        let hasher = fast_hasher();
        let people = MemoryUsers::default();
        for (id, name) in (1..).zip(["ann", "bob", "zoë", "ina", "nora"]) {
            let password = match name {
                "nora" => None,
                _ => Some(hasher.hash(&password_of(name)).await.unwrap()),
            };
            let clerk = Clerk { id, name: name.into(), password, active: name != "ina" };
            people.insert(clerk).unwrap();
        }
        let clock = ManualClock::default();
        let sessions = FailingSessions::new(MemorySessions::new());
        let clerks = FailingUsers::new(Arc::new(people.clone()));
        let config = AuthConfig::new()
            .user::<Clerk>(clerks.clone())
            .sessions(sessions.clone())
            .jwt(JwtKeys::hs256(JWT_SECRET).unwrap())
            .hasher(hasher.clone())
            .clock(clock.clone());
        let auth = change(config).build().unwrap();
        let api = auth.openapi(OfficeApi, "Office", "1.0");
        let document = serde_json::from_str(&api.spec()).unwrap();
        let app = Arc::new(api.into_endpoint().boxed());
        Self { clock, sessions, clerks, people, hasher, document, app }
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

    /// A browser in which this clerk has logged in.
    pub async fn logged_in(&self, name: &str) -> Browser {
        self.browser().logged_in(name).await
    }

    /// A token of this clerk.
    pub async fn token(&self, name: &str) -> String {
        self.browser().token_from("/token", name).await
    }

    /// The clerk of this name, as the database has him.
    #[must_use]
    pub fn clerk(&self, name: &str) -> Clerk {
        let all = self.people.all();
        (**all.iter().find(|clerk| clerk.name == name).unwrap()).clone()
    }

    /// Changes a clerk in the database.
    pub fn change(&self, name: &str, change: impl FnOnce(&mut Clerk)) {
        assert_eq!(self.people.update(&self.clerk(name).id, change), Ok(true));
    }

    /// Has every store answer later, as over a network.
    pub fn stores_wait(&self) {
        self.sessions.wait(true);
        self.clerks.wait(true);
    }

    /// Counts the calls of the stores from zero.
    pub fn reset_calls(&self) {
        self.sessions.reset_calls();
        self.clerks.reset_calls();
    }
}
