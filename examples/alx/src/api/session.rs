//! Logging in with a form, and out.

use auth_poem::prelude::*;
use poem::http::StatusCode;
use poem_openapi::{
    Object,
    payload::{Form, Json},
};
use serde::Deserialize;

use super::{Nothing, Tag, given};
use crate::{
    policy::Policy,
    user::{User, UserView},
    users::Users,
};

/// The operations.
#[derive(Debug)]
pub struct SessionApi {
    pub(super) users: Users,
    pub(super) policy: Policy,
    pub(super) sessions: bool,
}

/// An e-mail address and a password.
#[derive(Object, Deserialize)]
struct Login {
    email: Option<String>,
    password: Option<String>,
}

#[auth_api(prefix_path = "/api/v1/auth_session", tag = "Tag::Session")]
impl SessionApi {
    /// Logs in: starts a session. There is nothing here where users prove who they are in another
    /// way.
    #[public]
    #[rejects(
        email_missing = 400,
        password_missing = 400,
        wrong_password = 401,
        wrong_login = 401,
        not_found = 404
    )]
    #[oai(path = "/login", method = "post")]
    async fn login(
        &self,
        auth: Auth<User>,
        data: Form<Login>,
    ) -> auth_poem::Result<Json<UserView>> {
        if !self.sessions {
            return Err(Rejection::NotFound.into());
        }
        let email = given(data.0.email, "email_missing", "email missing")?;
        let password = given(data.0.password, "password_missing", "password missing")?;
        match auth.login(&email, &password).await? {
            Some(user) => Ok(Json((&*user).into())),
            None => Err(self.wrong(&email).await?.into()),
        }
    }

    /// Ends the session.
    #[public]
    #[rejects(not_found = 404)]
    #[oai(path = "/logout", method = "delete")]
    async fn logout(&self, auth: Auth<User>) -> auth_poem::Result<Json<Nothing>> {
        if !self.sessions || !auth.presents_session() {
            return Err(Rejection::NotFound.into());
        }
        auth.logout().await?;
        Ok(Json(Nothing {}))
    }
}

impl SessionApi {
    /// What a login that failed says.
    async fn wrong(&self, email: &str) -> auth_poem::Result<Rejection> {
        let unauthorized = StatusCode::UNAUTHORIZED;
        if !self.policy.names_the_mistake {
            return Ok(Rejection::new(unauthorized, "wrong_login", "invalid credentials"));
        }
        Ok(if self.users.knows(email).await? {
            Rejection::new(unauthorized, "wrong_password", "wrong password")
        } else {
            let detail = "no user found for this email";
            Rejection::new(StatusCode::NOT_FOUND, "no_such_user", detail)
        })
    }
}
