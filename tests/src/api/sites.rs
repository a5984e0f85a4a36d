//! Operations whose requirements look at the path, or ask the application.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use auth_poem::prelude::*;
use poem::{Request, http::StatusCode};
use poem_openapi::{
    param::{Path, Query},
    payload::{Json, PlainText},
};

use super::account::Note;
use crate::people::User;

/// Who may read which article, and how often anybody asked. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Articles {
    authors: Arc<Mutex<HashMap<String, String>>>,
    asked: Arc<AtomicUsize>,
    opened: Arc<AtomicUsize>,
}

impl Articles {
    /// Notes who wrote an article.
    pub fn write(&self, slug: &str, author: &str) {
        self.authors.lock().unwrap().insert(slug.into(), author.into());
    }

    /// How often a check was asked.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }

    /// How often an operation ran that a check guards.
    #[must_use]
    pub fn opened(&self) -> usize {
        self.opened.load(SeqCst)
    }
}

/// A check without an impl: the path names the user.
async fn is_named(user: &User, request: &Request) -> auth_poem::Result<bool> {
    Ok(request.path_param("slug")?.ends_with(&user.username))
}

/// The operations.
#[derive(Debug)]
pub struct SiteApi {
    pub(super) articles: Articles,
}

#[auth_api]
impl SiteApi {
    #[require(role = "{site_id}:manager")]
    #[oai(path = "/sites/:site_id/members", method = "get")]
    async fn members(&self, _user: User, site_id: Path<String>) -> PlainText<String> {
        PlainText(site_id.0)
    }

    /// Takes the scope by every other way, too.
    #[require(role = "{site_id}:manager")]
    #[oai(path = "/sites/:site_id/members", method = "post")]
    async fn join(
        &self,
        _user: User,
        site_id: Path<String>,
        #[oai(name = "site_id")] query: Query<Option<String>>,
        data: Json<Note>,
    ) -> PlainText<String> {
        PlainText(format!("{} {:?} {}", site_id.0, query.0, data.text))
    }

    #[require(role = "{site_id}:manager", conceal)]
    #[oai(path = "/sites/:site_id/plans", method = "get")]
    async fn plans(&self, _user: User) {}

    #[require(role = "{site_id}:manager", fresh, conceal)]
    #[oai(path = "/sites/:site_id/keys", method = "get")]
    async fn keys(&self, _user: User) {}

    /// The second of two parameters, and one of three ways.
    #[require(any(role = "admin", role = "{site_id}:manager", owner = "{user_id}"))]
    #[oai(path = "/sites/:site_id/users/:user_id", method = "get")]
    async fn report(&self, _user: User, site_id: Path<String>, user_id: Path<String>) {
        let _ = (site_id, user_id);
    }

    #[require(owner = "{user_id}")]
    #[oai(path = "/users/:user_id/notes", method = "get", method = "post")]
    async fn notes(
        &self,
        _user: User,
        user_id: Path<Uuid>,
        #[oai(name = "user_id")] query: Query<Option<String>>,
    ) -> PlainText<String> {
        let _ = query;
        PlainText(user_id.0.to_string())
    }

    #[require(check = is_named)]
    #[oai(path = "/pages/:slug", method = "get")]
    async fn page(&self, _user: User) {
        self.articles.opened.fetch_add(1, SeqCst);
    }

    #[require(check = Self::is_author)]
    #[oai(path = "/articles/:slug", method = "get", method = "put")]
    async fn article(&self, _user: User, slug: Path<String>) -> PlainText<String> {
        self.articles.opened.fetch_add(1, SeqCst);
        PlainText(slug.0)
    }

    #[require(check = Self::is_author, conceal)]
    #[oai(path = "/articles/:slug/draft", method = "get")]
    async fn draft(&self, _user: User) {
        self.articles.opened.fetch_add(1, SeqCst);
    }

    #[require(any(check = Self::is_author, role = "admin"))]
    #[oai(path = "/articles/:slug/any", method = "get")]
    async fn any_of(&self, _user: User) {}

    #[require(all(check = Self::is_author, role = "editor"))]
    #[oai(path = "/articles/:slug/all", method = "get")]
    async fn all_of(&self, _user: User) {}

    #[require(any(check = is_named, check = Self::is_author), fresh)]
    #[oai(path = "/articles/:slug/both", method = "get")]
    async fn either(&self, _user: User) {}

    /// Reads the body, which a stranger must not make it do.
    #[require(check = Self::is_author)]
    #[oai(path = "/articles/:slug/comments", method = "post")]
    async fn comment(&self, _user: User, data: Json<Note>) -> PlainText<String> {
        PlainText(data.0.text)
    }

    async fn is_author(&self, user: &User, request: &Request) -> auth_poem::Result<bool> {
        self.articles.asked.fetch_add(1, SeqCst);
        let slug = request.path_param("slug")?;
        match slug {
            "locked" => Err(Rejection::new(StatusCode::LOCKED, "locked", "Somebody edits it.")),
            "forbidden" => Err(Rejection::Forbidden),
            "flooded" => return Err(auth_poem::Error::fault("the cellar is flooded")),
            "broken" => panic!("a check that panics"),
            "nameless" => return request.path_param("name").map(|_| true),
            _ => Ok(()),
        }?;
        let authors = self.articles.authors.lock().unwrap();
        Ok(authors.get(slug).is_some_and(|author| *author == user.username))
    }
}

/// Operations that all ask for the same.
#[derive(Debug)]
pub struct BackofficeApi;

#[auth_api(prefix_path = "/backoffice", require(role = "admin"))]
impl BackofficeApi {
    #[oai(path = "/", method = "get")]
    async fn door(&self, _user: User) {}

    #[require(role = "editor")]
    #[oai(path = "/desk", method = "get")]
    async fn desk(&self, _user: User) {}

    #[require(fresh, conceal)]
    #[oai(path = "/safe", method = "get")]
    async fn safe(&self, _user: User) {}
}

/// The same, with the scope in the prefix.
#[derive(Debug)]
pub struct BranchApi;

#[auth_api(prefix_path = "/branches/:branch", require(role = "{branch}:manager"))]
impl BranchApi {
    #[oai(path = "/door", method = "get")]
    async fn door(&self, _user: User) {}

    #[require(owner = "{user_id}")]
    #[oai(path = "/users/:user_id", method = "get")]
    async fn desk(&self, _user: User, user_id: Path<Uuid>) -> PlainText<String> {
        PlainText(user_id.0.to_string())
    }
}
