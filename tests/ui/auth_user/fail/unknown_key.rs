use auth_poem::prelude::*;

#[derive(AuthUser, Clone)]
#[auth(tabel = "users", table = "users", schemes(sesion, session), colour = "red")]
struct User {
    #[auth(id)]
    id: i64,
    #[auth(passwd)]
    password: PasswordHash,
    #[auth(login(ignorecase))]
    name: String,
}

fn main() {}
