use auth_poem::prelude::*;

#[derive(AuthUser, Clone)]
#[auth(table = "users", schemes(session))]
struct User {
    #[auth(id)]
    id: i64,
}

#[require(role = "admin")]
async fn function(_user: User) {}

#[require(role = "admin")]
#[auth_poem::handler]
async fn above(_user: User) {}

#[public]
async fn open() {}

#[rejects(gone = 410)]
struct Nothing;

struct Api;

impl Api {
    #[require(role = "admin")]
    async fn method(&self, _user: User) {}

    #[public]
    #[oai(path = "/a", method = "get")]
    async fn operation(&self) {}
}

fn main() {
    // The items stay.
    let _ = (function, open, Nothing, Api::method, Api::operation);
}
