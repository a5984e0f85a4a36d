use auth_poem::prelude::*;

#[derive(AuthUser, Clone)]
#[auth(table = "users", schemes(session))]
struct NoToken {
    #[auth(id)]
    id: i64,
    #[auth(token)]
    token: Option<TokenId>,
}

#[derive(AuthUser, Clone)]
#[auth(table = "users", schemes(bearer))]
struct Always {
    #[auth(id)]
    id: i64,
    #[auth(token)]
    token: TokenId,
}

#[derive(AuthUser, Clone)]
#[auth(table = "users", schemes(bearer))]
struct Two {
    #[auth(id)]
    id: i64,
    #[auth(token)]
    token: Option<TokenId>,
    #[auth(token)]
    other: Option<TokenId>,
}

fn main() {}
