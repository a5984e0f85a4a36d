use auth_poem::prelude::*;

#[derive(AuthRole, Clone)]
enum Role {
    Admin,
}

#[derive(AuthUser, Clone)]
#[auth(table = "users", schemes(session))]
struct User {
    #[auth(id)]
    id: i64,
    #[auth(roles)]
    roles: Vec<Role>,
}

#[derive(AuthUser, Clone)]
#[auth(table = "admins", role = Role, schemes(session))]
struct Admin {
    #[auth(id)]
    id: i64,
}

fn main() {}
