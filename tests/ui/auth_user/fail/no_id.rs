use auth_poem::prelude::*;

#[derive(AuthUser, Clone)]
#[auth(table = "users", schemes(session))]
struct User {
    id: i64,
    #[auth(login)]
    name: String,
}

fn main() {}
