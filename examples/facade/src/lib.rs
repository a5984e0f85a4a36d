//! The facade of PIP.Services: accounts, sessions that a header carries, sites and the roles that
//! people have there, invitations.
//!
//! Read it in this order: [`user`] declares who a user is and what he may be, [`session`] what a
//! session remembers of him, [`api`] what can be done, [`App`] puts it together. [`services`] is
//! what the facade stands in front of, [`rules`] in what old clients differ.

use std::sync::Arc;

use auth_poem::{
    prelude::*,
    users::{RoleStore, UserStore},
};
use example_kit::{BoxError, Database, Outbox, sessions};
use poem::{EndpointExt, IntoEndpoint, Route, endpoint::make_sync, get, web::Json};

pub mod api;
mod body;
mod code;
pub mod errors;
pub mod limit;
pub mod paging;
pub mod rules;
pub mod seed;
pub mod services;
pub mod session;
pub mod settings;
mod text;
pub mod user;
mod web;

use crate::{
    api::Apis,
    errors::ErrorForm,
    services::{Services, roles::Roles},
    settings::Settings,
    user::{Grant, User},
};

/// Where the API begins.
pub const BASE: &str = "/api/v1";

/// The header that carries a session.
pub const SESSION_HEADER: &str = "x-session-id";

/// The application, as a process and a test start it.
#[derive(Debug)]
pub struct App {
    /// The API with its document.
    pub api: AuthApi<Apis>,
    /// The configured authentication.
    pub auth: Authenticator,
}

/// How the facade authenticates. A test may change the clock.
///
/// # Errors
///
/// - the database cannot answer
pub async fn auth_config(
    settings: &Settings,
    database: &Database,
    services: &Services,
) -> Result<AuthConfig, BoxError> {
    let sessions = sessions::store(&settings.common, "facade", database.auth()).await?;
    let users = SqlUsers::new(database.auth()).with_roles(RolesOf(services.roles.clone()));
    let mut config = AuthConfig::new()
        .user::<User>(users)
        .shared_sessions(sessions)
        .session_header(SESSION_HEADER)
        .expiry(settings.expiry())
        .password_policy(PasswordPolicy::default().min_length(8))
        // A session that is over is refused everywhere, also where nobody needs one.
        .verify_on_public_operations()
        .error_body::<ErrorForm>();
    config = match &settings.cookie {
        None => config.without_session_cookie(),
        Some(name) if settings.common.secure_cookies => {
            config.cookie(SessionCookie::new(name.clone()))
        }
        Some(name) => config.cookie(SessionCookie::dangerous_plain_http().named(name.clone())),
    };
    for network in &settings.trusted_proxies {
        config = config.trust_proxy(network);
    }
    Ok(config)
}

impl App {
    /// Puts the application together.
    ///
    /// # Errors
    ///
    /// - the database cannot answer, or the configuration does not fit
    pub async fn new(
        settings: &Settings,
        database: &Database,
        services: Services,
    ) -> Result<Self, BoxError> {
        let auth = auth_config(settings, database, &services).await?.build()?;
        Ok(Self::with(auth, settings, &services))
    }

    /// The application on an authentication that is configured.
    #[must_use]
    pub fn with(auth: Authenticator, settings: &Settings, services: &Services) -> Self {
        let outbox = Outbox::new(settings.common.outbox.clone());
        let apis = api::apis(services, settings.rules, &outbox);
        let api = auth.openapi(apis, "Facade", "1.0").server(BASE);
        Self { api, auth }
    }

    /// All routes: the API, its document, a page that shows it, and signs of life.
    #[must_use]
    pub fn routes(self, settings: &Settings) -> impl IntoEndpoint + use<> {
        let Self { api, auth } = self;
        let routes = Route::new()
            .at("/openapi.json", api.spec_endpoint())
            .nest("/docs", api.swagger_ui())
            .at("/heartbeat", get(make_sync(|_| Json(Utc::now()))))
            .at("/status", get(web::status()))
            .nest(BASE, api)
            .with(auth.errors())
            .before(text::check_url)
            .boxed();
        let routes = match settings.seed && settings.rules.sessions_of_seed {
            true => routes.before(seed::known_sessions).boxed(),
            false => routes,
        };
        let routes = match settings.maintenance {
            true => routes.around(web::maintenance).boxed(),
            false => routes,
        };
        routes.with(web::cors(settings)).after(web::uncached)
    }
}

/// The roles that the service of that name knows, for guards: asked anew with each request, so
/// that what was taken from a user is taken from all his sessions.
#[derive(Debug)]
struct RolesOf(Arc<dyn Roles>);

impl RoleStore<User> for RolesOf {
    async fn roles(&self, user: &User) -> services::Result<Vec<Grant>> {
        self.0.of(&user.id).await
    }
}
