//! Logging in and out, and operations that want to know who asks.

use auth_poem::{Auth, Session, prelude::*};
use poem_openapi::{
    ApiResponse, Enum, Object,
    param::Path,
    payload::{Json, PlainText},
};

use crate::{
    gates::Gates,
    people::{Admin, Cart, EmailSession, User},
};

/// The operations.
#[derive(Debug)]
pub struct AccountApi {
    pub(super) gates: Gates,
    pub(super) people: MemoryUsers<User>,
}

/// For how long to stay logged in.
#[derive(Enum, Clone, Copy)]
#[oai(rename_all = "snake_case")]
enum Keep {
    Remember,
    Hour,
    Browser,
}

#[derive(Object)]
struct Credentials {
    name: String,
    password: String,
    keep: Option<Keep>,
}

#[derive(Object)]
struct NewPassword {
    current: String,
    new: String,
}

#[derive(Object)]
pub(super) struct Note {
    pub(super) text: String,
}

/// An answer whose author wants to see what the parsers refuse.
#[derive(ApiResponse)]
#[oai(bad_request_handler = "sees")]
enum Authored {
    #[oai(status = 200)]
    Done(PlainText<String>),
    #[oai(status = 400)]
    Refused(PlainText<String>),
}

fn sees(error: poem::Error) -> Authored {
    Authored::Refused(PlainText(format!("the author saw: {error}")))
}

#[auth_api]
impl AccountApi {
    #[oai(path = "/me", method = "get", method = "post")]
    async fn me(&self, user: User) -> PlainText<String> {
        PlainText(user.username)
    }

    #[oai(path = "/maybe", method = "get", method = "post")]
    async fn maybe(&self, user: Option<User>) -> PlainText<String> {
        PlainText(user.map_or("nobody".into(), |user| user.username))
    }

