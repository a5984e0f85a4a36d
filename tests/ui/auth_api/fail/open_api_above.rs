use auth_poem::prelude::*;
use poem_openapi::OpenApiService;

#[derive(AuthUser, Clone)]
#[auth(table = "users", schemes(session))]
struct User {
    #[auth(id)]
    id: i64,
}

struct Api;

#[poem_openapi::OpenApi]
#[auth_api]
impl Api {
    #[public]
    #[oai(path = "/a", method = "get")]
    async fn a(&self) {}
}

fn main() {
    let _ = OpenApiService::new(Api, "Test", "1.0");
}
