#![allow(unused_variables)]
use auth_poem::prelude::*;
use poem_openapi::{OpenApiService, param::Path};

#[derive(AuthRole, Clone, Copy)]
enum Role {
    Admin,
    Manager,
}

#[derive(AuthUser, Clone)]
#[auth(table = "users", role = Role, schemes(session))]
struct User {
    #[auth(id)]
    id: i64,
    #[auth(roles)]
    roles: Vec<Scoped<Role>>,
}

struct Api;

#[auth_api(prefix_path = "/sites/:site_id")]
impl Api {
    // In the prefix, and in the path.
    #[require(role = "{site_id}:manager", owner = "{user_id}")]
    #[oai(path = "/users/:user_id", method = "get")]
    async fn right(&self, _user: User) {}

    #[require(role = "{sit_id}:manager", owner = "{name}")]
    #[oai(path = "/users/:user_id", method = "get")]
    async fn not_there(&self, _user: User) {}

    #[require(owner = "{user_id}")]
    #[oai(path = "/users/{user_id}", method = "get")]
    async fn plain_text(&self, _user: User) {}

    #[require(role = "{site_id}manager")]
    #[oai(path = "/a", method = "get")]
    async fn no_colon(&self, _user: User) {}

    #[require(any(role = "admin", owner = "site_id"))]
    #[oai(path = "/b", method = "get")]
    async fn no_braces(&self, _user: User) {}

    #[require(owner = "{user_id}")]
    #[oai(path = "/users/:user_id/notes/:note_id", method = "get")]
    async fn swapped(&self, _user: User, note_id: Path<i64>, user_id: Path<i64>) {}

    #[require(role = "{site_id}:manager")]
    #[oai(path = "/notes/:note_id", method = "get")]
    async fn from_prefix(&self, _user: User, site_id: Path<i64>, note_id: Path<i64>) {}

    #[oai(path = "/files-:year/*file", method = "get")]
    async fn inside(&self, _user: User, year: Path<i64>, file: Path<String>) {}

    #[oai(path = "/users/:user_id/cards/:card_id", method = "get")]
    async fn misspelt(&self, _user: User, user_idd: Path<i64>, card: Path<i64>) {}
}

const PREFIX: &str = "/branches/:branch";

struct Branches;

#[auth_api(prefix_path = PREFIX)]
impl Branches {
    #[oai(path = "/:user_id", method = "get")]
    async fn right(&self, _user: User, user_id: Path<i64>) {}

    #[oai(path = "/", method = "get")]
    async fn from_constant(&self, _user: User, branch: Path<i64>) {}
}

fn main() {
    let _ = OpenApiService::new((Api, Branches), "Test", "1.0");
}
