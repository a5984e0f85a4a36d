use auth_poem::prelude::*;

#[derive(AuthUser, Clone)]
#[auth(table = "users", schemes(session))]
struct User {
    #[auth(id)]
    id: i64,
}

#[auth_poem::handler]
async fn everybody_could_call_this() {}

fn main() {
    let _ = poem::Route::new().at("/", everybody_could_call_this);
}
