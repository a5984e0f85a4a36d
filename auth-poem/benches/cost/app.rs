//! The application that is measured, with authentication and without.

use auth_poem::{Auth, prelude::*};
use poem::{IntoEndpoint, Request, Route};
use poem_openapi::{
    Object, OpenApi, OpenApiService,
    payload::{Json, PlainText},
};
use sqlx::SqlitePool;

#[derive(AuthRole, Clone, Copy, Debug)]
pub(crate) enum Role {
    Admin,
    Editor,
}

/// A user as most applications have one.
#[derive(AuthUser, Clone, Debug)]
#[auth(table = "users", role = Role, schemes(bearer, session))]
pub(crate) struct User {
    #[auth(id)]
    pub(crate) id: Uuid,
    #[auth(login)]
    pub(crate) username: String,
    #[auth(login)]
    pub(crate) email: String,
    #[auth(password)]
    pub(crate) password: PasswordHash,
    #[auth(roles)]
    pub(crate) roles: Vec<Role>,
}

pub(crate) fn user() -> User {
    User {
        id: Uuid::now_v7(),
        username: "ada.lovelace".into(),
        email: "ada.lovelace@analytical-engine.example".into(),
        password: PasswordHash::from_stored(
            "$argon2id$v=19$m=19456,t=2,p=1$MTIzNDU2Nzg5MDEyMzQ1Ng$\
             /vJ1EZkW9mL0lC8xJm9rJ4Jr0V2sYtA8iQdZbq2jF6I",
        ),
        roles: vec![Role::Admin, Role::Editor],
    }
}

#[derive(Object)]
pub(crate) struct UserView {
    pub(crate) id: Uuid,
    pub(crate) username: String,
    pub(crate) email: String,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self { id: user.id, username: user.username, email: user.email }
    }
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self { id: user.id, username: user.username.clone(), email: user.email.clone() }
    }
}

/// With authentication.
struct Guarded {
    user: User,
}

#[auth_api]
impl Guarded {
    #[oai(path = "/me", method = "get")]
    async fn me(&self, user: User) -> Json<UserView> {
        Json(user.into())
    }

    #[public]
    #[oai(path = "/public", method = "get")]
    async fn open(&self) -> Json<UserView> {
        Json((&self.user).into())
    }

    #[public]
    #[oai(path = "/login", method = "post")]
    async fn login(&self, auth: Auth<User>) -> auth_poem::Result<PlainText<String>> {
        auth.login_user(&self.user).await?;
        Ok(PlainText(String::new()))
    }

    #[public]
    #[oai(path = "/token", method = "post")]
    async fn token(&self, auth: Auth<User>) -> auth_poem::Result<PlainText<String>> {
        let login = auth.login_user(&self.user).token_only().await?;
        Ok(PlainText(login.token.unwrap().token.expose().to_owned()))
    }
}

/// Without authentication: the user is at hand. What it says of him it has to copy, where
/// [`Guarded::me`] was given a copy.
struct Bare {
    user: User,
}

#[OpenApi]
impl Bare {
    #[oai(path = "/me", method = "get")]
    async fn me(&self) -> Json<UserView> {
        Json((&self.user).into())
    }

    #[oai(path = "/public", method = "get")]
    async fn open(&self) -> Json<UserView> {
        Json((&self.user).into())
    }
}

/// A session as its table has it: handle, user and stamp, login, data, times, client, version.
type SessionRow = (
    Uuid,
    Option<String>,
    Option<Vec<u8>>,
    Option<i64>,
    String,
    i64,
    i64,
    i64,
    i64,
    bool,
    Option<String>,
    Option<String>,
    i64,
);

/// Without authentication, but with the two rows that it cannot do without, read by hand.
struct Selecting {
    pool: SqlitePool,
    key: Vec<u8>,
    id: Uuid,
}

#[OpenApi]
impl Selecting {
    #[oai(path = "/me", method = "get")]
    async fn me(&self) -> Json<UserView> {
        let _: Option<SessionRow> = sqlx::query_as(
            "SELECT handle, user_key, stamp, login_at, data, created_at, last_active_at,
             idle_timeout, expires_at, persistent, ip, user_agent, version
             FROM auth_sessions WHERE key_hash = ? AND idle_expires_at > ?",
        )
        .bind(&self.key)
        .bind(Utc::now().timestamp_millis())
        .fetch_optional(&self.pool)
        .await
        .unwrap();
        let user: User = sqlx::query_as("SELECT * FROM users WHERE id = ?")
            .bind(self.id)
            .fetch_one(&self.pool)
            .await
            .unwrap();
        Json(user.into())
    }
}

/// An API as it is mounted.
pub(crate) type Served = Route;

pub(crate) fn mount(api: impl IntoEndpoint<Endpoint: 'static>) -> Served {
    Route::new().nest("/api", api)
}

pub(crate) fn guarded(auth: &Authenticator, user: User) -> Served {
    mount(auth.openapi(Guarded { user }, "Guarded", "1"))
}

pub(crate) fn bare(user: User) -> Served {
    mount(OpenApiService::new(Bare { user }, "Bare", "1"))
}

pub(crate) async fn selecting(pool: SqlitePool, id: Uuid) -> Served {
    let key = sqlx::query_scalar("SELECT key_hash FROM auth_sessions").fetch_one(&pool).await;
    let api = Selecting { pool, key: key.unwrap(), id };
    mount(OpenApiService::new(api, "Selecting", "1"))
}

/// A request with the headers that every client sends.
pub(crate) fn request(method: poem::http::Method, path: &'static str) -> poem::RequestBuilder {
    Request::builder()
        .method(method)
        .uri(poem::http::Uri::from_static(path))
        .header("host", "api.example")
        .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101")
        .header("accept", "application/json")
}
