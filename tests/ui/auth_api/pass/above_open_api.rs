//! `#[auth_api]` works above an existing `#[OpenApi]`, and takes its arguments.

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
#[poem_openapi::OpenApi(prefix_path = "/v1")]
impl Api {
    #[oai(path = "/a", method = "get")]
    async fn a(&self, user: User) {
        let _ = user.id;
    }
}

fn main() {
    assert!(OpenApiService::new(Api, "Test", "1.0").spec().contains("/v1/a"));
}
