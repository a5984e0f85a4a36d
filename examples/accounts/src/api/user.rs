//! One's own account.

use auth_poem::prelude::*;
use poem::http::StatusCode;
use poem_openapi::{ApiResponse, Object, payload::Json};

use super::Tag;
use crate::{
    database::{self, Users},
    user::{User, UserView},
};

/// The operations.
#[derive(Debug)]
pub struct UserApi {
    pub(super) users: Users,
}

/// A name and a password.
#[derive(Object)]
struct Credentials {
    username: String,
    password: String,
}

/// A name and a password, and for how long.
#[derive(Object)]
struct Login {
    username: String,
    password: String,
    /// Stay logged in when the browser closes.
    #[oai(default)]
    remember: bool,
}

/// What to change.
#[derive(Object)]
struct Changes {
    username: Option<String>,
    /// The new password.
    password: Option<String>,
    /// Needed for a new password.
    current_password: Option<String>,
}

/// A greeting.
#[derive(Object)]
struct Greeting {
    message: String,
}

/// A token, as RFC 6749 names its parts.
#[derive(Object)]
struct Token {
    access_token: String,
    token_type: String,
    /// In seconds.
    expires_in: i64,
}

/// A new account.
#[derive(ApiResponse)]
enum Created {
    /// The new account, which is logged in by session.
    #[oai(status = 201)]
    User(Json<UserView>),
}

#[auth_api(prefix_path = "/user", tag = "Tag::User")]
impl UserApi {
    /// Creates an account and logs it in.
    #[public]
    #[rejects(username_taken = 409, malformed_username = 422, weak_password = 422)]
    #[oai(path = "/signup", method = "post")]
    async fn signup(
        &self,
        auth: Auth<User>,
        data: Json<Credentials>,
    ) -> auth_poem::Result<Created> {
        let name = well_formed(&data.username)?;
        let password = auth.hash_password(&data.password, &[name]).await?;
        let user = self.users.insert(name, password, Vec::new()).await?;
        let user = auth.login_user(&user).await?;
        Ok(Created::User(Json((&*user).into())))
    }

    /// Logs in: the session gets a new key.
    #[public]
    #[oai(path = "/login", method = "post")]
    async fn login(
        &self,
        auth: Auth<User>,
        data: Json<Login>,
    ) -> auth_poem::Result<Json<UserView>> {
        let login = auth.login(&data.username, &data.password);
        let login = if data.remember { login.remember() } else { login };
        let user = login.await?.ok_or(Rejection::WrongCredentials)?;
        Ok(Json((&*user).into()))
    }

    /// Ends the session and the token that the request presents.
    #[public]
    #[oai(path = "/logout", method = "post")]
    async fn logout(&self, auth: Auth<User>) -> auth_poem::Result<LoggedOut> {
        auth.logout().await?;
        Ok(LoggedOut::Done)
    }

    /// The current user.
    #[oai(path = "/", method = "get")]
    async fn me(&self, user: User) -> Json<UserView> {
        Json((&user).into())
    }

    /// Changes the name, the password, or both. A new password needs the current one; it gives
    /// this session a new key and ends every other session and every token.
    #[rejects(
        username_taken = 409,
        malformed_username = 422,
        weak_password = 422,
        wrong_current_password = 403
    )]
    #[oai(path = "/", method = "put")]
    async fn update(
        &self,
        user: User,
        auth: Auth<User>,
        data: Json<Changes>,
    ) -> auth_poem::Result<Json<UserView>> {
        let mut user = user;
        let name = data.username.as_deref().map(well_formed).transpose()?;
        if let Some(name) = name {
            // Asked before the password changes, so that a refusal changes nothing.
            let owner = self.users.find(name).await?;
            if owner.is_some_and(|owner| owner != user.id) {
                return Err(database::username_taken().into());
            }
        }
        if let Some(new) = &data.password {
            let current = data.current_password.as_deref().unwrap_or_default();
            user = (*auth.change_password(current, new).await?).clone();
        }
        if let Some(name) = name {
            self.users.rename(user.id, name).await?;
            user.username = name.to_owned();
        }
        Ok(Json((&user).into()))
    }

    /// Greets anybody, by name when logged in.
    #[oai(path = "/hello", method = "get")]
    async fn hello(&self, user: Option<User>) -> Json<Greeting> {
        let name = user.map_or("stranger".into(), |user| user.username);
        Json(Greeting { message: format!("Hello, {name}") })
    }

    /// Issues a token for clients without cookies.
    #[public]
    #[oai(path = "/token", method = "post")]
    async fn token(
        &self,
        auth: Auth<User>,
        data: Json<Credentials>,
    ) -> auth_poem::Result<Json<Token>> {
        let login = auth.login(&data.username, &data.password).token_only().await?;
        let issued = login.and_then(|user| user.token).ok_or(Rejection::WrongCredentials)?;
        Ok(Json(Token {
            access_token: issued.token.expose().to_owned(),
            token_type: "Bearer".into(),
            expires_in: issued.expires_in.num_seconds(),
        }))
    }
}

/// The session is over.
#[derive(ApiResponse)]
enum LoggedOut {
    /// The session is over.
    #[oai(status = 204)]
    Done,
}

/// A name that a URL, a log line and a person can carry.
fn well_formed(name: &str) -> Result<&str, Rejection> {
    let fits = (1..=64).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "._@+-".contains(c));
    fits.then_some(name).ok_or_else(|| {
        Rejection::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "malformed_username",
            "A name has 1 to 64 letters, digits and . _ @ + -, and begins with a letter or digit.",
        )
    })
}
