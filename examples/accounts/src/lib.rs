//! UtilMeta's user API: sign up, log in with a browser or with a token, change name and password,
//! administrate by role, confirm an e-mail address with a code.
//!
//! Read it in this order: [`user`] declares who a user is, [`api`] what can be done, [`app`] puts
//! it together. What any service has besides is in `example-kit`.

use auth_poem::{password::PasswordHasher, prelude::*, sql::SqlPool};
use example_kit::{BoxError, Outbox, sessions};
use poem::{EndpointExt, IntoEndpoint, Route};

pub mod api;
pub mod database;
pub mod settings;
pub mod user;

use crate::{
    api::Apis,
    database::Users,
    settings::{Admin, Settings},
    user::{Role, User},
};

/// The application, as a process and a test start it.
#[derive(Debug)]
pub struct App {
    /// The API with its document.
    pub api: AuthApi<Apis>,
    /// The configured authentication.
    pub auth: Authenticator,
    users: Users,
}

/// Puts the application together on a database that is open.
///
/// # Errors
///
/// - the database cannot be migrated, or the configuration does not fit
pub async fn app(settings: &Settings, keys: JwtKeys, pool: SqlPool) -> Result<App, BoxError> {
    let sessions = sessions::store(&settings.common, "accounts", pool.clone()).await?;
    let denied = SqlDenyList::new(pool.clone());
    denied.migrate().await?;
    let users = Users::open(pool.clone()).await?;

    let mut config = AuthConfig::new()
        .user::<User>(SqlUsers::new(pool))
        .shared_sessions(sessions)
        .jwt(keys)
        .deny_list(denied)
        .issuer("accounts")
        .audience("accounts")
        .password_policy(settings.password_policy());
    if !settings.common.secure_cookies {
        config = config.cookie(SessionCookie::dangerous_plain_http());
    }
    let auth = config.build()?;

    let outbox = Outbox::new(settings.common.outbox.clone());
    let api = auth.openapi(api::apis(users.clone(), outbox), "Accounts", "1.0").server("/api");
    Ok(App { api, auth, users })
}

impl App {
    /// Creates an administrator, unless there is a user of that name; an existing account is never
    /// changed.
    ///
    /// # Errors
    ///
    /// - the database cannot answer
    pub async fn create_administrator(&self, admin: &Admin) -> auth_poem::Result<()> {
        if self.users.find(&admin.username).await?.is_some() {
            return Ok(());
        }
        let password = PasswordHasher::default().hash(&admin.password).await?;
        match self.users.insert(&admin.username, password, vec![Role::Admin]).await {
            Ok(_) => tracing::info!(name = admin.username, "created an administrator"),
            // Another process was faster.
            Err(error) if error.code() == Some("username_taken") => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// All routes: the API, its document, and a page that shows it.
    #[must_use]
    pub fn routes(self) -> impl IntoEndpoint + use<> {
        let Self { api, auth, users: _ } = self;
        Route::new()
            .at("/openapi.json", api.spec_endpoint())
            .nest("/docs", api.swagger_ui())
            .nest("/api", api)
            .with(auth.errors())
    }
}
