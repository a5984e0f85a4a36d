//! One user, every way in. Whatever a client presents, the operations get the same `User`; none of
//! them asks how he has come, unless it wants to know.
//!
//! Read it in this order: [`user`] declares who a user is and by which schemes he is known, [`api`]
//! what can be done, [`app`] puts it together and gives each scheme what it needs. What any service
//! has besides is in `example-kit`.

use std::{any::TypeId, fmt, fs};

use auth_poem::{
    AccessReport,
    access_keys::{Signatures, SqlAccessKeys, SqlNonces},
    config::OidcConfig,
    features::Oidc,
    identities::SqlIdentities,
    jwt::TrustedIssuer,
    oidc::{Provider, RemoteJwks},
    prelude::*,
    routes::OidcApi,
    scheme::{BEARER, SchemeKind},
    sealing::SealingKeys,
};
use example_kit::{BoxError, Database, sessions};
use poem::{EndpointExt, Route, endpoint::make_sync, web::Redirect};
use poem_openapi::OpenApi;

pub mod api;
pub mod newcomers;
pub mod settings;
pub mod store;
pub mod user;

use crate::{
    api::{ClaimsApi, Outsider},
    newcomers::Newcomers,
    settings::{Settings, Trusted},
    store::Store,
    user::User,
};

/// The application, as a process and a test start it.
pub struct App {
    routes: Route,
    access: AccessReport,
}

/// What nobody but this installation knows.
#[derive(Debug)]
pub struct Secrets {
    /// The keys that sign tokens.
    pub tokens: JwtKeys,
    /// The key under which the secrets of access keys are encrypted.
    pub sealing: SealingKeys,
}

/// Puts the application together on a database that is open.
///
/// # Errors
///
/// - the database cannot be migrated, or the configuration does not fit
pub async fn app(
    settings: &Settings,
    secrets: Secrets,
    database: &Database,
) -> Result<App, BoxError> {
    let store = Store::open(database).await?;
    if settings.seed {
        store.seed().await?;
    }
    let sessions = sessions::store(&settings.common, "every-scheme", database.auth()).await?;
    let refresh = SqlTokens::new(database.auth());
    refresh.migrate().await?;
    let denied = SqlDenyList::new(database.auth());
    denied.migrate().await?;
    let api_keys = SqlApiKeys::new(database.auth());
    api_keys.migrate().await?;
    let signatures = signatures(settings, secrets.sealing, database).await?;

    let mut config = AuthConfig::new()
        .user::<User>(SqlUsers::new(database.auth()))
        .shared_sessions(sessions)
        .jwt(secrets.tokens)
        .issuer("every-scheme")
        .audience("every-scheme")
        .refresh_tokens(refresh)
        .deny_list(denied)
        .api_keys(api_keys)
        .signatures(signatures)
        .document_password_flow("/api/oauth/token");
    if let Some(grace) = settings.refresh_grace {
        config = config.refresh_grace(grace);
    }
    if !settings.common.secure_cookies {
        config = config.cookie(SessionCookie::dangerous_plain_http());
    }
    let has_tokens = !settings.disabled.iter().any(|scheme| scheme == BEARER);
    if let Some(trusted) = settings.trusted.as_ref().filter(|_| has_tokens) {
        config = config.user::<Outsider>(ClaimsUsers::new()).trust(issuer(trusted)?);
    }
    for scheme in &settings.disabled {
        config = config.disable_scheme(scheme);
    }
    let auth = config.build()?;
    let oidc = match &settings.provider {
        Some(provider) if is_open(&auth, SchemeKind::Session) => {
            Some(oidc(settings, provider, database, store).await?.build(&auth)?)
        }
        _ => None,
    };
    Ok(App::new(&auth, oidc))
}

