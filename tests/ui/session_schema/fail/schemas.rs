use auth_poem::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(SessionSchema, Serialize, Deserialize, Default)]
struct Tuple(String);

#[derive(SessionSchema, Serialize, Deserialize, Default)]
struct Generic<T> {
    value: T,
}

#[derive(SessionSchema, Serialize, Deserialize, Default)]
#[session(nme = "a", discard_on_error)]
struct Key {
    value: String,
}

#[derive(SessionSchema, Serialize, Deserialize, Default)]
#[session(name = "a b")]
struct Name {
    value: String,
}

fn main() {}
