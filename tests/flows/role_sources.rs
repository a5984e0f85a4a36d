//! Roles in a column, in a table of their own, in a store of the application's: wherever they are,
//! a change holds from the next request on, for every session and every token.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use auth_poem::{
    Auth,
    fault::Error as Fault,
    prelude::*,
    sql::open_sqlite,
    users::{RoleStore, UserStore},
};
use auth_tests::world::JWT_SECRET;
use poem::{IntoEndpoint, endpoint::BoxEndpoint, test::TestClient};
use poem_openapi::{param::Path, payload::PlainText};
use sqlx::{AssertSqlSafe, SqlitePool};

#[derive(AuthRole, Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Admin,
    Manager,
}

fn manager() -> Scoped<Role> {
    Scoped::in_scope("1", Role::Manager)
}

/// The same application for each place where roles can be.
macro_rules! application {
    ($module:ident, $table:literal, $($mark:tt)*) => {
        mod $module {
            use super::*;

            #[derive(AuthUser, Clone, Debug)]
            #[auth(table = $table, role = Role, schemes(bearer, session))]
            pub(super) struct User {
                #[auth(id)]
                pub(super) id: i64,
                #[auth($($mark)*)]
                pub(super) roles: Vec<Scoped<Role>>,
            }

            pub(super) struct Api {
                pub(super) users: Arc<dyn UserStore<User>>,
            }

            #[auth_api]
            impl Api {
                #[require(role = "{site_id}:manager")]
                #[oai(path = "/sites/:site_id", method = "get")]
                async fn site(&self, _user: User) {}

                #[require(role = "admin")]
                #[oai(path = "/admin", method = "get")]
                async fn admin(&self, _user: User) {}

                /// Logs in by session, and answers with a token beside it.
                #[public]
                #[oai(path = "/login/:id", method = "post")]
                async fn login(
                    &self,
                    auth: Auth<User>,
                    id: Path<i64>,
                ) -> auth_poem::Result<PlainText<String>> {
                    let user = self.users.by_id(&id).await?.ok_or(Rejection::NotFound)?;
                    auth.login_user(&user).await?;
                    let token = auth.login_user(&user).token_only().await?.token;
                    let token = token.ok_or(Rejection::NotFound)?.token;
                    Ok(PlainText(token.expose().to_owned()))
                }
            }

            /// The application, on this store.
            pub(super) fn start(users: impl UserStore<User> + Clone) -> Client {
                let auth = AuthConfig::new()
                    .user::<User>(users.clone())
                    .sessions(MemorySessions::new())
                    .jwt(JwtKeys::hs256(JWT_SECRET).unwrap())
                    .build()
                    .unwrap();
                let api = Api { users: Arc::new(users) };
                let api = auth.openapi(api, "Sites", "1.0").into_endpoint();
                Client(poem::EndpointExt::boxed(poem::EndpointExt::map_to_response(api)))
            }
        }
    };
}

application!(column, "column_users", roles);
application!(table, "table_users", roles(table = "user_roles"));
application!(external, "external_users", roles(external));

