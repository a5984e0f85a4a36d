//! The same as functions of poem.

use auth_poem::{Session, prelude::*};
use poem::{
    Request, Route, get,
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
#[require(role = "{site_id}:manager")]
async fn site(_user: User, request: &Request) -> auth_poem::Result<String> {
    Ok(request.path_param("site_id")?.into())
}

#[auth_poem::handler]
#[require(owner = "{user_id}", conceal)]
async fn notes(user: User) -> String {
    user.username
}

async fn is_long(user: &User, request: &Request) -> bool {
    request.raw_path_param("name").is_some_and(|name| name.len() > user.username.len())
}

#[auth_poem::handler]
#[require(any(role = "admin", check = is_long))]
async fn long(_user: User) {}

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
        .at("/sites/:site_id", get(site))
        .at("/users/:user_id/notes", get(notes))
        .at("/names/:name", get(long))
        // The routes of somebody who has not read what the guards read.
        .at("/sites/by/name/:name", get(site))
        .at("/owned", get(notes))
        .at("/outer/:site_id/*rest", Route::new().at("/outer/:any/inner/:site_id", get(site)))
        .at("/echo", post(echo))
        .at("/items/:id", get(item))
        .at("/fail", post(fail))
        .at("/refuse", get(refuse))
}
