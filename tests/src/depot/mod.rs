//! A third application: its users may prove who they are in every way that the framework has, and
//! in one of the application's own.

use std::{fmt, sync::Arc};

use auth_core::testing::{FailingSessions, FailingUsers};
use auth_poem::{
    access_keys::Signatures,
    prelude::*,
    sealing::SealingKeys,
    signature::{Message, Signer},
};
use poem::{EndpointExt, IntoEndpoint};

use crate::{
    browser::{Ask, Browser},
    failing_keys::{FailingAccessKeys, FailingApiKeys},
    failing_nonces::FailingNonces,
    world::{App, JWT_SECRET, fast_hasher, password_of},
};

mod api;
mod badges;

pub use self::{api::DepotApi, badges::Badges};

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
    /// The access keys.
    pub access_keys: FailingAccessKeys,
    /// Which signed requests there were.
    pub nonces: FailingNonces,
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
        let (access_keys, nonces) = (FailingAccessKeys::default(), FailingNonces::default());
        let sealing = SealingKeys::generate().unwrap();
        let signatures = Signatures::new(access_keys.clone(), nonces.clone(), sealing);
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
            nonces,
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
        self.browser().logged_in(name).await
    }

    /// A token of this keeper.
    pub async fn token(&self, name: &str) -> String {
        self.browser().token_from("/token", name).await
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
