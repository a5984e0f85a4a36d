//! A third application: its members have tokens, which are refreshed and ended.

use std::{fmt, sync::Arc};

use auth_core::{
    store::{DenyList, TokenStore},
    testing::FailingUsers,
};
use auth_poem::prelude::*;
use poem::{EndpointExt, IntoEndpoint, Route};

use crate::{
    browser::{Answer, Browser},
    world::{App, JWT_SECRET, fast_hasher, password_of},
};

mod api;
mod switch;

pub use self::{
    api::{Member, VaultApi},
    switch::Switch,
};

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
