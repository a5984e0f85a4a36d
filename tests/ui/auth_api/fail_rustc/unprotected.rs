use auth_poem::prelude::*;
use poem_openapi::OpenApiService;

#[derive(AuthUser, Clone)]
#[auth(table = "users", schemes(session))]
struct User {
    #[auth(id)]
    id: i64,
}

struct Api;

#[auth_api]
impl Api {
    #[oai(path = "/a", method = "get")]
    async fn everybody_could_call_this(&self) {}
}

fn main() {
    let _ = OpenApiService::new(Api, "Test", "1.0");
}
