use auth_poem::prelude::*;
use poem_openapi::OpenApiService;

#[derive(AuthUser, Clone)]
#[auth(table = "users", schemes(session))]
struct User {
    #[auth(id)]
    id: i64,
}

struct Api<T>(T);

#[auth_api]
impl<T: Send + Sync + 'static> Api<T> {
    #[oai(path = "/a", method = "get")]
    async fn a(&self, _user: User) {}
}

fn main() {
    let _ = OpenApiService::new(Api(1), "Test", "1.0");
}
