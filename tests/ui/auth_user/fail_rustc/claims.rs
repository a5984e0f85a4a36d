use auth_poem::prelude::*;

/// An id that means nothing without its issuer.
#[derive(AuthUser, serde::Deserialize, Clone)]
#[auth(claims, schemes(bearer))]
struct BySubject {
    #[auth(id)]
    sub: String,
}

/// Nobody reads the claims.
#[derive(AuthUser, Clone)]
#[auth(claims, schemes(bearer))]
struct Unread {
    #[auth(id)]
    id: Subject,
}

fn main() {}
