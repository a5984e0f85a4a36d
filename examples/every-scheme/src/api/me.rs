//! What somebody gets who has come in, by whatever way.

use auth_poem::prelude::*;
use poem_openapi::{Object, payload::Json};

use super::{Tag, echo::Anything};
use crate::user::{Caller, MaybeCaller, User};

/// The operations.
#[derive(Debug)]
pub struct MeApi;

/// Who has sent a body, and what arrived of it.
#[derive(Object)]
struct Echo {
    #[oai(flatten)]
    caller: Caller,
    /// The SHA-256 of the body, in hex.
    sha256: String,
}

/// A report.
#[derive(Object)]
struct Report {
    title: String,
}

#[auth_api(tag = "Tag::Everybody")]
impl MeApi {
    /// Who somebody is, and how he has proved it.
    #[oai(path = "/me", method = "get")]
    async fn me(&self, _user: User, auth: Auth<User>) -> auth_poem::Result<Json<Caller>> {
        Ok(Json(Caller::of(&auth)?))
    }

    /// The same, and the SHA-256 of what he has sent.
    #[rejects(payload_too_large = 413)]
    #[oai(path = "/me/echo", method = "post")]
    async fn echo(
        &self,
        _user: User,
        auth: Auth<User>,
        body: Anything,
    ) -> auth_poem::Result<Json<Echo>> {
        Ok(Json(Echo { caller: Caller::of(&auth)?, sha256: body.sha256() }))
    }

    /// The same for anybody; of somebody without a credential it says that he has no name. One
    /// that does not hold is refused here too.
    #[oai(path = "/optional", method = "get")]
    async fn optional(&self, _user: Option<User>, auth: Auth<User>) -> Json<MaybeCaller> {
        Json(auth.identity().into())
    }

    /// Reports, for those who may read them: the user has the permission, and a credential with
    /// scopes names it.
    #[require(permission = "reports:read")]
    #[oai(path = "/reports", method = "get")]
    async fn reports(&self, _user: User) -> Json<Vec<Report>> {
        Json(vec![Report { title: "Who comes in, and how".into() }])
    }
}
