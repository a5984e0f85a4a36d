//! A database server that is stopped, cut off, or slow, as clients of the service see it: 503
//! within the time that is configured, never somebody's identity, and all is well again by itself.

use std::{sync::Arc, time::Duration};

use auth_core::sql::{
    SqlPool, mysql_options, mysql_pool_options, postgres_options, postgres_pool_options,
};
use auth_poem::{prelude::*, users::UserStore};
use auth_test_servers::{Database, MySqlServer, PostgresServer, Proxy};
use auth_tests::{Admin, Answer, Browser, Cart, world::fast_hasher};
use poem::{EndpointExt, IntoEndpoint};
use poem_openapi::payload::PlainText;
use sqlx::AssertSqlSafe;
use tokio::time::{Instant, sleep, timeout};

pub(crate) const PASSWORD: &str = "seven purple giraffes";

/// What the pools of most tests here are set to, in place of two seconds.
pub(crate) const LIMIT: Duration = Duration::from_millis(400);

/// How much later than configured an answer may be on a machine that is busy.
pub(crate) const SLACK: Duration = Duration::from_millis(800);

pub(crate) struct Api;

#[auth_api]
impl Api {
    #[oai(path = "/me", method = "get")]
    async fn me(&self, user: Admin) -> PlainText<String> {
        PlainText(user.name)
    }

    #[oai(path = "/maybe", method = "get")]
    async fn maybe(&self, user: Option<Admin>) -> PlainText<String> {
        PlainText(user.map_or("nobody".into(), |user| user.name))
    }

    #[public]
    #[oai(path = "/login", method = "post")]
    async fn login(&self, auth: Auth<Admin>) -> auth_poem::Result<PlainText<String>> {
        let user = auth.login("root", PASSWORD).await?.ok_or(Rejection::WrongCredentials)?;
        Ok(PlainText(user.name.clone()))
    }

    #[public]
    #[oai(path = "/logout", method = "post")]
    async fn logout(&self, auth: Auth<Admin>) -> auth_poem::Result<()> {
        Ok(auth.logout().await?)
    }

    #[public]
    #[oai(path = "/add", method = "post")]
    async fn add(&self, mut session: Session<Cart>) -> PlainText<String> {
        session.items += 1;
        PlainText(session.items.to_string())
    }
}

/// Which kind of server a test is about.
#[derive(Debug, Clone, Copy)]
enum Engine {
    Postgres,
    MySql,
}

/// A server for one test, which may stop it.
enum Server {
    Postgres(PostgresServer),
    MySql(MySqlServer),
}

impl Engine {
    fn database(self) -> Option<Database> {
        match self {
            Self::Postgres => auth_test_servers::postgres(),
            Self::MySql => auth_test_servers::mysql(),
        }
    }

    fn server(self) -> Option<Server> {
        Some(match self {
            Self::Postgres => Server::Postgres(auth_test_servers::postgres_server()?),
            Self::MySql => Server::MySql(auth_test_servers::mysql_server()?),
        })
    }

    async fn pool(self, url: &str, connections: u32) -> SqlPool {
        match self {
            Self::Postgres => {
                let options = postgres_options(url).unwrap();
                let pool = postgres_pool_options().acquire_timeout(LIMIT);
                pool.max_connections(connections).connect_with(options).await.unwrap().into()
            }
            Self::MySql => {
                let options = mysql_options(url).unwrap();
                let pool = mysql_pool_options().acquire_timeout(LIMIT);
                pool.max_connections(connections).connect_with(options).await.unwrap().into()
            }
        }
    }
}

impl Server {
    fn database(&self) -> Database {
        match self {
            Self::Postgres(server) => server.database(),
            Self::MySql(server) => server.database(),
        }
    }

    fn stop(&mut self) {
        match self {
            Self::Postgres(server) => server.stop(),
            Self::MySql(server) => server.stop(),
        }
    }

    fn start(&mut self) {
        match self {
            Self::Postgres(server) => server.start(),
            Self::MySql(server) => server.start(),
        }
    }
}

