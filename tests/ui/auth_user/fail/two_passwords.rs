use auth_poem::prelude::*;

#[derive(AuthUser, Clone)]
#[auth(table = "users", schemes(session))]
struct User {
    #[auth(id)]
    id: i64,
    #[auth(password)]
    password: PasswordHash,
    #[auth(password)]
    old_password: PasswordHash,
}

fn main() {}
