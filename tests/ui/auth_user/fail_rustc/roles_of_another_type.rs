use auth_poem::prelude::*;

#[derive(AuthRole, Clone, Copy)]
enum Role {
    Admin,
}

#[derive(AuthRole, Clone, Copy)]
enum Rank {
    Captain,
}

#[derive(AuthUser, Clone)]
#[auth(table = "users", role = Role, schemes(session))]
struct User {
    #[auth(id)]
    id: i64,
    #[auth(roles)]
    ranks: Vec<Rank>,
}

fn main() {}
