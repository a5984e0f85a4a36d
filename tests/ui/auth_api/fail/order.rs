use auth_poem::prelude::*;
use poem_openapi::OpenApiService;

#[derive(AuthUser, Clone)]
#[auth(table = "users", schemes(session))]
struct User {
    #[auth(id)]
    id: i64,
}

struct Api;

// Not an operation yet: `#[auth_api]` is missing.
impl Api {
    #[require(role = "admin")]
    async fn a(&self, _user: User) {}

    #[public]
    async fn b(&self) {}
}

#[require(role = "admin")]
#[auth_api]
impl Api {
    #[oai(path = "/c", method = "get")]
    async fn c(&self, _user: User) {}
}

fn main() {
    let _ = OpenApiService::new(Api, "Test", "1.0");
}
