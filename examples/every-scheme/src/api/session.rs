//! Name and password once, then a cookie.

use auth_poem::prelude::*;
use poem_openapi::{ApiResponse, Object, payload::Json};

use super::{Tag, disabled};
use crate::user::{Caller, User};

/// The operations.
#[derive(Debug)]
pub struct SessionApi {
    /// Whether there are sessions to log in to.
    pub(super) is_open: bool,
}

/// A name and a password.
#[derive(Object)]
struct Credentials {
    username: String,
    password: String,
}

/// The session is over.
#[derive(ApiResponse)]
enum LoggedOut {
    /// The session is over.
    #[oai(status = 204)]
    Done,
}

#[auth_api(tag = "Tag::Session")]
impl SessionApi {
    /// Logs in: the session gets a new key.
    #[public]
    #[rejects(scheme_disabled = 404)]
    #[oai(path = "/login", method = "post")]
    async fn login(
        &self,
        auth: Auth<User>,
        data: Json<Credentials>,
    ) -> auth_poem::Result<Json<Caller>> {
        if !self.is_open {
            return Err(disabled("Sessions are switched off here.").into());
        }
        let login = auth.login(&data.username, &data.password).await?;
        login.ok_or(Rejection::WrongCredentials)?;
        Ok(Json(Caller::of(&auth)?))
    }

    /// Ends the session that the request presents.
    #[public]
    #[oai(path = "/logout", method = "post")]
    async fn logout(&self, auth: Auth<User>) -> auth_poem::Result<LoggedOut> {
        auth.logout().await?;
        Ok(LoggedOut::Done)
    }
}
