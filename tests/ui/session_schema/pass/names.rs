//! A schema is named as the struct, or as it says.

use auth_poem::{prelude::*, session::schema::SessionSchema as _};
use serde::{Deserialize, Serialize};

#[derive(SessionSchema, Serialize, Deserialize, Default)]
struct EmailSession {
    code: Option<String>,
}

#[derive(SessionSchema, Serialize, Deserialize, Default)]
#[session(name = "cart", discard_on_error)]
struct CartSession {
    items: Vec<u32>,
}

fn main() {
    assert_eq!((EmailSession::NAME, EmailSession::KEEP_ON_ERROR), ("EmailSession", true));
    assert_eq!((CartSession::NAME, CartSession::KEEP_ON_ERROR), ("cart", false));
}
