use auth_poem::prelude::*;

#[derive(AuthUser, Clone)]
#[auth(table = "users", schemes(session))]
enum User {
    Somebody,
}

#[derive(AuthUser, Clone)]
#[auth(table = "admins", schemes(session))]
struct Admin(i64);

#[derive(AuthUser, Clone)]
#[auth(table = "guests", schemes(session))]
struct Guest<T> {
    #[auth(id)]
    id: T,
}

fn main() {}
