//! The two small servers with which the seed shows how a cookie becomes a user.

use auth_poem::{clock::SystemClock, prelude::*};
use cookie::Cookie;
use example_kit::{BoxError, Database};
use poem::{
    Endpoint, EndpointExt, IntoEndpoint, Request, Route, endpoint::make_sync, http::header::COOKIE,
};

use crate::{BOBSESSION, auth, create, settings::Settings, user::User, users::Users};

/// Says what the session cookie holds, whatever that is.
#[must_use]
pub fn cookie(settings: &Settings) -> impl IntoEndpoint<Endpoint: 'static> + use<> {
    let name = settings.session_name.clone();
    let probe = make_sync(move |request: Request| {
        let cookies = request.header(COOKIE).unwrap_or_default();
        let mut cookies = Cookie::split_parse(cookies).flatten();
        let cookie = cookies.find(|cookie| Some(cookie.name()) == name.as_deref());
        format!("Cookie value: {}\n", cookie.as_ref().map_or("None", Cookie::value))
    });
    Route::new().at("/", probe)
}

/// Says whose session the cookie names. Comes with a session to try, in a sentence that tells it.
///
/// # Errors
///
/// - the settings have no sessions
/// - the database cannot answer
pub async fn user(
    settings: &Settings,
    database: Database,
) -> Result<(impl IntoEndpoint<Endpoint: 'static> + use<>, String), BoxError> {
    if !settings.has_sessions() {
        return Err("set AUTH_TYPE=session_auth and SESSION_NAME".into());
    }
    let (email, password) = BOBSESSION;
    create(&Users::open(database.clone()).await?, email, password, Vec::new()).await?;
    // Who may send a session in a header is told it when it starts.
    let config = auth::config(settings, &database, SystemClock).await?;
    let auth = config.session_header("x-session-id").build()?;
    let started = start.with(auth.layer()).call(Request::default()).await?;
    let sentence = started.into_body().into_string().await?;
    Ok((Route::new().at("/", show).with(auth.layer()), sentence))
}

#[auth_poem::handler]
#[public]
async fn start(auth: Auth<User>) -> auth_poem::Result<String> {
    let (email, password) = BOBSESSION;
    let login = auth.login(email, password).await?.ok_or(Rejection::WrongCredentials)?;
    let token = login.session.and_then(|session| session.token).map(|token| token.expose());
    let token = token.unwrap_or_default();
    Ok(format!("User with ID: {} has a Session ID: {token}", login.user.id))
}

#[auth_poem::handler]
async fn show(user: Option<User>) -> String {
    match user {
        Some(user) => format!("User found: {}\n", user.id),
        None => "No user found\n".into(),
    }
}
