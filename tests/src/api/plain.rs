//! The same as functions of poem.

use auth_poem::{Session, prelude::*};
use poem::{
    Route, get,
    http::StatusCode,
    post,
    web::{Json, Path},
};
use serde::Deserialize;

use crate::people::{Cart, User};

#[derive(Deserialize)]
struct Note {
    text: String,
}

#[auth_poem::handler]
async fn me(user: User) -> String {
    user.username
}

#[auth_poem::handler]
async fn maybe(user: Option<User>) -> String {
    user.map_or("nobody".into(), |user| user.username)
}

#[auth_poem::handler]
#[public]
async fn open() -> &'static str {
    "welcome"
}

#[auth_poem::handler]
#[require(role = "admin")]
async fn role(user: User) -> String {
    user.username
}

#[auth_poem::handler]
async fn echo(_user: User, data: Json<Note>) -> String {
    data.0.text
}

#[auth_poem::handler]
async fn item(_user: User, Path(id): Path<u32>) -> String {
    id.to_string()
}

#[auth_poem::handler]
#[public]
async fn fail(mut cart: Session<Cart>) -> poem::Result<String> {
    cart.note = Some("kept".into());
    Err(poem::Error::from_status(StatusCode::IM_A_TEAPOT))
}

#[auth_poem::handler]
#[public]
async fn refuse() -> auth_poem::Result<String> {
    Err(Rejection::Forbidden)?
}

/// The routes.
#[must_use]
pub fn routes() -> Route {
    Route::new()
        .at("/me", get(me))
        .at("/maybe", get(maybe))
        .at("/public", get(open))
        .at("/role", get(role))
        .at("/echo", post(echo))
        .at("/items/:id", get(item))
        .at("/fail", post(fail))
        .at("/refuse", get(refuse))
}
