//! Conduit, the application of [RealWorld](https://github.com/realworld-apps/realworld): users who
//! write articles, comment on them, have favorites and follow each other. Its clients log in with
//! an e-mail address and send a token with every request.
//!
//! Read it in this order: [`user`] declares who a user is, [`api`] what can be done, [`app`] puts
//! it together. [`store`] is SQL, and what any service has besides is in `example-kit`.

use auth_poem::prelude::*;
use example_kit::{BoxError, Database};
use poem::{EndpointExt, IntoEndpoint, Route, middleware::Cors};

pub mod api;
mod draft;
pub mod errors;
pub mod model;
mod slug;
pub mod store;
pub mod user;

use crate::{
    api::Apis,
    errors::Errors,
    store::Store,
    user::{Account, User},
};

/// How long a token is good for.
///
/// The contract has no way to renew one, and asking for the password every ten minutes would only
/// teach clients to keep it. So a token stands for what elsewhere is a session that remembers its
/// user: two weeks, as long as such a session of the library may lie idle. It can be so long
/// because it can be ended sooner: each request looks up its login, and a new password ends those of
/// all other clients.
const TOKEN_LIFETIME: Duration = Duration::days(14);

/// The application, as a process and a test start it.
#[derive(Debug)]
pub struct App {
    /// The API with its document.
    pub api: AuthApi<Apis>,
    /// The configured authentication.
    pub auth: Authenticator,
}

/// Puts the application together on a database that is open.
///
/// # Errors
///
/// - the database cannot be migrated, or the configuration does not fit
pub async fn app(keys: JwtKeys, database: &Database) -> Result<App, BoxError> {
    let store = Store::open(database).await?;
    let auth = AuthConfig::new()
        .user::<Account>(SqlUsers::new(database.auth()))
        .user::<User>(SqlUsers::new(database.auth()))
        .jwt(keys)
        .issuer("realworld")
        .audience("realworld")
        .token_prefix("Token")
        .token_lifetime(TOKEN_LIFETIME)
        // The contract's clients call `password123` a good one.
        .password_policy(PasswordPolicy::default().min_length(8).dangerous_allow_common())
        .error_body::<Errors>()
        .build()?;
    let api = auth.openapi(api::apis(store), "Conduit", "1.0").server("/api");
    Ok(App { api, auth })
}

impl App {
    /// All routes: the API, its document, and a page that shows it. Pages of any site may call the
    /// API, because nothing in a browser sends a token by itself.
    #[must_use]
    pub fn routes(self) -> impl IntoEndpoint<Endpoint: 'static> + use<> {
        Route::new()
            .at("/openapi.json", self.api.spec_endpoint())
            .nest("/docs", self.api.swagger_ui())
            .nest("/api", self.api)
            .with(self.auth.errors())
            .with(Cors::new())
    }
}
