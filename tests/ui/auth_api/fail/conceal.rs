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

#[auth_api]
impl Api {
    #[require(conceal)]
    #[oai(path = "/a", method = "get")]
    async fn alone(&self, _user: User) {}

    #[require(any(role = "admin", conceal))]
    #[oai(path = "/b", method = "get")]
    async fn inside(&self, _user: User) {}
}

fn main() {
    let _ = OpenApiService::new(Api, "Test", "1.0");
}
