use auth_poem::prelude::*;

#[derive(AuthUser, Clone)]
#[auth(table = "users", schemes(session))]
struct User {
    #[auth(id)]
    id: i64,
}

#[auth_poem::handler]
async fn generic<T>(_user: User) {}

#[auth_poem::handler]
#[poem::handler]
async fn both(_user: User) {}

#[auth_poem::handler]
#[require(rolle = "admin")]
async fn guard(_user: User) {}

#[auth_poem::handler(crat = "x")]
async fn argument(_user: User) {}

#[auth_poem::handler]
struct NoFunction;

struct Api;

impl Api {
    #[auth_poem::handler]
    async fn method(&self, _user: User) {}
}

fn main() {
    let _ = poem::Route::new().at("/", guard).at("/g", generic);
}
