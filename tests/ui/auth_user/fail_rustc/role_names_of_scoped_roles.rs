use auth_poem::prelude::*;

#[derive(AuthRole, Clone, Copy)]
enum Role {
    #[role(name = "team:lead")]
    Lead,
}

#[derive(AuthUser, Clone)]
#[auth(table = "users", role = Role, schemes(session))]
struct User {
    #[auth(id)]
    id: i64,
    #[auth(roles)]
    roles: Vec<Scoped<Role>>,
}

fn main() {}