/// Logins at the provider `main`.
async fn oidc(
    settings: &Settings,
    provider: &settings::Provider,
    database: &Database,
    store: Store,
) -> Result<OidcConfig<User>, BoxError> {
    let identities = SqlIdentities::new(database.auth());
    identities.migrate().await?;
    let address = format!("{}/api/oidc", settings.public_url);
    let settings::Provider { issuer, client_id, client_secret } = provider.clone();
    Ok(OidcConfig::new(address, identities, Newcomers(store))
        .provider("main", Provider::new(issuer, client_id, client_secret)))
}

/// The other issuer, whose keys stand in a file or are fetched when they are needed.
fn issuer(trusted: &Trusted) -> Result<TrustedIssuer, BoxError> {
    let Trusted { issuer, keys, audience } = trusted;
    let problem = |error: &dyn fmt::Display| format!("TRUSTED_JWKS: {keys}: {error}");
    if keys.contains("://") {
        let keys = RemoteJwks::new(keys).map_err(|error| problem(&error))?;
        return Ok(TrustedIssuer::with_source(issuer, audience, keys));
    }
    let jwks = fs::read_to_string(keys).map_err(|error| problem(&error))?;
    let keys = JwtKeys::published_jwks(&jwks).map_err(|error| problem(&error))?;
    Ok(TrustedIssuer::new(issuer, audience, keys))
}

/// How signed requests are verified.
async fn signatures(
    settings: &Settings,
    sealing: SealingKeys,
    database: &Database,
) -> Result<Signatures, BoxError> {
    let keys = SqlAccessKeys::new(database.auth());
    keys.migrate().await?;
    // Here and not in memory: what one process has seen, another one must not take.
    let nonces = SqlNonces::new(database.auth());
    nonces.migrate().await?;
    let signatures = Signatures::new(keys, nonces, sealing);
    Ok(match settings.legacy_signature {
        true => signatures.dangerous_utilmeta_form(),
        false => signatures,
    })
}

impl App {
    /// The operations, as far as the schemes are open that they live by.
    fn new(auth: &Authenticator, oidc: Option<Oidc<User>>) -> Self {
        let apis = api::open_to_all(auth);
        let logs_in = [SchemeKind::Session, SchemeKind::Bearer, SchemeKind::Basic];
        if !logs_in.into_iter().any(|scheme| is_open(auth, scheme)) {
            // Those who are there have keys, and nobody can make another one.
            return Self::serving(auth, apis);
        }
        let apis = (apis, api::keys(auth));
        match oidc {
            Some(oidc) => Self::with_tokens(auth, (apis, OidcApi::new(oidc))),
            None => Self::with_tokens(auth, apis),
        }
    }

    fn with_tokens<T: OpenApi + 'static>(auth: &Authenticator, apis: T) -> Self {
        if !is_open(auth, SchemeKind::Bearer) {
            return Self::serving(auth, apis);
        }
        let apis = (apis, auth.token_routes::<User>());
        if auth.has_user(TypeId::of::<Outsider>()) {
            Self::serving(auth, (apis, ClaimsApi))
        } else {
            Self::serving(auth, apis)
        }
    }

    fn serving<T: OpenApi + 'static>(auth: &Authenticator, apis: T) -> Self {
        let api = auth.openapi(apis, "Every scheme", "1.0").server("/api");
        let access = api.access_report();
        let routes = Route::new()
            .at("/", make_sync(|_| Redirect::see_other("/docs")))
            .at("/openapi.json", api.spec_endpoint())
            .at("/.well-known/jwks.json", auth.jwks())
            .nest("/docs", api.swagger_ui())
            .nest("/api", api);
        Self { routes: Route::new().nest("/", routes.with(auth.errors())), access }
    }

    /// Who may call what.
    #[must_use]
    pub fn access_report(&self) -> &AccessReport {
        &self.access
    }

    /// All routes: the API, its document, a page that shows it, and the public keys.
    #[must_use]
    pub fn routes(self) -> Route {
        self.routes
    }
}

/// Whether a scheme is a way in for users.
fn is_open(auth: &Authenticator, scheme: SchemeKind) -> bool {
    auth.schemes(TypeId::of::<User>()).contains(&scheme)
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("access", &self.access).finish_non_exhaustive()
    }
}
