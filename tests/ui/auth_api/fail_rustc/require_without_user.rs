use auth_poem::prelude::*;
use poem_openapi::OpenApiService;

#[derive(AuthRole, Clone, Copy)]
enum Role {
    Admin,
    Editor,
}

#[derive(AuthUser, Clone)]
#[auth(table = "users", role = Role, schemes(session))]
struct User {
    #[auth(id)]
    id: i64,
    #[auth(roles)]
    roles: Vec<Role>,
}

#[derive(AuthUser, Clone)]
#[auth(table = "admins", schemes(session))]
struct Admin {
    #[auth(id)]
    id: i64,
}

struct Api;

#[auth_api]
impl Api {
    #[require(fresh)]
    #[oai(path = "/a", method = "get")]
    async fn a(&self) {}

    #[require(role = "admin")]
    #[oai(path = "/b", method = "get")]
    async fn b(&self, _user: Option<User>) {}
}

fn main() {
    let _ = OpenApiService::new(Api, "Test", "1.0");
}
