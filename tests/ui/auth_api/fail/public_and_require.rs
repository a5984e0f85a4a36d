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
    #[public]
    #[require(fresh)]
    #[oai(path = "/a", method = "get")]
    async fn a(&self) {}

    #[public]
    #[public]
    #[oai(path = "/b", method = "get")]
    async fn b(&self) {}

    #[require(fresh)]
    #[require(role = "admin")]
    #[oai(path = "/c", method = "get")]
    async fn c(&self, _user: User) {}

    #[public]
    #[rejects(gone = 500)]
    #[oai(path = "/d", method = "get")]
    async fn d(&self) {}

    #[require(role = "admin")]
    async fn not_an_operation(&self, _user: User) {}
}

fn main() {
    let _ = OpenApiService::new(Api, "Test", "1.0");
}
