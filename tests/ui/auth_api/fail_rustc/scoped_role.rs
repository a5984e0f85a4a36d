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

#[derive(AuthUser, Clone)]
#[auth(table = "admins", role = Role, schemes(session))]
struct Admin {
    #[auth(id)]
    id: i64,
    #[auth(roles)]
    roles: Vec<Role>,
}

struct Api;

#[auth_api]
impl Api {
    #[require(role = "{site_id}:manger")]
    #[oai(path = "/sites/:site_id/a", method = "get")]
    async fn unknown(&self, _user: User) {}

    #[require(any(role = "admin", role = "{site_id}:manager"))]
    #[oai(path = "/sites/:site_id/b", method = "get")]
    async fn without_scopes(&self, _admin: Admin) {}
}

#[auth_poem::handler]
#[require(role = "{site_id}:manager")]
async fn handler(_admin: Admin) {}

fn main() {
    let _ = OpenApiService::new(Api, "Test", "1.0");
}
