use auth_poem::prelude::*;

#[derive(AuthUser, Clone)]
#[auth(table = "users", schemes(session))]
struct User {
    #[auth(id)]
    id: i64,
}

#[poem::handler]
async fn stats(_user: User) -> String {
    _user.id.to_string()
}

fn main() {
    let _ = poem::Route::new().at("/", stats);
}
