use auth_poem::prelude::*;
use poem_openapi::OpenApiService;

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

#[auth_api(prefix_path = "/a", require(role = "admin"))]
impl Api {
    #[public]
    #[oai(path = "/a", method = "get")]
    async fn a(&self) {}
}

struct Empty;

#[auth_api(require())]
impl Empty {
    #[oai(path = "/a", method = "get")]
    async fn a(&self, _user: User) {}
}

struct Scopes;

#[auth_api(require(role = "{site_id}:manager"))]
impl Scopes {
    #[oai(path = "/sites/:site_id", method = "get")]
    async fn right(&self, _user: User) {}

    #[oai(path = "/sites", method = "get")]
    async fn without(&self, _user: User) {}
}

fn main() {
    let _ = OpenApiService::new((Api, Empty, Scopes), "Test", "1.0");
}
