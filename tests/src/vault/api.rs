//! The members of the vault and what they can do.

use auth_poem::{features::LoggedIn, prelude::*};
use poem_openapi::{
    Object,
    param::Path,
    payload::{Json, PlainText},
};

/// A member; the hash of the password is the stamp.
#[derive(AuthUser, Debug, Clone)]
#[auth(table = "members", schemes(bearer, session))]
pub struct Member {
    /// The id.
    #[auth(id)]
    pub id: i64,
    /// The login name.
    #[auth(login)]
    pub name: String,
    /// The password.
    #[auth(password)]
    pub password: PasswordHash,
    /// Whether the account may be used.
    #[auth(active)]
    pub active: bool,
}

/// The operations.
#[derive(Debug)]
pub struct VaultApi;

#[derive(Object)]
struct Credentials {
    name: String,
    password: String,
}

#[derive(Object)]
struct Passwords {
    current: String,
    new: String,
}

#[derive(Object)]
struct Presented {
    token: String,
}

#[derive(Object)]
struct Tokens {
    access: String,
    expires_in: i64,
    refresh: Option<String>,
}

impl From<LoggedIn<Member>> for Tokens {
    fn from(login: LoggedIn<Member>) -> Self {
        let access = login.token.unwrap();
        Self {
            access: access.token.expose().to_owned(),
            expires_in: access.expires_in.num_seconds(),
            refresh: login.refresh_token.map(|token| token.expose()),
        }
    }
}

#[auth_api]
impl VaultApi {
    #[oai(path = "/me", method = "get")]
    async fn me(&self, member: Member) -> PlainText<String> {
        PlainText(member.name)
    }

    #[oai(path = "/maybe", method = "get")]
    async fn maybe(&self, member: Option<Member>) -> PlainText<String> {
        PlainText(member.map_or("nobody".into(), |member| member.name))
    }

    #[require(fresh)]
    #[oai(path = "/fresh", method = "get")]
    async fn fresh(&self, member: Member) -> PlainText<String> {
        PlainText(member.name)
    }

    #[public]
    #[oai(path = "/login", method = "post")]
    async fn login(&self, auth: Auth<Member>, data: Json<Credentials>) -> auth_poem::Result<()> {
        let login = auth.login(&data.name, &data.password).await?;
        let login = login.ok_or(Rejection::WrongCredentials)?;
        assert!(login.refresh_token.is_none(), "a session needs none");
        Ok(())
    }

    #[public]
    #[oai(path = "/token", method = "post")]
    async fn token(
        &self,
        auth: Auth<Member>,
        data: Json<Credentials>,
    ) -> auth_poem::Result<Json<Tokens>> {
        let login = auth.login(&data.name, &data.password).token_only().await?;
        Ok(Json(login.ok_or(Rejection::WrongCredentials)?.into()))
    }

    #[public]
    #[oai(path = "/short", method = "post")]
    async fn short(
        &self,
        auth: Auth<Member>,
        data: Json<Credentials>,
    ) -> auth_poem::Result<Json<Tokens>> {
        let login = auth.login(&data.name, &data.password).token_only();
        let login = login.expires_in(Duration::seconds(90)).await?;
        Ok(Json(login.ok_or(Rejection::WrongCredentials)?.into()))
    }

    #[public]
    #[rejects(refresh_token_just_used = 409)]
    #[oai(path = "/refresh", method = "post")]
    async fn refresh(
        &self,
        auth: Auth<Member>,
        data: Json<Presented>,
    ) -> auth_poem::Result<Json<Tokens>> {
        Ok(Json(auth.refresh(&data.token).await?.into()))
    }

    #[public]
    #[oai(path = "/revoke", method = "post")]
    async fn revoke(
        &self,
        auth: Auth<Member>,
        data: Json<Presented>,
    ) -> auth_poem::Result<Json<bool>> {
        Ok(Json(auth.revoke_token(&data.token).await?))
    }

    #[public]
    #[oai(path = "/logout", method = "post")]
    async fn logout(&self, auth: Auth<Member>) -> auth_poem::Result<()> {
        Ok(auth.logout().await?)
    }

    #[oai(path = "/families", method = "get")]
    async fn families(
        &self,
        _member: Member,
        auth: Auth<Member>,
    ) -> auth_poem::Result<Json<Vec<Uuid>>> {
        let families = auth.refresh_families().await?;
        Ok(Json(families.iter().map(|family| family.handle).collect()))
    }

    #[oai(path = "/families/:handle", method = "delete")]
    async fn end_family(
        &self,
        _member: Member,
        auth: Auth<Member>,
        handle: Path<Uuid>,
    ) -> auth_poem::Result<Json<bool>> {
        Ok(Json(auth.revoke_refresh_family(*handle).await?))
    }

    #[oai(path = "/password", method = "put")]
    async fn change_password(
        &self,
        _member: Member,
        auth: Auth<Member>,
        data: Json<Passwords>,
    ) -> auth_poem::Result<()> {
        auth.change_password(&data.current, &data.new).await?;
        Ok(())
    }

    #[oai(path = "/others", method = "delete")]
    async fn revoke_others(&self, _member: Member, auth: Auth<Member>) -> auth_poem::Result<()> {
        Ok(auth.revoke_others().await?)
    }
}
