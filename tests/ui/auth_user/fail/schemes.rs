use auth_poem::prelude::*;

#[derive(AuthUser, Clone)]
#[auth(
    table = "users",
    schemes(badge, custom, custom = "basic", custom = "a b", costum = "x", custom = "y", custom = "y")
)]
struct User {
    #[auth(id)]
    id: i64,
}

fn main() {}
