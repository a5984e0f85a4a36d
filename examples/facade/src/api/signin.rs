//! Signing in and out.

use auth_poem::prelude::*;
use poem::Request;
use poem_openapi::{Object, payload::Json};
use serde::Deserialize;

use super::{Done, Tag};
use crate::{
    body::OptionalJson,
    errors::bad_request,
    rules::Rules,
    services::{Services, accounts::Account},
    session::{OpenedSession, UserSnapshot},
    user::User,
};

/// The operations.
#[derive(Debug)]
pub struct SigninApi {
    pub(super) services: Services,
    pub(super) rules: Rules,
}

/// Who somebody says that he is, and the proof.
#[derive(Object, Deserialize)]
struct Credentials {
    /// The login, or the account's id.
    login: String,
    password: String,
}

#[auth_api(tag = "Tag::Session")]
impl SigninApi {
    /// Opens a session.
    #[public]
    #[rejects(CREDENTIALS_IN_QUERY = 400, MISSING_CREDENTIALS = 400)]
    #[oai(path = "/signin", method = "post")]
    async fn signin(
        &self,
        auth: Auth<User>,
        session: Session<UserSnapshot>,
        request: &Request,
        data: OptionalJson<Credentials>,
    ) -> auth_poem::Result<Json<OpenedSession>> {
        let Credentials { login, password } = self.credentials(request, data.0)?;
        let account = self.services.accounts.by_id_or_login(&login).await?;
        let name = account.as_ref().map_or(&login, |account| &account.login);
        match auth.verify(name, &password).await? {
            Some(user) => self.services.open_session(&auth, session, &user, self.rules).await,
            None => Err(self.wrong(&login, account.as_ref()).into()),
        }
    }

    /// Closes the session that the request presents, if it presents one.
    #[public]
    #[oai(path = "/signout", method = "post")]
    async fn signout(&self, auth: Auth<User>) -> auth_poem::Result<Done> {
        auth.logout().await?;
        Ok(Done::Done)
    }
}

impl SigninApi {
    fn credentials(
        &self,
        request: &Request,
        body: Option<Credentials>,
    ) -> Result<Credentials, Rejection> {
        match (request.params::<Credentials>(), body) {
            (Ok(query), _) if self.rules.credentials_in_query => Ok(query),
            // It stands in logs and histories by now.
            (Ok(_), _) => {
                let message = "Send login and password in the body, and change the password.";
                Err(bad_request("CREDENTIALS_IN_QUERY", message))
            }
            (Err(_), Some(body)) => Ok(body),
            (Err(_), None) => {
                Err(bad_request("MISSING_CREDENTIALS", "Send login and password in the body."))
            }
        }
    }

    fn wrong(&self, login: &str, account: Option<&Account>) -> Rejection {
        if !self.rules.tell_wrong_login {
            return Rejection::WrongCredentials;
        }
        match account.filter(|account| account.deleted.is_none()) {
            None => bad_request("WRONG_LOGIN", format!("Account {login} was not found")),
            Some(_) => bad_request("WRONG_PASSWORD", format!("Wrong password for account {login}")),
        }
        .with("login", login)
    }
}
