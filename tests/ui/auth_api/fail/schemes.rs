use auth_poem::prelude::*;

#[derive(AuthUser, Clone)]
#[auth(table = "users", schemes(session))]
struct User {
    #[auth(id)]
    id: i64,
}

struct Api;

#[auth_api]
impl Api {
    #[schemes]
    #[oai(path = "/a", method = "get")]
    async fn a(&self, _user: User) {}

    #[schemes(sesion)]
    #[oai(path = "/b", method = "get")]
    async fn b(&self, _user: User) {}

    #[schemes(session)]
    #[schemes(session)]
    #[oai(path = "/c", method = "get")]
    async fn c(&self, _user: User) {}

    #[public]
    #[schemes(session)]
    #[oai(path = "/d", method = "get")]
    async fn d(&self) {}
}

#[schemes(session)]
async fn alone(_user: i64) {}

fn main() {}
