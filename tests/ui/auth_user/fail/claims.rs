//! A user who is made of claims, with what only a stored one has.

use auth_poem::prelude::*;
use serde::Deserialize;

#[derive(AuthUser, Deserialize, Clone)]
#[auth(claims, table = "callers", schemes(bearer))]
struct WithTable {
    #[auth(id)]
    #[serde(flatten)]
    id: Subject,
}

#[derive(AuthUser, Deserialize, Clone)]
#[auth(claims, schemes(bearer, session))]
struct WithSession {
    #[auth(id)]
    #[serde(flatten)]
    id: Subject,
}

#[derive(AuthUser, Deserialize, Clone)]
#[auth(claims, schemes(bearer))]
struct WithLogin {
    #[auth(id)]
    #[serde(flatten)]
    id: Subject,
    #[auth(login)]
    email: String,
    #[auth(epoch)]
    epoch: i64,
}

fn main() {}
