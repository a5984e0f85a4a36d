//! ALX 0x02: an API whose guard stands before its routes, and six ways to get past it.
//!
//! Read it in this order: [`user`] declares who a user is, `auth` how he proves it, [`api`] what
//! can be done, [`app`] puts it together. `policy` holds what `COMPAT` changes. What any service
//! has besides is in `example-kit`.

use auth_poem::{password::PasswordHasher, prelude::*};
use example_kit::{BoxError, Database};
use poem::{
    EndpointExt, IntoEndpoint, Route,
    http::header::ACCESS_CONTROL_ALLOW_ORIGIN,
    middleware::{Cors, SetHeader},
};

pub mod api;
mod auth;
mod failure;
mod legacy;
mod policy;
pub mod probe;
pub mod settings;
pub mod user;
mod users;

use crate::{
    api::Apis,
    policy::Policy,
    settings::Settings,
    user::{Role, User},
    users::{EMAIL_TAKEN, NewUser, Users},
};

/// A user of the seed with his password: the one who logs in with every request.
const BOB: (&str, &str) = ("bob@hbtn.io", "H0lbertonSchool98!");

/// The one who has a session.
const BOBSESSION: (&str, &str) = ("bobsession@hbtn.io", "fake pwd");

/// The application, as a process and a test start it.
#[derive(Debug)]
pub struct App {
    /// The API with its document.
    pub api: AuthApi<Apis>,
    /// The configured authentication.
    pub auth: Authenticator,
    guard: Option<Guard<User>>,
}

/// Puts the application together on a database that is open, and creates the users that the
/// settings name.
///
/// # Errors
///
/// - the database cannot be migrated, or the configuration does not fit
pub async fn app(
    settings: &Settings,
    database: Database,
    clock: impl Clock,
) -> Result<App, BoxError> {
    let users = Users::open(database.clone()).await?;
    if settings.seed {
        for (email, password) in [BOB, BOBSESSION] {
            create(&users, email, password, Vec::new()).await?;
        }
    }
    if let Some((email, password)) = &settings.admin {
        create(&users, email, password, vec![Role::Admin]).await?;
    }
    let auth = auth::config(settings, &database, clock).await?.build()?;
    let guard = auth::guard(settings, &auth);
    let apis = api::apis(users, Policy::of(settings), settings.has_sessions());
    let mut api = auth.openapi(apis, "ALX", "1.0").slash_tolerant();
    if let Some(guard) = &guard {
        api = api.guarded_by(guard);
    }
    Ok(App { api, auth, guard })
}

impl App {
    /// All routes: the API behind its guard, and in front of it the document and a page that shows
    /// it. What other sites' pages ask beforehand is answered before the guard, too.
    #[must_use]
    pub fn routes(self) -> impl IntoEndpoint<Endpoint: 'static> + use<> {
        let docs = Route::new()
            .at("/openapi.json", self.api.spec_endpoint())
            .nest("/docs", self.api.swagger_ui());
        let api = match self.guard {
            Some(guard) => self.api.with(guard).boxed(),
            None => self.api.boxed(),
        };
        let api = api
            .with(Cors::new())
            .catch_all_error(async |error: poem::Error| error.into_response())
            .with(SetHeader::new().overriding(ACCESS_CONTROL_ALLOW_ORIGIN, "*"));
        docs.nest("/", api)
    }
}

/// Creates a user, unless there is one of that address; an existing account is never changed.
async fn create(
    users: &Users,
    email: &str,
    password: &str,
    roles: Vec<Role>,
) -> auth_poem::Result<()> {
    if users.knows(email).await? {
        return Ok(());
    }
    let password = PasswordHasher::default().hash(password).await?;
    let new = NewUser { email: email.into(), password, roles, first_name: None, last_name: None };
    match users.create(&new, false).await {
        // Another process was faster.
        Err(error) if error.code() == Some(EMAIL_TAKEN) => Ok(()),
        created => created.map(drop),
    }
}
