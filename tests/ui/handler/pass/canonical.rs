//! Plain poem functions take the same parameters.

use auth_poem::prelude::*;
use poem::{Request, Route, web::Path};

#[derive(AuthRole, Clone, Copy)]
enum Role {
    Admin,
}

#[derive(AuthUser, Clone)]
#[auth(table = "users", role = Role, schemes(session))]
struct User {
    #[auth(id)]
    id: i64,
    #[auth(roles)]
    role: Role,
}

/// Counts.
#[auth_poem::handler]
#[require(role = "admin")]
pub async fn stats(user: User, Path(id): Path<i64>) -> String {
    format!("{} {id}", user.id)
}

#[auth_poem::handler]
#[public]
fn hello(request: &Request) -> String {
    request.uri().to_string()
}

#[auth_poem::handler]
async fn maybe(user: Option<User>) -> poem::Result<String> {
    Ok(user.map(|user| user.id.to_string()).unwrap_or_default())
}

fn main() {
    let _ = Route::new().at("/stats/:id", stats).at("/hello", hello).at("/maybe", maybe);
}
