use auth_poem::prelude::*;

#[derive(AuthRole)]
struct NoEnum;

#[derive(AuthRole)]
enum Empty {}

#[derive(AuthRole)]
enum Generic<T> {
    A(T),
}

#[derive(AuthRole)]
enum Fields {
    Admin { level: u8 },
}

#[derive(AuthRole)]
enum Names {
    Admin,
    #[role(name = "admin")]
    Root,
    #[role(name = "Big Boss")]
    Boss,
    #[role(nam = "x")]
    Typo,
    #[role(permissions("a", "a"))]
    Twice,
}

fn main() {}
