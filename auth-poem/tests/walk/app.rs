//! An honest application with every kind of operation, and its document to be bent.

use auth_poem::{
    jwt::JwtAlgorithm,
    prelude::*,
    testing::{Credential, Report, Standing, Walk, set_cookie},
};
use poem::{
    Endpoint, EndpointExt, IntoEndpoint, endpoint::BoxEndpoint, http::StatusCode, test::TestClient,
};
use poem_openapi::{
    ApiResponse, Object, SecurityScheme,
    auth::ApiKey,
    param::{Path, Query},
    payload::{Json, PlainText},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(AuthRole, Clone, Copy, PartialEq, Debug)]
enum Role {
    Admin,
}

#[derive(AuthUser, Clone)]
#[auth(table = "users", role = Role, schemes(bearer, session))]
struct User {
    #[auth(id)]
    id: i64,
    #[auth(roles)]
    roles: Vec<Role>,
}

#[derive(SessionSchema, Serialize, Deserialize, Default)]
struct Visits {
    count: u32,
}

#[derive(Object)]
struct Note {
    text: String,
    lines: Vec<String>,
    color: Option<String>,
}

#[derive(ApiResponse)]
enum Deleted {
    #[oai(status = 204)]
    Done,
    #[oai(status = 404)]
    NoSuchNote,
}

