//! Declarative authentication and authorization for poem and poem-openapi.
//!
//! An operation declares what it needs in its signature, and the rest follows:
//!
//! | parameter | what it means |
//! |---|---|
//! | `user: User` | somebody is logged in, by any scheme of `User`; else 401 |
//! | `user: Option<User>` | nobody presented a credential: `None`. One that does not hold is 401, a store that is down 503 |
//! | `auth: Auth<User>` | the handle to log in, log out, change the password |
//! | `session: Session<T>` | one part of the session's data, typed |
//! | `session: Session` | session data by key |
//! | `claims: Claims<T>` | the claims of the token that the user came by |
//!
//! | attribute | what it means |
//! |---|---|
//! | [`#[auth_api]`](macro@auth_api) | in place of `#[OpenApi]`: guards and documents every operation of an impl |
//! | [`#[handler]`](macro@handler) | in place of `#[poem::handler]` |
//! | [`#[public]`](macro@public) | anybody may call; mandatory where no user is asked for |
//! | [`#[require]`](macro@require) | what the user must be: a role, also in the scope that the path names, a permission, the owner, freshly logged in, or what a function of yours says |
//! | [`#[schemes]`](macro@schemes) | which of the user's schemes count here; others are not looked at |
//! | [`#[rejects]`](macro@rejects) | refusals of the operation's own, for the document |
//!
//! # Examples
//!
//! ```
//! use auth_poem::prelude::*;
//! use poem::test::TestClient;
//! use poem_openapi::payload::PlainText;
//!
//! #[derive(AuthUser, Clone)]
//! #[auth(table = "users", schemes(session))]
//! struct User {
//!     #[auth(id)]
//!     id: i64,
//!     #[auth(login)]
//!     name: String,
//!     #[auth(password)]
//!     password: PasswordHash,
//! }
//!
//! struct Api;
//!
//! #[auth_api]
//! impl Api {
//!     /// Greets the current user.
//!     #[oai(path = "/", method = "get")]
//!     async fn me(&self, user: User) -> PlainText<String> {
//!         PlainText(format!("Hello, {}", user.name))
//!     }
//!
//!     /// Logs in. A real one takes name and password from the body.
//!     #[public]
//!     #[oai(path = "/login", method = "post")]
//!     async fn login(&self, auth: Auth<User>) -> auth_poem::Result<PlainText<String>> {
//!         let user = auth.login("ann", "seven purple giraffes").await?;
//!         let user = user.ok_or(Rejection::WrongCredentials)?;
//!         Ok(PlainText(format!("Welcome, {}", user.name)))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let password = auth_poem::password::PasswordHasher::default().hash("seven purple giraffes").await?;
//! let users = MemoryUsers::default();
//! users.insert(User { id: 1, name: "ann".into(), password })?;
//! let auth = AuthConfig::new().user::<User>(users).sessions(MemorySessions::default()).build()?;
//!
//! let client = TestClient::new(auth.openapi(Api, "Greetings", "1.0"));
//! client.get("/").send().await.assert_status(poem::http::StatusCode::UNAUTHORIZED);
//!
//! let login = client.post("/login").send().await;
//! let cookie = login.0.headers()["set-cookie"].to_str()?.split(';').next().unwrap().to_owned();
//! let greeting = client.get("/").header("cookie", cookie).send().await;
//! greeting.assert_text("Hello, ann").await;
//! # Ok(())
//! # }
//! ```
//!
//! # From a request to a user
//!
//! Every scheme that a user type declares answers one of four: nothing was presented; what was
//! presented does not hold; the system cannot tell; a user is known.
//!
//! | | `user: User` | `Option<User>` |
//! |---|---|---|
//! | nothing presented | 401 with the challenges of all schemes | `None` |
//! | a session cookie that resolves to nothing | 401, the cookie is removed | `None`, the cookie is removed |
//! | a session header that names no session | 401 | 401 |
//! | a token that does not hold, a wrong name or password by HTTP Basic | 401 | 401 |
//! | any other credential that does not hold | 401 | 401 |
//! | an `Authorization` header of a scheme that nobody handles | 401 | `None` |
//! | an authentic token for another audience | 403 | 403 |
//! | two credentials that name different users | 401 | 401 |
//! | the account is inactive, or its password has changed since | as a credential that does not hold | the same |
//! | a store cannot answer | 503 | 503 |
//! | the requirement is not met | 403, with `conceal` 404 | – |
//!
//! | `schemes(…)` | presented in | needs |
//! |---|---|---|
//! | `session` | the session cookie, or the header of [`session_header`] | [`AuthConfig::sessions`] |
//! | `bearer` | `Authorization: Bearer …` | [`AuthConfig::jwt`] |
//! | `basic` | `Authorization: Basic …`: name and password, hashed anew for every request unless [`cache_basic`] remembers | `#[auth(login)]`, `#[auth(password)]` |
//! | `api_key` | `X-API-Key: …` or `Authorization: Bearer …`, see [`api_keys`] | [`AuthConfig::api_keys`] |
//! | `signature` | `Signature`, `Signature-Input`, `Content-Digest`, see [`signature`] | [`AuthConfig::signatures`] |
//! | `custom = "badge"` | what a [`Scheme`](scheme::Scheme) of the application's own reads | [`AuthConfig::scheme`] |
//!
//! A credential may reach less far than its user: [`Scopes`](scopes::Scopes) restrict which
//! permissions and roles it brings along; `auth.identity()` says by which scheme somebody is known,
//! and how far that reaches.
//!
//! What browsers present by themselves, cookie and HTTP Basic, is good for unsafe requests only from
//! pages of this site. An application that chooses its schemes when it starts declares all of them
//! and calls [`disable_scheme`]; one whose public operations should refuse a credential that does
//! not hold calls [`verify_on_public_operations`].
//!
//! In tests: poem's `TestClient` makes requests that have forgotten their address, so a signature
//! over it never holds there. `testing::Walk` makes others, and signs.
//!
//! [`AuthConfig::sessions`]: config::AuthConfig::sessions
//! [`AuthConfig::jwt`]: config::AuthConfig::jwt
//! [`AuthConfig::api_keys`]: config::AuthConfig::api_keys
//! [`AuthConfig::signatures`]: config::AuthConfig::signatures
//! [`AuthConfig::scheme`]: config::AuthConfig::scheme
//! [`cache_basic`]: config::AuthConfig::cache_basic
//! [`session_header`]: config::AuthConfig::session_header
//! [`disable_scheme`]: config::AuthConfig::disable_scheme
//! [`verify_on_public_operations`]: config::AuthConfig::verify_on_public_operations
//!
//! # Logging in elsewhere
//!
//! With the feature `oidc`, people log in at a provider: Google, GitHub, Microsoft, GitLab, or any
//! other that speaks OpenID Connect. `config::OidcConfig` takes the providers, a store that says
//! whose an identity is (`identities::SqlIdentities`), and the application's answer to "whose account
//! is this" (`features::ExternalAccounts`); `routes::OidcApi` is the routes, and its documentation has
//! the whole of it as an example. Two more ways take tokens that others have issued:
//! `oidc::Introspection` is a scheme that asks the provider about each, and `oidc::RemoteJwks` fetches
//! the keys with which signed ones are verified.
//!
//! # Sessions
//!
//! A session is loaded when somebody asks for it and written once, when the request ends, also when
//! the operation returned an error. Until then changes wait; a version keeps two requests from
//! overwriting each other, and a session that was ended meanwhile stays ended. See [`Session`] and
//! [`expiry::Expiry`].
//!
//! [`session_limit`](config::AuthConfig::session_limit) says how many sessions a user may have at
//! once, [`session_columns`](config::AuthConfig::session_columns) what the application notes about
//! each in columns of its own.
//!
//! # Tokens
//!
//! | | |
//! |---|---|
//! | [`AuthConfig::refresh_tokens`] | a login that issues a token issues a refresh token too; `auth.refresh(..)` exchanges it, once |
//! | [`AuthConfig::deny_list`] | a logout ends the bearer token that it presents |
//! | [`auth.token_routes::<User>()`](AuthenticatorExt::token_routes) | `POST /oauth/token` and `/oauth/revoke`, to put beside the API |
//! | [`auth.jwks()`](AuthenticatorExt::jwks) | the public keys, for `/.well-known/jwks.json` |
//! | [`AuthConfig::document_password_flow`] | Swagger UI logs in with name and password |
//! | `#[auth(token)]` | a user's newest token is his only one; the column holds its name, hashed |
//! | `auth.login(..).token_only().claims(&x)` | claims of the application's own; [`Claims`] reads them |
//! | [`AuthConfig::trust`] | takes the tokens of another issuer, for users without a table |
//!
//! A service behind an identity provider has no table of users. Its type is `#[auth(claims)]`, and
//! serde fills it from the token:
//!
//! ```
//! use auth_poem::{jwt::TrustedIssuer, prelude::*};
//! use poem_openapi::payload::PlainText;
//! use serde::Deserialize;
//!
//! #[derive(AuthUser, Deserialize, Clone)]
//! #[auth(claims, schemes(bearer))]
//! struct Caller {
//!     #[auth(id)]
//!     #[serde(flatten)]
//!     id: Subject,
//!     #[auth(permissions)]
//!     #[serde(flatten)]
//!     scopes: GrantedScopes,
//!     email: Option<String>,
//! }
//!
//! struct Api;
//!
//! #[auth_api]
//! impl Api {
//!     #[require(permission = "reports:read")]
//!     #[oai(path = "/reports", method = "get")]
//!     async fn reports(&self, caller: Caller) -> PlainText<String> {
//!         PlainText(format!("for {} of {}", caller.id.subject, caller.id.issuer))
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let provider = JwtKeys::generate(auth_poem::jwt::JwtAlgorithm::EdDsa)?.public_jwks()?;
//! let keys = JwtKeys::published_jwks(&provider)?; // the provider's JWK set, from a file
//! let auth = AuthConfig::new()
//!     .user::<Caller>(ClaimsUsers::new())
//!     .trust(TrustedIssuer::new("https://id.example", "https://api.example", keys))
//!     .build()?;
//! let api = auth.openapi(Api, "Reports", "1.0");
//! # Ok(())
//! # }
//! ```
//!
//! The rules of refresh tokens, and the event that says that one was stolen, stand in [`jwt`].
//!
//! [`AuthConfig::refresh_tokens`]: config::AuthConfig::refresh_tokens
//! [`AuthConfig::deny_list`]: config::AuthConfig::deny_list
//! [`AuthConfig::trust`]: config::AuthConfig::trust
//! [`AuthConfig::document_password_flow`]: config::AuthConfig::document_password_flow
//!
//! # Around the routes
//!
//! | middleware | what it does |
//! |---|---|
//! | [`auth.layer()`](AuthenticatorExt::layer) | serves plain handlers with users and sessions; APIs bring it along |
//! | [`auth.errors()`](AuthenticatorExt::errors) | answers what poem refuses in the form of all other errors; APIs do it by themselves |
//! | [`auth.guard::<User>()`](AuthenticatorExt::guard) | refuses strangers before routes are looked for, apart from excluded paths |
//!
//! What answers the preflights of CORS stands outside of all of them; the headers that the configured
//! schemes read are known:
//!
//! ```
//! use auth_poem::prelude::*;
//! use poem::{EndpointExt, Route, http::header, middleware::Cors};
//!
//! # #[derive(AuthUser, Clone)]
//! # #[auth(table = "users", schemes(session))]
//! # struct User { #[auth(id)] id: i64 }
//! # let auth = AuthConfig::new()
//! #     .user::<User>(MemoryUsers::default()).sessions(MemorySessions::default())
//! #     .session_header("x-session-id").build().unwrap();
//! let cors = Cors::new()
//!     .allow_origin("https://app.example")
//!     .allow_headers(auth.cors_headers())        // x-session-id
//!     .allow_headers([header::CONTENT_TYPE]);
//! let app = Route::new().with(auth.guard::<User>()).with(cors);
//! ```
//!
//! # Codes
//!
//! Refusals are `application/problem+json` with a stable `code`; the table stands in
//! [`rejection`]. What poem itself refuses has that form too: `malformed_request`, `not_found`,
//! `method_not_allowed`, `unsupported_media_type`, `payload_too_large`, `length_required`. An
//! [`ErrorBody`] gives all of it, answers and documents, a form of the application's own.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `sqlite` | yes | `SqlUsers`, `SqlRoles` and `SqlSessions` on SQLite; `FileSessions` |
//! | `postgres` | no | the same on PostgreSQL; `sql::SqlPool::connect` chooses by the URL |
//! | `mysql` | no | the same on MySQL (8.0 and later) and MariaDB (10.6 and later) |
//! | `redis` | no | `RedisSessions`, and `RedisCache` for [`CachedSessions`](store::CachedSessions) |
//! | `oidc` | no | `routes`, `oidc`, `identities`: logins through OpenID Connect and GitHub |
//! | `swagger-ui` | yes | [`AuthApi::swagger_ui`] |
//! | `rapidoc`, `redoc`, `scalar`, `openapi-explorer`, `stoplight-elements` | no | the other viewers of poem-openapi |
//! | `testing` | no | what tests of an application use |

