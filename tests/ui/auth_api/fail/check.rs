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
    #[require(check)]
    #[oai(path = "/a", method = "get")]
    async fn nothing(&self, _user: User) {}

    #[require(check = "is_author")]
    #[oai(path = "/b", method = "get")]
    async fn text(&self, _user: User) {}

    #[require(check = Self)]
    #[oai(path = "/c", method = "get")]
    async fn no_method(&self, _user: User) {}
}

fn main() {
    let _ = OpenApiService::new(Api, "Test", "1.0");
}
