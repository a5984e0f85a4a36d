use auth_poem::prelude::*;
use poem::Request;
use poem_openapi::OpenApiService;

#[derive(AuthRole, Clone, Copy)]
enum Role {
    Admin,
    Manager,
}

#[derive(AuthUser, Clone)]
#[auth(table = "users", role = Role, schemes(session))]
struct User {
    #[auth(id)]
    id: i64,
    #[auth(roles)]
    roles: Vec<Scoped<Role>>,
}

#[derive(AuthUser, Clone)]
#[auth(table = "admins", schemes(session))]
struct Admin {
    #[auth(id)]
    id: i64,
}

async fn is_chief(_admin: &Admin, _request: &Request) -> bool {
    true
}

async fn by_value(_user: User, _request: &Request) -> bool {
    true
}

async fn says_nothing(_user: &User, _request: &Request) {}

async fn stays_here(_user: &User, _request: &Request) -> bool {
    let here = std::rc::Rc::new(true);
    std::future::ready(()).await;
    *here
}

struct Api;

#[auth_api]
impl Api {
    #[require(check = is_chief)]
    #[oai(path = "/a", method = "get")]
    async fn another_user(&self, _user: User) {}

    #[require(check = Self::is_chief)]
    #[oai(path = "/b", method = "get")]
    async fn another_user_of_a_method(&self, _user: User) {}

    #[require(check = by_value)]
    #[oai(path = "/c", method = "get")]
    async fn no_reference(&self, _user: User) {}

    #[require(check = says_nothing)]
    #[oai(path = "/d", method = "get")]
    async fn no_answer(&self, _user: User) {}

    #[require(check = stays_here)]
    #[oai(path = "/e", method = "get")]
    async fn not_send(&self, _user: User) {}

    async fn is_chief(&self, _admin: &Admin, _request: &Request) -> bool {
        true
    }
}

fn main() {
    let _ = OpenApiService::new(Api, "Test", "1.0");
}
