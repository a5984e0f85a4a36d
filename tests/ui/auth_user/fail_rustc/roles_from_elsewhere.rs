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

#[derive(AuthUser, Clone)]
#[auth(table = "admins", role = Role, schemes(session))]
struct Admin {
    #[auth(id)]
    id: i64,
    #[auth(roles)]
    roles: Vec<Scoped<Role>>,
}

fn main() {
    // No table that could be changed.
    let _ = SqlRoles::<Admin>::new;
}
