use auth_poem::prelude::*;
use poem_openapi::OpenApiService;

#[derive(Clone)]
struct User {
    id: i64,
}

struct Api;

#[auth_api]
impl Api {
    #[oai(path = "/a", method = "get")]
    async fn a(&self, _user: User) {}
}

fn main() {
    let _ = OpenApiService::new(Api, "Test", "1.0");
}
