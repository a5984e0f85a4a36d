//! What needs the application in process: services that are elsewhere, and a clock that is moved.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use async_trait::async_trait;
use auth_poem::{fault::Error, prelude::*};
use example_facade::{
    App, auth_config,
    services::{
        self, Services, Work,
        email_settings::{EmailSettings, NewEmailSettings},
        roles::Roles,
    },
    settings::Settings,
    user::Grant,
};
use example_kit::Database;
use poem::{
    EndpointExt, IntoEndpoint,
    endpoint::BoxEndpoint,
    http::{Method, StatusCode},
    test::{TestClient, TestResponse},
};
use serde_json::{Value, json};

const PASSWORD: &str = "seven purple giraffes";

/// A facade, and the token that a client has.
struct Facade {
    client: TestClient<BoxEndpoint<'static>>,
    token: String,
}

impl Facade {
    async fn new(change: impl FnOnce(&mut Services), clock: ManualClock) -> Self {
        let (settings, database) = (Settings::default(), Database::in_memory().await.unwrap());
        let mut services = Services::on(&database).await.unwrap();
        change(&mut services);
        let config = auth_config(&settings, &database, &services).await.unwrap();
        let auth = config.clock(clock).build().unwrap();
        let routes = App::with(auth, &settings, &services).routes(&settings);
        let client = TestClient::new(routes.into_endpoint().map_to_response().boxed());
        Self { client, token: String::new() }
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let request = self.client.request(method, format!("/api/v1{path}"));
        let request = request.header("x-session-id", &self.token);
        let response: TestResponse = request.body_json(&body).send().await;
        let status = response.0.status();
        let text = response.0.into_body().into_string().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    async fn sign_up(&mut self, login: &str) -> (StatusCode, Value) {
        let email = format!("{login}@example.org");
        let data = json!({"login": login, "email": email, "password": PASSWORD});
        let answer = self.ask(Method::POST, "/signup", data).await;
        if let Some(token) = answer.1["token"].as_str() {
            self.token = token.to_owned();
        }
        answer
    }
}

fn away() -> Error {
    Error::Application("another program is away".into())
}

/// The roles, as another program keeps them.
#[derive(Debug, Default)]
struct RemoteRoles {
    roles: Mutex<HashMap<String, Vec<Grant>>>,
    is_away: AtomicBool,
}

#[async_trait]
impl Roles for RemoteRoles {
    async fn of(&self, account: &str) -> services::Result<Vec<Grant>> {
        if self.is_away.load(SeqCst) {
            return Err(away());
        }
        Ok(self.roles.lock().unwrap().get(account).cloned().unwrap_or_default())
    }

    async fn grant(&self, _: &mut Work, account: &str, new: &[Grant]) -> services::Result<()> {
        let mut roles = self.roles.lock().unwrap();
        roles.entry(account.to_owned()).or_default().extend_from_slice(new);
        Ok(())
    }

    async fn revoke(&self, _: &mut Work, account: &str, old: &[Grant]) -> services::Result<()> {
        let mut roles = self.roles.lock().unwrap();
        roles.entry(account.to_owned()).or_default().retain(|role| !old.contains(role));
        Ok(())
    }

    async fn replace(&self, _: &mut Work, account: &str, all: &[Grant]) -> services::Result<()> {
        self.roles.lock().unwrap().insert(account.to_owned(), all.to_vec());
        Ok(())
    }
}

#[tokio::test]
async fn guards_ask_the_roles_wherever_they_are() {
    let remote = Arc::new(RemoteRoles::default());
    let roles = remote.clone();
    let mut facade = Facade::new(|services| services.roles = roles, ManualClock::default()).await;
    let (_, session) = facade.sign_up("ann").await;
    let id = session["user_id"].as_str().unwrap().to_owned();
    let list = async || facade.ask(Method::GET, "/sessions", json!(null)).await;
    assert_eq!(list().await.1["code"], "NOT_IN_ROLE");

    // Somebody else gave them.
    let grants = vec!["admin".parse().unwrap(), "7:manager".parse().unwrap()];
    remote.roles.lock().unwrap().insert(id.clone(), grants);
    let (status, sessions) = list().await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(sessions["data"][0]["user"]["roles"], json!(["admin", "7:manager"]));
    let (_, site) = facade.ask(Method::POST, "/sites", json!({"name": "Mine"})).await;
    let grant = format!("{}:admin", site["id"].as_str().unwrap()).parse().unwrap();
    assert!(remote.roles.lock().unwrap()[&id].contains(&grant), "the facade gives them there");

    // Who cannot be asked does not say no, and does not say yes.
    remote.is_away.store(true, SeqCst);
    let (status, refusal) = list().await;
    assert_eq!((status.as_u16(), &refusal["code"]), (503, &json!("UNAVAILABLE")));
    assert!(!refusal.to_string().contains("away"), "{refusal}");
}

/// Addresses that another program would keep, if it did not fail.
#[derive(Debug)]
struct NoEmailSettings;

#[async_trait]
impl EmailSettings for NoEmailSettings {
    async fn create(&self, _: &mut Work, _: &NewEmailSettings<'_>) -> services::Result<()> {
        Err(away())
    }

    async fn verify(&self, _: &mut Work, _: &str, _: &str) -> services::Result<Option<String>> {
        Err(away())
    }
}

#[tokio::test]
async fn a_signup_that_fails_at_its_last_step_leaves_nothing() {
    let change = |services: &mut Services| services.email_settings = Arc::new(NoEmailSettings);
    let mut facade = Facade::new(change, ManualClock::default()).await;
    let (status, _) = facade.sign_up("ann").await;
    assert_eq!((status.as_u16(), &*facade.token), (503, ""));
    let free = facade.ask(Method::GET, "/signup/validate?login=ann", json!(null)).await;
    assert_eq!(free.0, StatusCode::NO_CONTENT);
    let signin = json!({"login": "ann", "password": PASSWORD});
    assert_eq!(facade.ask(Method::POST, "/signin", signin).await.1["code"], "WRONG_CREDENTIALS");
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_for_a_day_or_is_a_month_old() {
    let clock = ManualClock::default();
    let mut facade = Facade::new(|_| {}, clock.clone()).await;
    facade.sign_up("ann").await;
    let current = async || facade.ask(Method::GET, "/sessions/current", json!(null)).await;
    for _ in 0..32 {
        clock.advance(Duration::hours(22));
        assert_eq!(current().await.0, StatusCode::OK);
    }
    clock.advance(Duration::hours(22));
    let (status, refusal) = current().await;
    assert_eq!((status.as_u16(), &refusal["code"]), (440, &json!("SESSION_NOT_FOUND")));

    let signin = json!({"login": "ann", "password": PASSWORD});
    facade.token.clear();
    let (_, session) = facade.ask(Method::POST, "/signin", signin).await;
    facade.token = session["token"].as_str().unwrap().to_owned();
    clock.advance(Duration::hours(24));
    let about = facade.ask(Method::GET, "/about", json!(null)).await;
    assert_eq!(about.0.as_u16(), 440, "an idle session is over on public operations too");
}
