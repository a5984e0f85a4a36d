use auth_poem::prelude::*;
use poem_openapi::OpenApiService;

#[derive(AuthUser, Clone)]
#[auth(table = "users", schemes(session))]
struct User {
    #[auth(id)]
    id: i64,
}

struct Api;

trait Operations {
    fn a(&self, _user: User) -> impl Future<Output = ()>;
}

#[auth_api]
impl Operations for Api {
    #[oai(path = "/a", method = "get")]
    async fn a(&self, _user: User) {}
}

#[auth_api]
struct NoImpl;

fn main() {
    let _: Option<OpenApiService<(), ()>> = None;
}
