use auth_poem::prelude::*;
use poem_openapi::OpenApiService;

struct NotAUser;

struct Api;

#[auth_api]
impl Api {
    #[oai(path = "/a", method = "get")]
    async fn a(&self, _user: Option<NotAUser>) {}
}

fn main() {
    let _ = OpenApiService::new(Api, "Test", "1.0");
}