struct Client(BoxEndpoint<'static>);

/// What somebody has who has logged in.
struct Credentials {
    cookie: String,
    token: String,
}

impl Client {
    async fn login(&self, id: i64) -> Credentials {
        let answer = TestClient::new(&self.0).post(format!("/login/{id}")).send().await;
        answer.assert_status_is_ok();
        let cookie = answer.0.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Credentials { cookie, token: answer.0.into_body().into_string().await.unwrap() }
    }

    /// The status by session and by token, which must be one.
    async fn get(&self, path: &str, who: &Credentials) -> u16 {
        let client = TestClient::new(&self.0);
        let by_session = client.get(path).header("cookie", &who.cookie).send().await.0.status();
        let bearer = format!("Bearer {}", who.token);
        let by_token = client.get(path).header("authorization", bearer).send().await.0.status();
        assert_eq!(by_session, by_token, "{path}");
        by_session.as_u16()
    }

    /// Whether a change of roles holds from the next request on.
    async fn follows(&self, set: impl AsyncFn(&[Scoped<Role>])) {
        set(&[]).await;
        let ann = self.login(1).await;
        let later = self.login(1).await;
        let other = self.login(2).await;
        for (roles, [first, second, admin]) in [
            (vec![], [403, 403, 403]),
            (vec![manager()], [200, 403, 403]),
            (vec![Scoped::in_scope("2", Role::Manager)], [403, 200, 403]),
            (vec![manager(), Role::Admin.into()], [200, 403, 200]),
            (vec![], [403, 403, 403]),
        ] {
            set(&roles).await;
            for who in [&ann, &later] {
                assert_eq!(self.get("/sites/1", who).await, first, "{roles:?}");
                assert_eq!(self.get("/sites/2", who).await, second, "{roles:?}");
                assert_eq!(self.get("/admin", who).await, admin, "{roles:?}");
            }
            assert_eq!(self.get("/sites/1", &other).await, 403);
        }
    }
}

async fn database(columns: &str, table: &str) -> SqlitePool {
    let pool = open_sqlite("sqlite::memory:").await.unwrap();
    for sql in [
        format!("CREATE TABLE {table} (id INTEGER PRIMARY KEY NOT NULL{columns})"),
        format!("INSERT INTO {table} (id) VALUES (1), (2)"),
    ] {
        sqlx::query(AssertSqlSafe(sql)).execute(&pool).await.unwrap();
    }
    pool
}

#[tokio::test]
async fn roles_in_a_column() {
    let pool = database(", roles TEXT", "column_users").await;
    let client = column::start(SqlUsers::new(pool.clone()));
    let set = async |roles: &[Scoped<Role>]| {
        sqlx::query("UPDATE column_users SET roles = ? WHERE id = 1")
            .bind(auth_poem::users::sql::roles_to_text(&roles.to_vec()))
            .execute(&pool)
            .await
            .unwrap();
    };
    client.follows(set).await;
}

#[tokio::test]
async fn roles_in_a_table() {
    let pool = database("", "table_users").await;
    let roles = SqlRoles::<table::User>::new(pool.clone());
    roles.migrate().await.unwrap();
    let client = table::start(SqlUsers::new(pool));
    client
        .follows(async |new| {
            // One by one, and all at once.
            for held in roles.of(&1).await.unwrap() {
                assert!(roles.revoke(&1, &held).await.unwrap());
            }
            assert!(roles.replace(&1, &[manager()]).await.unwrap());
            assert!(roles.replace(&1, new).await.unwrap());
        })
        .await;
}

/// Copies of users hide no change that this process makes itself.
#[tokio::test]
async fn roles_in_a_table_with_copies_of_users() {
    let pool = database("", "table_users").await;
    let roles = SqlRoles::<table::User>::new(pool.clone());
    roles.migrate().await.unwrap();
    let client = table::start(SqlUsers::new(pool).cached(Duration::minutes(5)));
    client
        .follows(async |new| {
            for held in roles.of(&1).await.unwrap() {
                assert!(roles.revoke(&1, &held).await.unwrap());
            }
            for role in new {
                assert!(roles.grant(&1, role).await.unwrap());
            }
        })
        .await;
    client.follows(async |new| assert!(roles.replace(&1, new).await.unwrap())).await;
}

#[tokio::test]
async fn a_role_that_another_process_takes_is_held_no_longer_than_a_copy_lives() {
    let (clock, life) = (ManualClock::default(), Duration::seconds(5));
    let pool = database("", "table_users").await;
    let roles = SqlRoles::<table::User>::new(pool.clone());
    roles.migrate().await.unwrap();
    roles.grant(&1, &manager()).await.unwrap();
    let users = SqlUsers::new(pool.clone()).cached(life).clock(clock.clone());
    let client = table::start(users);
    let ann = client.login(1).await;
    assert_eq!(client.get("/sites/1", &ann).await, 200);
    // All that a process can do that shares nothing but the database.
    sqlx::query("DELETE FROM user_roles").execute(&pool).await.unwrap();
    clock.advance(life - Duration::milliseconds(1));
    assert_eq!(client.get("/sites/1", &ann).await, 200, "the copy, asked for at the login");
    clock.advance(Duration::milliseconds(1));
    assert_eq!(client.get("/sites/1", &ann).await, 403);
}

/// A directory of the application's own.
#[derive(Clone, Default)]
struct Directory {
    roles: Arc<Mutex<HashMap<i64, Vec<Scoped<Role>>>>>,
    closed: Arc<Mutex<bool>>,
}

impl RoleStore<external::User> for Directory {
    async fn roles(&self, user: &external::User) -> Result<Vec<Scoped<Role>>, Fault> {
        tokio::task::yield_now().await;
        if *self.closed.lock().unwrap() {
            return Err(Fault::Application("the directory is closed".into()));
        }
        Ok(self.roles.lock().unwrap().get(&user.id).cloned().unwrap_or_default())
    }
}

#[tokio::test]
async fn roles_in_a_store_of_the_applications_own() {
    let directory = Directory::default();
    let users = SqlUsers::new(database("", "external_users").await);
    let client = external::start(users.with_roles(directory.clone()));
    let set = async |roles: &[Scoped<Role>]| {
        directory.roles.lock().unwrap().insert(1, roles.to_vec());
    };
    client.follows(set).await;
}

#[tokio::test]
async fn a_directory_that_is_closed_makes_nobody_a_user_without_roles() {
    let directory = Directory::default();
    directory.roles.lock().unwrap().insert(1, vec![manager()]);
    let users = SqlUsers::new(database("", "external_users").await);
    let client = external::start(users.with_roles(directory.clone()));
    let ann = client.login(1).await;
    assert_eq!(client.get("/sites/1", &ann).await, 200);
    *directory.closed.lock().unwrap() = true;
    assert_eq!(client.get("/sites/1", &ann).await, 503);
    *directory.closed.lock().unwrap() = false;
    assert_eq!(client.get("/sites/1", &ann).await, 200);
}

#[tokio::test]
async fn roles_from_elsewhere_must_come_from_somewhere() {
    let users = SqlUsers::<external::User>::new(database("", "external_users").await);
    let error = AuthConfig::new()
        .user::<external::User>(users)
        .sessions(MemorySessions::new())
        .jwt(JwtKeys::hs256(JWT_SECRET).unwrap())
        .build()
        .unwrap_err();
    assert_eq!(
        error.problems(),
        ["User has `#[auth(roles(external))]`, and its store knows of no roles; write \
             `.user::<User>(store.with_roles(roles))` with your RoleStore"]
    );
}

#[tokio::test]
async fn a_table_of_roles_that_is_missing_is_a_fault() {
    let pool = database("", "table_users").await;
    let roles = SqlRoles::<table::User>::new(pool.clone());
    roles.migrate().await.unwrap();
    roles.grant(&1, &manager()).await.unwrap();
    let client = table::start(SqlUsers::new(pool.clone()));
    let ann = client.login(1).await;
    sqlx::query("ALTER TABLE user_roles RENAME TO lost").execute(&pool).await.unwrap();
    assert_eq!(client.get("/sites/1", &ann).await, 503);
    sqlx::query("ALTER TABLE lost RENAME TO user_roles").execute(&pool).await.unwrap();
    assert_eq!(client.get("/sites/1", &ann).await, 200);
}
