use auth_poem::prelude::*;

#[derive(AuthUser, Clone)]
#[auth(table = "users", schemes(session, custom = "badge"))]
struct User {
    #[auth(id)]
    id: i64,
}

#[derive(AuthUser, Clone)]
#[auth(table = "robots", schemes(bearer))]
struct Robot {
    #[auth(id)]
    id: i64,
}

struct Api;

#[auth_api]
impl Api {
    #[schemes(bearer)]
    #[oai(path = "/a", method = "get")]
    async fn not_declared(&self, _user: Option<User>) {}

    #[schemes(custom = "bagde")]
    #[oai(path = "/b", method = "get")]
    async fn misspelt(&self, _user: User) {}

    #[schemes(bearer)]
    #[oai(path = "/c", method = "get")]
    async fn closed_to_one(&self, _user: User, _robot: Robot) {}
}

fn main() {}