    #[public]
    #[oai(path = "/public", method = "get", method = "post")]
    async fn public(&self) -> PlainText<&'static str> {
        PlainText("welcome")
    }

    /// Asks for everything at once.
    #[oai(path = "/crowd", method = "get")]
    async fn crowd(
        &self,
        user: User,
        same: Option<User>,
        cart: Session<Cart>,
        email: Session<EmailSession>,
        auth: Auth<User>,
    ) -> PlainText<String> {
        let identity = auth.identity().map(|identity| identity.user.username.clone());
        let same = same.map(|user| user.username);
        PlainText(format!(
            "{} {same:?} {identity:?} {} {}",
            user.username,
            cart.items,
            email.code.is_some()
        ))
    }

    #[public]
    #[oai(path = "/login", method = "post")]
    async fn login(
        &self,
        auth: Auth<User>,
        data: Json<Credentials>,
    ) -> auth_poem::Result<PlainText<String>> {
        let login = auth.login(&data.name, &data.password);
        let login = match data.keep {
            Some(Keep::Remember) => login.remember(),
            Some(Keep::Hour) => login.expires_in(Duration::hours(1)),
            Some(Keep::Browser) => login.browser_session(),
            None => login,
        };
        let user = login.await?.ok_or(Rejection::WrongCredentials)?;
        Ok(PlainText(user.username.clone()))
    }

    /// Logs in, and takes its time before the answer is sent.
    #[public]
    #[oai(path = "/slow/login", method = "post")]
    async fn slow_login(&self, auth: Auth<User>, data: Json<Credentials>) -> auth_poem::Result<()> {
        let login = auth.login(&data.name, &data.password).await?;
        login.ok_or(Rejection::WrongCredentials)?;
        self.gates.pass().await;
        Ok(())
    }

    /// Logs in, and fails all the same.
    #[public]
    #[oai(path = "/fail/login", method = "post")]
    async fn fail_login(&self, auth: Auth<User>, data: Json<Credentials>) -> poem::Result<()> {
        auth.login(&data.name, &data.password).await.map_err(auth_poem::Error::from)?;
        Err(poem::Error::from_status(poem::http::StatusCode::IM_A_TEAPOT))
    }

    /// Logs out, and fails all the same.
    #[public]
    #[oai(path = "/fail/logout", method = "post")]
    async fn fail_logout(&self, auth: Auth<User>) -> poem::Result<()> {
        auth.logout().await.map_err(auth_poem::Error::from)?;
        Err(poem::Error::from_status(poem::http::StatusCode::IM_A_TEAPOT))
    }

    #[public]
    #[oai(path = "/token", method = "post")]
    async fn token(
        &self,
        auth: Auth<User>,
        data: Json<Credentials>,
    ) -> auth_poem::Result<PlainText<String>> {
        let login = auth.login(&data.name, &data.password).token_only().await?;
        let issued = login.and_then(|user| user.token).ok_or(Rejection::WrongCredentials)?;
        Ok(PlainText(issued.token.expose().to_owned()))
    }

    /// As after a signup: the application knows who it is.
    #[public]
    #[oai(path = "/signup/:name", method = "post")]
    async fn signup(
        &self,
        auth: Auth<User>,
        name: Path<String>,
    ) -> auth_poem::Result<PlainText<String>> {
        let all = self.people.all();
        let user = all.iter().find(|user| user.username == name.0);
        let user = user.ok_or(Rejection::WrongCredentials)?;
        let user = auth.login_user(user).await?;
        Ok(PlainText(user.username.clone()))
    }

    #[public]
    #[oai(path = "/logout", method = "post")]
    async fn logout(&self, auth: Auth<User>) -> auth_poem::Result<PlainText<&'static str>> {
        let text = if auth.presents_session() { "logged out" } else { "not logged in" };
        auth.logout().await?;
        Ok(PlainText(text))
    }

    #[oai(path = "/password", method = "post")]
    async fn password(
        &self,
        user: User,
        auth: Auth<User>,
        data: Json<NewPassword>,
    ) -> auth_poem::Result<PlainText<String>> {
        auth.change_password(&data.current, &data.new).await?;
        Ok(PlainText(user.username))
    }

    #[oai(path = "/revoke", method = "post")]
    async fn revoke(&self, _user: User, auth: Auth<User>) -> auth_poem::Result<()> {
        Ok(auth.revoke_others().await?)
    }

    /// The handles of one's sessions, this one's first.
    #[oai(path = "/sessions", method = "get")]
    async fn sessions(&self, _user: User, auth: Auth<User>) -> auth_poem::Result<Json<Vec<Uuid>>> {
        let mut sessions = auth.sessions().await?;
        sessions.sort_by_key(|session| !session.current);
        Ok(Json(sessions.iter().map(|session| session.handle).collect()))
    }

    #[oai(path = "/sessions/:handle", method = "delete")]
    async fn end(
        &self,
        _user: User,
        auth: Auth<User>,
        handle: Path<Uuid>,
    ) -> auth_poem::Result<Json<bool>> {
        Ok(Json(auth.revoke_session(handle.0).await?))
    }

    /// "Log in here and log out everywhere else."
    #[public]
    #[oai(path = "/login/only", method = "post")]
    async fn login_only(&self, auth: Auth<User>, data: Json<Credentials>) -> auth_poem::Result<()> {
        let login = auth.login(&data.name, &data.password).await?;
        login.ok_or(Rejection::WrongCredentials)?;
        Ok(auth.revoke_others().await?)
    }

    #[oai(path = "/echo", method = "post")]
    async fn echo(&self, _user: User, data: Json<Note>) -> PlainText<String> {
        PlainText(data.0.text)
    }

    #[oai(path = "/items/:id", method = "get")]
    async fn item(&self, _user: User, id: Path<u32>) -> PlainText<String> {
        PlainText(id.to_string())
    }

    #[oai(path = "/authored", method = "post")]
    async fn authored(&self, _user: User, cart: Session<Cart>, data: Json<Note>) -> Authored {
        Authored::Done(PlainText(format!("{} {}", data.0.text, cart.items)))
    }

    /// A refusal by `?`.
    #[oai(path = "/refuse", method = "get")]
    async fn refuse(&self, _user: User) -> auth_poem::Result<()> {
        Err(Rejection::Forbidden)?
    }

    /// A fault of the application.
    #[public]
    #[oai(path = "/fault", method = "get")]
    async fn fault(&self) -> auth_poem::Result<()> {
        Err(auth_poem::Error::fault("the cellar is flooded"))
    }

    #[oai(path = "/two", method = "get")]
    async fn two(&self, user: User, admin: Admin) -> PlainText<String> {
        PlainText(format!("{} and {}", user.username, admin.name))
    }

    #[oai(path = "/two/maybe", method = "get")]
    async fn two_maybe(&self, user: Option<User>, admin: Option<Admin>) -> PlainText<String> {
        let (user, admin) = (user.map(|user| user.username), admin.map(|admin| admin.name));
        PlainText(format!("{user:?} and {admin:?}"))
    }

    #[oai(path = "/admin/me", method = "get", method = "post")]
    async fn admin_me(&self, admin: Admin) -> PlainText<String> {
        PlainText(admin.name)
    }

    #[public]
    #[oai(path = "/admin/login", method = "post")]
    async fn admin_login(
        &self,
        auth: Auth<Admin>,
        data: Json<Credentials>,
    ) -> auth_poem::Result<()> {
        let login = auth.login(&data.name, &data.password).await?;
        login.ok_or(Rejection::WrongCredentials)?;
        Ok(())
    }

    #[public]
    #[oai(path = "/admin/token", method = "post")]
    async fn admin_token(
        &self,
        auth: Auth<Admin>,
        data: Json<Credentials>,
    ) -> auth_poem::Result<PlainText<String>> {
        let login = auth.login(&data.name, &data.password).token_only().await?;
        let issued = login.and_then(|user| user.token).ok_or(Rejection::WrongCredentials)?;
        Ok(PlainText(issued.token.expose().to_owned()))
    }

    #[oai(path = "/admin/password", method = "post")]
    async fn admin_password(
        &self,
        _admin: Admin,
        auth: Auth<Admin>,
        data: Json<NewPassword>,
    ) -> auth_poem::Result<()> {
        auth.change_password(&data.current, &data.new).await?;
        Ok(())
    }

    #[oai(path = "/admin/revoke", method = "post")]
    async fn admin_revoke(&self, _admin: Admin, auth: Auth<Admin>) -> auth_poem::Result<()> {
        Ok(auth.revoke_others().await?)
    }
}
