//! Operations that stand behind a guard before routing, most of which ask for nobody themselves.

use auth_poem::prelude::*;
use poem_openapi::{OpenApi, param::Path, payload::PlainText};

use crate::people::{Admin, User};

/// The operations.
#[derive(Debug, Clone, Copy)]
pub struct BehindApi;

type Text = PlainText<String>;

fn text(text: impl Into<String>) -> Text {
    PlainText(text.into())
}

#[auth_api]
impl BehindApi {
    #[public]
    #[oai(path = "/status", method = "get")]
    async fn status(&self) -> Text {
        text("status")
    }

    #[public]
    #[oai(path = "/users", method = "get", method = "post")]
    async fn users(&self) -> Text {
        text("users")
    }

    #[public]
    #[oai(path = "/users/:id", method = "get", method = "delete")]
    async fn user(&self, id: Path<String>) -> Text {
        text(format!("user {}", id.0))
    }

    #[public]
    #[oai(path = "/any/:name", method = "get")]
    async fn any(&self, name: Path<String>) -> Text {
        text(format!("any {}", name.0))
    }

    #[oai(path = "/me", method = "get")]
    async fn me(&self, user: User) -> Text {
        text(user.username)
    }

    #[oai(path = "/maybe", method = "get")]
    async fn maybe(&self, user: Option<User>) -> Text {
        text(user.map_or("nobody".into(), |user| user.username))
    }

    #[oai(path = "/admin", method = "get")]
    async fn admin(&self, admin: Admin) -> Text {
        text(admin.name)
    }
}

/// Operations of poem-openapi's own, which nothing of ours guards.
#[derive(Debug, Clone, Copy)]
pub struct ForeignApi;

#[OpenApi]
impl ForeignApi {
    #[oai(path = "/users", method = "put")]
    async fn put(&self) -> Text {
        text("put")
    }

    #[oai(path = "/foreign", method = "get")]
    async fn foreign(&self) -> Text {
        text("foreign")
    }
}
