use auth_poem::prelude::*;

#[derive(AuthUser, Clone)]
#[auth(table = "users")]
struct User {
    #[auth(id)]
    id: i64,
}

#[derive(AuthUser, Clone)]
#[auth(table = "admins", schemes())]
struct Admin {
    #[auth(id)]
    id: i64,
}

fn main() {}
