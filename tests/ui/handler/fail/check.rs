use auth_poem::prelude::*;
use poem::{Route, get};

#[derive(AuthUser, Clone)]
#[auth(table = "users", schemes(session))]
struct User {
    #[auth(id)]
    id: i64,
}

#[auth_poem::handler]
#[require(check = Self::is_author)]
async fn draft(_user: User) {}

#[auth_poem::handler]
#[require(conceal)]
async fn hidden(_user: User) {}

fn main() {
    let _ = Route::new().at("/a", get(draft)).at("/b", get(hidden));
}
