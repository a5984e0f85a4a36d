//! pycnic's full authentication example: `/login` starts a session, `/home` asks for one, `/logout`
//! ends it. The one user is `foo` with the password `foo`.
use auth_poem::{BodyError, password::PasswordHasher, prelude::*};
use example_kit::{BoxError, Common, Process, flag};
use poem::http::StatusCode;
use poem_openapi::{Object, payload::Json, types::Any};

#[derive(AuthUser, Clone)]
#[auth(table = "users", schemes(session))]
struct User {
    #[auth(id, login)]
    username: String,
    #[auth(password)]
    password: PasswordHash,
}

#[derive(Object)]
struct Login {
    #[oai(validator(min_length = 1))]
    username: String,
    #[oai(validator(min_length = 1))]
    password: String,
}
#[derive(Object)]
struct Answer {
    message: String,
    #[oai(skip_serializing_if_is_none)]
    session_id: Option<String>,
}

struct Api;
#[auth_api]
impl Api {
    /// Greets the user.
    #[oai(path = "/home", method = "get", method = "post")]
    async fn home(&self, user: User) -> Json<Answer> {
        Json(Answer { message: format!("Hello, {}", user.username), session_id: None })
    }

    /// Logs in.
    #[public]
    #[oai(path = "/login", method = "post")]
    async fn login(&self, auth: Auth<User>, data: Json<Login>) -> auth_poem::Result<Json<Answer>> {
        let login = auth.login(&data.username, &data.password).await?;
        let session = login.ok_or(Rejection::WrongCredentials)?.session;
        let session_id = session.and_then(|session| Some(session.token?.expose()));
        Ok(Json(Answer { message: "Logged in".into(), session_id }))
    }

    /// Logs out.
    #[public]
    #[oai(path = "/logout", method = "post")]
    async fn logout(&self, auth: Auth<User>) -> auth_poem::Result<Json<Answer>> {
        let message = if auth.presents_session() { "logged out" } else { "Not logged in" };
        auth.logout().await?;
        Ok(Json(Answer { message: message.into(), session_id: None }))
    }
}

/// What every error looks like; `data` is always null.
#[derive(Object)]
struct Failure {
    status: String,
    status_code: u16,
    error: String,
    data: Any<()>,
}
impl Failure {
    fn new(status: StatusCode, error: &str) -> Self {
        let (status, status_code) = (status.to_string(), status.as_u16());
        Self { status, status_code, error: error.into(), data: Any(()) }
    }
}

impl ErrorBody for Failure {
    fn refusal(rejection: &Rejection, status: StatusCode) -> Self {
        let error = match rejection {
            Rejection::WrongCredentials => "Invalid username or password",
            Rejection::TooManyAttempts { .. } => "Too many attempts, try again later",
            _ => "I can't let you do that",
        };
        Self::new(status, error)
    }
    fn fault(status: StatusCode) -> Self {
        Self::new(status, "Internal server error encountered.")
    }
    fn other_status(status: StatusCode) -> StatusCode {
        if status == StatusCode::UNSUPPORTED_MEDIA_TYPE { StatusCode::BAD_REQUEST } else { status }
    }
    fn other(error: &OtherError<'_>) -> Self {
        let text = match (error.code(), error.body()) {
            ("not_found", _) => &format!("Path {} not found", error.path()),
            ("method_not_allowed", _) => &format!("{} not allowed", error.method()),
            (_, Some(BodyError::Missing | BodyError::Unfit)) => {
                "Please specify username and password"
            }
            _ => "Expected JSON in request body",
        };
        Self::new(error.status(), text)
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let process = Process::start()?;
    let (users, password) = (MemoryUsers::new(), PasswordHasher::default().hash("foo").await?);
    users.insert(User { username: "foo".into(), password })?;
    let mut config = AuthConfig::new().user::<User>(users).sessions(MemorySessions::default());
    if !flag("SECURE_COOKIES")? {
        config = config.cookie(SessionCookie::dangerous_plain_http().named("session_id"));
    }
    if flag("COMPAT")? {
        // A client that may send its session in a header is told it in the answer.
        config = config.session_header("x-session-id");
    }
    let auth = config.error_body::<Failure>().build()?;
    let api = auth.openapi(Api, "pycnic", "1.0").slash_tolerant().answers_options();
    Ok(process.serve_api(Common::from_env("pycnic")?.address, api).await?)
}
