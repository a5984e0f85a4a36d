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
    #[require(rolle = "admin")]
    #[oai(path = "/a", method = "get")]
    async fn a(&self, _user: User) {}

    #[require(any(permision = "users:delete", user = User), fresh(minute = 5))]
    #[oai(path = "/b", method = "get")]
    async fn b(&self, _user: User) {}

    #[require]
    #[oai(path = "/c", method = "get")]
    async fn c(&self, _user: User) {}
}

fn main() {
    // Nothing else fails besides.
    let _ = OpenApiService::new(Api, "Test", "1.0");
    let _ = Api.a(User { id: 1 });
}
