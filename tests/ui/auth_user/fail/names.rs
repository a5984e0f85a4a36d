use auth_poem::prelude::*;

#[derive(AuthUser, Clone)]
#[auth(table = "users; drop table users", schemes(session, session))]
struct User {
    #[auth(id)]
    id: i64,
    #[auth(column = "a b")]
    name: String,
    #[auth(column = "id")]
    other: String,
}

fn main() {}
