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
    fn a(&self, _user: User) {}

    #[oai(path = "/b", method = "get")]
    async fn b(&mut self, _user: User) {}

    #[oai(path = "/c", method = "get")]
    async fn c(_user: User) {}

    #[oai(path = "/d", method = "get")]
    async fn d<T>(&self, _user: User) {}

    #[oai(path = "/e", method = "get")]
    async fn e(&self, _user: User, _: poem_openapi::param::Path<i64>) {}
}

fn main() {
    let _ = OpenApiService::new(Api, "Test", "1.0");
}
