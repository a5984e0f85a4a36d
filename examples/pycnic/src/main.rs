//! pycnic's full authentication example: `/login` starts a session, `/home` asks for one, `/logout`
//! ends it. The one user is `foo` with the password `foo`.
#![allow(clippy::print_stdout, reason = "a program that a person starts says where it is")]

use std::{env, error::Error, time::Duration};

use auth_poem::{password::PasswordHasher, prelude::*};
use poem::listener::{Acceptor, Listener, TcpListener};
use poem::{Route, Server};
use poem_openapi::{Object, payload::Json};

mod failure;

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
        // Known here only in COMPAT=1; see `app`.
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

async fn app() -> Result<AuthApi<Api>, Box<dyn Error>> {
    let password = PasswordHasher::default().hash("foo").await?;
    let users = MemoryUsers::new();
    users.insert(User { username: "foo".into(), password })?;
    let mut config = AuthConfig::new()
        .user::<User>(users)
        .sessions(MemorySessions::default())
        .error_body::<failure::Failure>();
    let is_set = |name| env::var(name).is_ok_and(|value| value != "0");
    if !is_set("SECURE_COOKIES") {
        config = config.cookie(SessionCookie::dangerous_plain_http().named("session_id"));
    }
    if is_set("COMPAT") {
        // A client that may send its session in a header is told it in the answer.
        config = config.session_header("x-session-id");
    }
    Ok(config.build()?.openapi(Api, "pycnic", "1.0").slash_tolerant())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let api = app().await?;
    if env::args().any(|argument| argument == "--access") {
        print!("{}", api.access_report());
        return Ok(());
    }
    let host = env::var("HOST").unwrap_or("127.0.0.1".into());
    let port = env::var("PORT").unwrap_or("8000".into());
    let listener = TcpListener::bind(format!("{host}:{port}")).into_acceptor().await?;
    let at = listener.local_addr()[0].to_string().replace("socket:", "http:");
    println!("API       {at}\ndocument  {at}/openapi.json\nbrowser   {at}/docs");
    let docs =
        Route::new().at("/openapi.json", api.spec_endpoint()).nest("/docs", api.swagger_ui());
    Server::new_with_acceptor(listener)
        .run_with_graceful_shutdown(docs.nest("/", api), stopped(), Some(Duration::from_secs(8)))
        .await?;
    Ok(())
}

/// Ends with Ctrl-C or SIGTERM.
async fn stopped() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    if let Ok(mut terminate) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    {
        tokio::select! { _ = interrupt => {} _ = terminate.recv() => {} }
        return;
    }
    let _ = interrupt.await;
}
