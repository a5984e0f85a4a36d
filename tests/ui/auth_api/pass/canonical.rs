//! Every form of parameter and attribute.

use auth_poem::{Auth, Session, prelude::*};
use poem_openapi::{
    OpenApiService,
    param::{Path, Query},
    payload::{Json, PlainText},
};
use serde::{Deserialize, Serialize};

#[derive(AuthRole, Clone, Copy, PartialEq, Debug)]
enum Role {
    #[role(permissions("users:delete"))]
    Admin,
    Editor,
}

#[derive(AuthUser, Clone, Debug)]
#[auth(table = "users", role = Role, schemes(bearer, session))]
struct User {
    #[auth(id)]
    id: i64,
    #[auth(login)]
    name: String,
    #[auth(login(ignore_case), column = "mail")]
    email: Option<String>,
    #[auth(password)]
    password: PasswordHash,
    #[auth(roles)]
    roles: Vec<Role>,
    #[auth(permissions)]
    permissions: Vec<String>,
    #[auth(active)]
    active: bool,
    #[auth(epoch)]
    epoch: i64,
}

#[derive(AuthUser, Clone, Debug)]
#[auth(table = "admins", schemes(session))]
struct Admin {
    #[auth(id)]
    id: i64,
}

#[derive(SessionSchema, Serialize, Deserialize, Default)]
struct EmailSession {
    code: Option<String>,
}

type CurrentUser = User;

struct Api {
    greeting: String,
}

#[auth_api(prefix_path = "/user")]
impl Api {
    const LANGUAGE: &str = "en";

    /// The current user.
    #[oai(path = "/", method = "get")]
    async fn me(&self, user: User) -> Json<String> {
        Json(user.name)
    }

    #[oai(path = "/alias", method = "get", method = "post")]
    async fn alias(&self, _: CurrentUser) {}

    /// Greets anybody.
    #[oai(path = "/hello", method = "get")]
    async fn hello(
        &self,
        user: Option<User>,
        /// How to call you.
        #[oai(name = "as")]
        Query(called): Query<Option<String>>,
    ) -> PlainText<String> {
        let name = called.or(user.map(|user| user.name)).unwrap_or_default();
        PlainText(format!("{} {name} ({})", self.greeting, Self::LANGUAGE))
    }

    #[public]
    #[rejects(username_taken = 409, weak_password = 422)]
    #[oai(path = "/signup", method = "post")]
    async fn signup(
        &self,
        auth: Auth<User>,
        mut session: Session<EmailSession>,
        r#type: Query<Option<String>>,
        data: Json<String>,
    ) -> auth_poem::Result<Json<String>> {
        let _ = auth;
        session.code = r#type.0;
        Ok(data)
    }

    #[require(any(role = "admin", permission = "users:delete"), fresh(minutes = 5))]
    #[oai(path = "/:id", method = "delete")]
    async fn delete(&self, Path(mut id): Path<i64>, user: User) -> PlainText<String> {
        id += 1;
        PlainText(format!("{id} {}", user.id))
    }

    #[require(user = User, role = "admin")]
    #[oai(path = "/both", method = "get")]
    async fn both<'a>(&'a self, admin: Admin, user: User, request: &'a poem::Request) {
        let _ = (admin, user, request);
    }

    #[cfg(any())]
    #[oai(path = "/never", method = "get")]
    async fn never(&self, user: DoesNotExist) {}

    #[cfg(not(any()))]
    #[oai(path = "/always", method = "get")]
    async fn always(&self, _user: User) {}

    /// On the path of another operation.
    #[cfg(not(any()))]
    #[oai(path = "/hello", method = "put")]
    async fn hello_again(&self, _user: User) {}

    fn helper<T: Into<String>>(&self, text: T) -> String {
        text.into()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let api = Api { greeting: "Hello".to_owned() };
    let greeting = api.hello(None, Query(Some(api.helper("you")))).await;
    assert_eq!(greeting.0, "Hello you (en)");

    let document = OpenApiService::new(api, "Test", "1.0").spec();
    for path in ["/user/hello", "/user/always", "\"as\"", "How to call you."] {
        assert!(document.contains(path), "{document}");
    }
    assert!(!document.contains("never"));
    assert_eq!(document.matches("\"/user/hello\"").count(), 1, "{document}");
    assert!(document.contains("Greets anybody.") && document.contains("On the path of another"));
}