/// The key of a partner.
#[derive(SecurityScheme)]
#[oai(ty = "api_key", key_name = "X-Partner", key_in = "header", checker = "check_partner")]
struct Partner(#[allow(dead_code)] ());

async fn check_partner(_: &poem::Request, key: ApiKey) -> Option<()> {
    (key.key == "partner key").then_some(())
}

pub(crate) struct Api;

#[auth_api]
impl Api {
    #[oai(path = "/me", method = "get")]
    async fn me(&self, user: User) -> Json<i64> {
        Json(user.id)
    }

    #[oai(path = "/hello", method = "get")]
    async fn hello(&self, user: Option<User>) -> PlainText<String> {
        PlainText(user.map_or("stranger".into(), |user| user.id.to_string()))
    }

    #[public]
    #[oai(path = "/visits", method = "post")]
    async fn visits(&self, mut session: Session<Visits>) -> Json<u32> {
        session.count += 1;
        Json(session.count)
    }

    #[public]
    #[oai(path = "/login/:id", method = "post")]
    async fn login(&self, auth: Auth<User>, id: Path<i64>) -> auth_poem::Result<Json<i64>> {
        let user = user(id.0).ok_or(Rejection::WrongCredentials)?;
        auth.login_user(&user).await?;
        Ok(Json(user.id))
    }

    #[public]
    #[oai(path = "/token/:id", method = "post")]
    async fn token(&self, auth: Auth<User>, id: Path<i64>) -> auth_poem::Result<PlainText<String>> {
        let user = user(id.0).ok_or(Rejection::WrongCredentials)?;
        let token = auth.login_user(&user).token_only().await?.token;
        Ok(PlainText(token.ok_or(Rejection::WrongCredentials)?.token.expose().to_owned()))
    }

    #[oai(path = "/logout", method = "post")]
    async fn logout(&self, _user: User, auth: Auth<User>) -> auth_poem::Result<Json<bool>> {
        auth.logout().await?;
        Ok(Json(true))
    }

    #[require(role = "admin")]
    #[oai(path = "/notes/:id", method = "delete")]
    async fn delete(&self, _user: User, id: Path<i64>, really: Query<bool>) -> Deleted {
        if id.0 == 1 && really.0 { Deleted::Done } else { Deleted::NoSuchNote }
    }

    #[oai(path = "/notes", method = "post")]
    async fn write(&self, _user: User, note: Json<Note>) -> Json<usize> {
        Json(note.text.len() + note.lines.len() + note.color.as_ref().map_or(0, String::len))
    }

    #[oai(path = "/partner", method = "get")]
    async fn partner(&self, _user: User, _partner: Partner) -> Json<bool> {
        Json(true)
    }
}

/// User 1 is an administrator, user 2 is not.
fn user(id: i64) -> Option<User> {
    let roles = if id == 1 { vec![Role::Admin] } else { Vec::new() };
    (1..=2).contains(&id).then_some(User { id, roles })
}

/// An old system's errors: another form, other statuses.
#[derive(Object)]
struct Failure {
    name: String,
    status: u16,
}

impl ErrorBody for Failure {
    fn status(rejection: &Rejection) -> StatusCode {
        match rejection {
            Rejection::InvalidSession => StatusCode::from_u16(440).unwrap(),
            Rejection::InvalidToken => StatusCode::FORBIDDEN,
            Rejection::RequirementNotMet(_) => StatusCode::CONFLICT,
            Rejection::WrongCredentials => StatusCode::BAD_REQUEST,
            rejection => rejection.status(),
        }
    }

    fn refusal(rejection: &Rejection, status: StatusCode) -> Self {
        Self { name: rejection.code().to_uppercase(), status: status.as_u16() }
    }

    fn fault(status: StatusCode) -> Self {
        Self { name: "BROKEN".into(), status: status.as_u16() }
    }

    fn other_status(_: StatusCode) -> StatusCode {
        StatusCode::BAD_REQUEST
    }

    fn other(error: &OtherError<'_>) -> Self {
        Self { name: error.detail().into(), status: error.status().as_u16() }
    }
}

/// The application under `/api`, and its document.
pub(crate) fn app() -> (BoxEndpoint<'static>, Value) {
    let (_, api) = api(|config| config);
    let document = serde_json::from_str(&api.spec()).unwrap();
    (poem::Route::new().nest("/api", api).into_endpoint().boxed(), document)
}

/// The same with errors of its own.
pub(crate) fn app_with_own_errors() -> (BoxEndpoint<'static>, Value) {
    let (_, api) = api(AuthConfig::error_body::<Failure>);
    let document = serde_json::from_str(&api.spec()).unwrap();
    (poem::Route::new().nest("/api", api).into_endpoint().boxed(), document)
}

/// The same behind a guard, which leaves open what one needs to log in.
pub(crate) fn app_behind_a_guard() -> (BoxEndpoint<'static>, Value) {
    let (auth, api) = api(AuthConfig::error_body::<Failure>);
    let guard = auth.guard::<User>().exclude("/api/login/*").exclude("/api/token/*");
    let api = api.server("/api").guarded_by(&guard).slash_tolerant();
    let document = serde_json::from_str(&api.spec()).unwrap();
    (poem::Route::new().nest("/api", api).with(guard).map_to_response().boxed(), document)
}

fn api(change: impl FnOnce(AuthConfig) -> AuthConfig) -> (Authenticator, AuthApi<Api>) {
    let users = MemoryUsers::default();
    for id in 1..=2 {
        users.insert(user(id).unwrap()).unwrap();
    }
    let config = AuthConfig::new()
        .user::<User>(users)
        .sessions(MemorySessions::default())
        .jwt(JwtKeys::generate(JwtAlgorithm::EdDsa).unwrap());
    let auth = change(config).build().unwrap();
    let api = auth.openapi(Api, "Honest", "1.0");
    (auth, api)
}

/// Walks through the application by a document.
pub(crate) async fn walk(app: &BoxEndpoint<'static>, document: &Value) -> Report {
    Walk::new(app, &document.to_string())
        .prefix("/api")
        .credentials(async |who| {
            let id = if who.standing() == Standing::Entitled { 1 } else { 2 };
            credential(app, who.scheme(), id).await
        })
        .run()
        .await
}

/// A fresh credential of a user.
pub(crate) async fn credential(app: impl Endpoint, scheme: &str, user: i64) -> Option<Credential> {
    let client = TestClient::new(app);
    match scheme {
        "session" => {
            let login = client.post(format!("/api/login/{user}")).send().await;
            set_cookie(&login.0, "__Host-sid").map(Credential::new)
        }
        "bearer" => {
            let answer = client.post(format!("/api/token/{user}")).send().await;
            answer.assert_status(StatusCode::OK);
            Some(Credential::new(answer.0.into_body().into_string().await.unwrap()))
        }
        "Partner" => Some(Credential::new("partner key")),
        other => panic!("what is {other}?"),
    }
}
