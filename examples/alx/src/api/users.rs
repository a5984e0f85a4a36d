//! Creating, reading, changing and removing users.

use auth_poem::prelude::*;
use poem::http::StatusCode;
use poem_openapi::{ApiResponse, Object, param::Path, payload::Json};

use super::{Nothing, Tag, given};
use crate::{
    policy::Policy,
    user::{User, UserView},
    users::{LONGEST_EMAIL, NewUser, Users},
};

/// The operations.
#[derive(Debug)]
pub struct UsersApi {
    pub(super) users: Users,
    pub(super) policy: Policy,
}

/// A user to create.
#[derive(Object)]
struct Creation {
    email: Option<String>,
    password: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
}

/// The names to change.
#[derive(Object)]
struct Names {
    first_name: Option<String>,
    last_name: Option<String>,
}

/// A new user.
#[derive(ApiResponse)]
enum Created {
    /// The new user.
    #[oai(status = 201)]
    User(Json<UserView>),
}

#[auth_api(prefix_path = "/api/v1/users", tag = "Tag::Users")]
impl UsersApi {
    /// All users.
    #[public]
    #[oai(path = "/", method = "get")]
    async fn list(&self) -> auth_poem::Result<Json<Vec<UserView>>> {
        Ok(Json(self.users.all().await?))
    }

    /// Creates a user.
    #[public]
    #[rejects(
        email_missing = 400,
        email_too_long = 400,
        invalid_text = 400,
        password_missing = 400,
        email_taken = 400,
        weak_password = 422
    )]
    #[oai(path = "/", method = "post")]
    async fn create(&self, auth: Auth<User>, data: Json<Creation>) -> auth_poem::Result<Created> {
        let Creation { email, password, first_name, last_name } = data.0;
        let email = given(email, "email_missing", "email missing")?;
        if email.chars().count() > LONGEST_EMAIL {
            let detail = "email too long";
            return Err(Rejection::new(StatusCode::BAD_REQUEST, "email_too_long", detail).into());
        }
        check([Some(&email), first_name.as_ref(), last_name.as_ref()])?;
        let password = given(password, "password_missing", "password missing")?;
        let password = self.policy.hash(&auth, &password, &email).await?;
        let new = NewUser { email, password, roles: Vec::new(), first_name, last_name };
        let user = self.users.create(&new, self.policy.shared_emails).await?;
        Ok(Created::User(Json(user)))
    }

    /// A user; `me` is the current one.
    #[rejects(not_found = 404)]
    #[oai(path = "/:user_id", method = "get")]
    async fn one(
        &self,
        me: Option<User>,
        user_id: Path<String>,
    ) -> auth_poem::Result<Json<UserView>> {
        let user = match user_id.as_str() {
            "me" => me.map(|me| (&me).into()),
            id => self.users.find(id).await?,
        };
        Ok(Json(user.ok_or(Rejection::NotFound)?))
    }

    /// Changes the names of a user: one's own, or as an administrator.
    #[rejects(not_found = 404, forbidden = 403, invalid_text = 400)]
    #[oai(path = "/:user_id", method = "put")]
    async fn change(
        &self,
        me: Option<User>,
        user_id: Path<String>,
        names: Json<Names>,
    ) -> auth_poem::Result<Json<UserView>> {
        let user = self.users.find(&user_id).await?.ok_or(Rejection::NotFound)?;
        self.policy.permit(me.as_ref(), &user.id)?;
        let Names { first_name, last_name } = &names.0;
        check([first_name.as_ref(), last_name.as_ref()])?;
        self.users.rename(&user.id, first_name.as_deref(), last_name.as_deref()).await?;
        Ok(Json(self.users.find(&user.id).await?.ok_or(Rejection::NotFound)?))
    }

    /// Removes a user: oneself, or as an administrator.
    #[rejects(not_found = 404, forbidden = 403)]
    #[oai(path = "/:user_id", method = "delete")]
    async fn remove(
        &self,
        me: Option<User>,
        user_id: Path<String>,
    ) -> auth_poem::Result<Json<Nothing>> {
        let user = self.users.find(&user_id).await?.ok_or(Rejection::NotFound)?;
        self.policy.permit(me.as_ref(), &user.id)?;
        self.users.remove(&user.id).await?;
        Ok(Json(Nothing {}))
    }
}

/// Refuses texts with a NUL, which PostgreSQL does not keep: nobody shall make a fault of one.
fn check<'a>(texts: impl IntoIterator<Item = Option<&'a String>>) -> Result<(), Rejection> {
    if texts.into_iter().flatten().any(|text| text.contains('\0')) {
        let detail = "text with a NUL";
        return Err(Rejection::new(StatusCode::BAD_REQUEST, "invalid_text", detail));
    }
    Ok(())
}