/// Makes a test of a case for each kind of server.
macro_rules! on_each_server {
    ($($case:ident)*) => {
        /// Their names.
        const CASES: &[&str] = &[$(stringify!($case)),*];

        mod on_postgres {
            $(#[tokio::test] async fn $case() { super::$case(super::Engine::Postgres).await })*
        }
        mod on_mysql {
            $(#[tokio::test] async fn $case() { super::$case(super::Engine::MySql).await })*
        }
    };
}

on_each_server! {
    a_server_that_is_stopped
    connections_that_are_cut
    connections_that_are_cut_while_they_lie_idle_are_not_noticed
    a_connection_that_is_cut_in_the_middle_of_an_answer
    a_logout_whose_answer_is_lost_is_not_confirmed_and_tried_again
    answers_that_take_five_seconds_with_the_settings_that_are_the_default
    a_pool_whose_connections_are_all_in_use
    requests_whose_clients_have_left_do_not_use_up_the_connections
}

#[test]
fn the_documentation_names_each_case_and_no_other() {
    let table = include_str!("../../auth-core/src/sql/faults.md");
    let rows = table.lines().filter_map(|line| line.strip_suffix("` |")?.rsplit('`').next());
    assert_eq!(rows.collect::<Vec<_>>(), CASES);
}

/// Makes the tables and the user `root`.
pub(crate) async fn populate(database: &Database) {
    let pool = SqlPool::connect(database.url()).await.unwrap();
    SqlSessions::new(pool.clone()).migrate().await.unwrap();
    let hash = fast_hasher().hash(PASSWORD).await.unwrap();
    for sql in [
        "CREATE TABLE admins (id BIGINT PRIMARY KEY, name VARCHAR(100) NOT NULL UNIQUE,
         password TEXT NOT NULL, QUOTErankQUOTE TEXT NOT NULL)"
            .to_owned(),
        // A hash has no quotes.
        format!("INSERT INTO admins VALUES (1, 'root', '{}', 'chief')", hash.expose()),
    ] {
        match &pool {
            SqlPool::Postgres(pool) => {
                let sql = AssertSqlSafe(sql.replace("QUOTE", "\""));
                sqlx::raw_sql(sql).execute(pool).await.map(drop).unwrap();
            }
            SqlPool::MySql(pool) => {
                let sql = AssertSqlSafe(sql.replace("QUOTE", "`"));
                sqlx::raw_sql(sql).execute(pool).await.map(drop).unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
    close(&pool).await;
}

async fn close(pool: &SqlPool) {
    match pool {
        SqlPool::Postgres(pool) => pool.close().await,
        SqlPool::MySql(pool) => pool.close().await,
        other => panic!("{other:?}"),
    }
}

/// A client of a service on this pool.
fn service(pool: SqlPool) -> Browser {
    service_with(SqlUsers::new(pool.clone()), pool)
}

/// A client of a service with users of its own.
pub(crate) fn service_with(users: impl UserStore<Admin>, pool: SqlPool) -> Browser {
    let auth = AuthConfig::new()
        .user::<Admin>(users)
        .sessions(SqlSessions::new(pool))
        .jwt(JwtKeys::hs256(auth_tests::world::JWT_SECRET).unwrap())
        .hasher(fast_hasher())
        .build()
        .unwrap();
    let api = auth.openapi(Api, "Tests", "1.0");
    Browser::new(Arc::new(api.into_endpoint().map_to_response().boxed()))
}

/// A service that reaches its database through a proxy, and a browser in which somebody is logged
/// in.
async fn behind_proxy(engine: Engine, connections: u32) -> Option<(Database, Proxy, Browser)> {
    let database = engine.database()?;
    populate(&database).await;
    let (proxy, url) = database.behind_proxy();
    let browser = service(engine.pool(&url, connections).await);
    let _ = browser.post("/login").await.is(200);
    Some((database, proxy, browser))
}

/// Unavailable within so much time, with a body that says nothing more and no change of the cookie.
pub(crate) async fn is_unavailable(request: impl IntoFuture<Output = Answer>, within: Duration) {
    let begun = Instant::now();
    let answer = request.await;
    let elapsed = begun.elapsed();
    assert_eq!(answer.outcome(), (503, "unavailable".into()), "{answer:?}");
    assert_eq!(answer.set_cookie(), None, "{answer:?}");
    for detail in ["postgres", "mysql", "redis", "pool", "127.0.0.1", "admins", "session"] {
        assert!(!answer.body.contains(detail), "{}", answer.body);
    }
    assert!(elapsed < within + SLACK, "{elapsed:?}");
}

/// As long as the outage lasts, nobody is anybody.
pub(crate) async fn nobody_is_anybody(browser: &Browser, within: Duration) {
    is_unavailable(browser.get("/me"), within).await;
    is_unavailable(browser.get("/maybe"), within).await;
    is_unavailable(browser.post("/login"), within).await;
    is_unavailable(browser.post("/logout"), within).await;
    is_unavailable(browser.post("/add"), within).await;
}

/// All is well again, after at most one fault for each connection that the pool still believes in.
pub(crate) async fn recovers(browser: &Browser) {
    for _ in 0..2 {
        let answer = browser.get("/me").await;
        if answer.status == 200 {
            break;
        }
        assert_eq!(answer.outcome(), (503, "unavailable".into()), "{answer:?}");
    }
    for path in ["/me", "/maybe"] {
        assert_eq!(browser.get(path).await.is(200).body, "root");
    }
    let _ = browser.post("/add").await.is(200);
    let _ = browser.post("/logout").await.is(200);
    assert_eq!(browser.get("/me").await.status, 401);
    let _ = browser.post("/login").await.is(200);
    assert_eq!(browser.get("/me").await.is(200).body, "root");
}

async fn a_server_that_is_stopped(engine: Engine) {
    let Some(mut server) = engine.server() else { return };
    let database = server.database();
    populate(&database).await;
    let browser = service(engine.pool(database.url(), 2).await);
    let _ = browser.post("/login").await.is(200);
    server.stop();
    nobody_is_anybody(&browser, LIMIT).await;
    let error = SqlPool::connect(database.url()).await.unwrap_err();
    assert!(error.to_string().contains("SQL store failed"), "{error}");
    server.start();
    recovers(&browser).await;
}

async fn connections_that_are_cut(engine: Engine) {
    let Some((_database, proxy, browser)) = behind_proxy(engine, 2).await else { return };
    for _ in 0..3 {
        proxy.cut();
        recovers(&browser).await;
    }
    proxy.refuse(true);
    proxy.cut();
    nobody_is_anybody(&browser, LIMIT).await;
    proxy.refuse(false);
    recovers(&browser).await;
}

async fn connections_that_are_cut_while_they_lie_idle_are_not_noticed(engine: Engine) {
    let Some((_database, proxy, browser)) = behind_proxy(engine, 2).await else { return };
    // Longer than a connection counts as fresh.
    sleep(Duration::from_millis(1_200)).await;
    proxy.cut();
    assert_eq!(browser.get("/me").await.is(200).body, "root");
}

async fn a_connection_that_is_cut_in_the_middle_of_an_answer(engine: Engine) {
    let Some((_database, proxy, browser)) = behind_proxy(engine, 2).await else { return };
    // More than what the pool's own tests of the connections may still be told.
    for bytes in [20, 40, 80, 160] {
        proxy.cut_after(bytes);
        is_unavailable(browser.post("/login"), LIMIT).await;
        recovers(&browser).await;
    }
}

async fn a_logout_whose_answer_is_lost_is_not_confirmed_and_tried_again(engine: Engine) {
    let Some((_database, proxy, browser)) = behind_proxy(engine, 2).await else { return };
    proxy.cut_after(20);
    let answer = browser.post("/logout").await;
    assert_eq!(answer.outcome(), (503, "unavailable".into()), "{answer:?}");
    assert_eq!(browser.get("/me").await.status, 401);
}

async fn answers_that_take_five_seconds_with_the_settings_that_are_the_default(engine: Engine) {
    let Some(database) = engine.database() else { return };
    populate(&database).await;
    let (proxy, url) = database.behind_proxy();
    let browser = service(SqlPool::connect(&url).await.unwrap());
    let _ = browser.post("/login").await.is(200);
    proxy.delay(Duration::from_secs(5));
    // Two seconds for the answer on a connection that there is; then two for a new connection.
    is_unavailable(browser.get("/me"), Duration::from_secs(2)).await;
    is_unavailable(browser.get("/maybe"), Duration::from_secs(2)).await;
    proxy.delay(Duration::ZERO);
    recovers(&browser).await;
}

async fn a_pool_whose_connections_are_all_in_use(engine: Engine) {
    let Some(database) = engine.database() else { return };
    populate(&database).await;
    let pool = engine.pool(database.url(), 2).await;
    let browser = service(pool.clone());
    let _ = browser.post("/login").await.is(200);
    macro_rules! hold {
        ($pool:expr) => {{
            let held = ($pool.acquire().await.unwrap(), $pool.acquire().await.unwrap());
            nobody_is_anybody(&browser, LIMIT).await;
            drop(held);
        }};
    }
    match &pool {
        SqlPool::Postgres(pool) => hold!(pool),
        SqlPool::MySql(pool) => hold!(pool),
        other => panic!("{other:?}"),
    }
    recovers(&browser).await;
}

async fn requests_whose_clients_have_left_do_not_use_up_the_connections(engine: Engine) {
    let Some((_database, proxy, browser)) = behind_proxy(engine, 1).await else { return };
    proxy.delay(Duration::from_secs(30));
    for _ in 0..6 {
        let left = timeout(LIMIT / 8, browser.get("/me").into_future()).await;
        assert!(left.is_err(), "nobody is answered in that time");
    }
    proxy.delay(Duration::ZERO);
    let begun = Instant::now();
    while browser.get("/me").await.status != 200 {
        assert!(begun.elapsed() < 2 * LIMIT + SLACK, "the connections have not come back");
    }
}