// The ready-made routes are written with our own macros.
extern crate self as auth_poem;

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use auth_core::sql;
pub use auth_core::{
    access_keys, api_keys, clock, config, error as fault, expiry, features, guard, http, jwt, keys,
    password, rejection, requirement, responder, scheme, scopes, sealing, secret, session,
    signature, store, throttle, user, users,
};
#[cfg(feature = "oidc")]
pub use auth_core::{identities, oidc};
pub use auth_macros::{
    AuthRole, AuthUser, SessionSchema, auth_api, handler, public, rejects, require, schemes,
};

#[doc(hidden)]
pub mod __private;
mod access;
mod before_routing;
mod body_error;
mod endpoint;
mod error;
mod error_body;
mod errors;
mod extract;
mod form;
mod gate;
mod joined;
mod layer;
mod openapi;
mod param;
mod path;
pub mod prelude;
mod problem;
pub mod routes;
mod safe_detail;
mod service;
#[cfg(feature = "testing")]
pub mod testing;

pub use __private::ask::CheckResult;
pub use access::AccessReport;
pub use before_routing::{Guard, GuardEndpoint};
pub use body_error::BodyError;
pub use endpoint::ApiEndpoint;
pub use error::{Error, Result};
pub use error_body::{AuthConfigExt, ErrorBody};
pub use errors::{Errors, ErrorsEndpoint, OtherError};
pub use extract::{Auth, Claims, Session};
pub use joined::Joined;
pub use layer::{AuthEndpoint, AuthLayer};
pub use path::RequestExt;
pub use service::{AuthApi, AuthenticatorExt};

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
