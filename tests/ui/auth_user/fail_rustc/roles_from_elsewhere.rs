use auth_poem::prelude::*;

#[derive(AuthRole, Clone, Copy)]
enum Role {
    Admin,
}

#[derive(AuthUser, Clone)]
#[auth(table = "users", role = Role, schemes(session))]
struct User {
    #[auth(id)]
    id: i64,
    #[auth(roles(external))]
    roles: Vec<Role>,
}

fn main() {}
