//! Columns that the application adds to its sessions.

use auth_core::{
    session::record::{ColumnType, ColumnValue, SessionColumns},
    sql::open_sqlite,
};
use auth_poem::prelude::*;
use auth_tests::{Admin, Browser, User, World, world};
use poem_openapi::{param::Query, payload::PlainText};
use sqlx::SqlitePool;

struct Devices;

#[auth_api]
impl Devices {
    #[public]
    #[oai(path = "/login", method = "post")]
    async fn login(&self, auth: Auth<User>, name: Query<String>) -> auth_poem::Result<()> {
        let login = auth.login(&name, &world::password_of(&name)).await?;
        login.ok_or(Rejection::WrongCredentials)?;
        Ok(())
    }

    /// Names the device.
    #[public]
    #[oai(path = "/name", method = "post")]
    async fn name(&self, mut session: Session, name: Query<String>) -> auth_poem::Result<()> {
        session.set_column("device", name.0)?;
        Ok(())
    }

    /// A column that nobody has declared.
    #[public]
    #[oai(path = "/misspelt", method = "post")]
    async fn misspelt(&self, mut session: Session) -> auth_poem::Result<()> {
        Ok(session.set_column("devize", "phone")?)
    }

    /// A value of another type.
    #[public]
    #[oai(path = "/mistyped", method = "post")]
    async fn mistyped(&self, mut session: Session) -> auth_poem::Result<()> {
        Ok(session.set_column("device", 7)?)
    }

    #[public]
    #[oai(path = "/fail", method = "post")]
    async fn fail(&self, mut session: Session) -> auth_poem::Result<()> {
        session.set_column("device", "kept")?;
        Err(Rejection::Forbidden)?
    }

    #[public]
    #[oai(path = "/device", method = "get")]
    async fn device(&self, session: Session) -> PlainText<String> {
        PlainText(format!("{:?}", session.column("device")))
    }

    #[public]
    #[oai(path = "/cycle", method = "post")]
    async fn cycle(&self, mut session: Session) -> auth_poem::Result<()> {
        Ok(session.cycle_key()?)
    }

    /// The devices in which one is logged in.
    #[oai(path = "/mine", method = "get")]
    async fn mine(&self, _user: User, auth: Auth<User>) -> auth_poem::Result<PlainText<String>> {
        let sessions = auth.sessions().await?;
        let devices: Vec<_> =
            sessions.iter().map(|session| session.columns.get("device").clone()).collect();
        Ok(PlainText(format!("{devices:?}")))
    }
}

fn text(text: &str) -> String {
    format!("{:?}", ColumnValue::from(text))
}

/// What the application knows of a request.
fn fill(config: AuthConfig) -> AuthConfig {
    config.session_columns(|head, session| {
        let device = head.headers.get("x-device").and_then(|name| name.to_str().ok());
        let account = session.login.as_ref().map(|login| login.user.as_str());
        let columns = SessionColumns::default().with("account", account);
        match device {
            Some(device) => columns.with("device", device),
            None => columns,
        }
    })
}

async fn database() -> (SqlitePool, SqlSessions) {
    let pool = open_sqlite("sqlite::memory:").await.unwrap();
    let sessions = SqlSessions::new(pool.clone());
    let sessions = sessions.column("device", ColumnType::Text).unwrap();
    let sessions = sessions.column("account", ColumnType::Text).unwrap();
    sessions.migrate().await.unwrap();
    (pool, sessions)
}

/// A client of the application on a database, which the test asks with SQL of its own.
async fn devices(change: impl FnOnce(AuthConfig) -> AuthConfig) -> (SqlitePool, World, Browser) {
    let (pool, sessions) = database().await;
    let world = World::with(|config| change(fill(config.sessions(sessions)))).await;
    let browser = World::serve(world.auth.openapi(Devices, "Devices", "1.0"));
    (pool, world, browser)
}

async fn rows(pool: &SqlitePool) -> Vec<(Option<String>, Option<String>)> {
    let sql = "SELECT device, account FROM auth_sessions ORDER BY device";
    sqlx::query_as(sql).fetch_all(pool).await.unwrap()
}

#[tokio::test]
async fn a_login_fills_them_from_the_request_and_from_the_user() {
    for full in [None, Some(WhenFull::Refuse), Some(WhenFull::EndOldest)] {
        let limit = |config: AuthConfig| match full {
            Some(full) => config.session_limit(5, full),
            None => config,
        };
        let (pool, world, browser) = devices(limit).await;
        let _ = browser.post("/login?name=ann").header("x-device", "Zoë's phone").await.is(200);
        let account = format!("users:{}", world.user("ann").id);
        let [(device, found)] = &rows(&pool).await[..] else { panic!() };
        assert_eq!(found.as_deref(), Some(account.as_str()));
        assert!(device.is_none(), "a header that is no text");
        let _ = browser.post("/login?name=ann").header("x-device", "phone").await.is(200);
        assert_eq!(rows(&pool).await, [(Some("phone".into()), Some(account.clone()))]);
        assert_eq!(browser.get("/mine").await.is(200).body, format!("[{}]", text("phone")));
    }
}

#[tokio::test]
async fn an_anonymous_session_has_them_too_and_a_login_keeps_what_it_does_not_fill() {
    let (pool, world, browser) = devices(|config| config).await;
    assert_eq!(browser.get("/device").await.is(200).body, format!("{:?}", ColumnValue::Null));
    let _ = browser.post("/name?name=tablet").await.is(200);
    assert_eq!(browser.get("/device").await.is(200).body, text("tablet"));
    assert_eq!(rows(&pool).await, [(Some("tablet".into()), None)]);

    let _ = browser.post("/login?name=ann").await.is(200);
    let account = Some(format!("users:{}", world.user("ann").id));
    assert_eq!(rows(&pool).await, [(Some("tablet".into()), account.clone())]);
    let _ = browser.post("/cycle").header("x-device", "other").await.is(200);
    assert_eq!(rows(&pool).await, [(Some("tablet".into()), account)], "a new key is no beginning");

    // To another user goes nothing.
    let _ = browser.post("/login?name=bob").await.is(200);
    let account = Some(format!("users:{}", world.user("bob").id));
    assert_eq!(rows(&pool).await, [(None, account)]);
}

#[tokio::test]
async fn a_handler_sets_them_also_when_it_fails() {
    let (pool, _world, browser) = devices(|config| config).await;
    let _ = browser.post("/login?name=ann").await.is(200);
    for (path, status, expected) in [
        ("/name?name=one", 200, "one"),
        ("/name?name=a%00b", 200, "a\u{fffd}b"),
        ("/fail", 403, "kept"),
        ("/misspelt", 503, "kept"),
        ("/mistyped", 503, "kept"),
    ] {
        assert_eq!(browser.post(path).await.status, status, "{path}");
        let [(device, _)] = &rows(&pool).await[..] else { panic!() };
        assert_eq!(device.as_deref(), Some(expected), "{path}");
        assert_eq!(browser.get("/device").await.is(200).body, text(expected));
    }
}

#[tokio::test]
async fn a_store_without_tables_keeps_them_undeclared() {
    let world = World::with(fill).await;
    let browser = World::serve(world.auth.openapi(Devices, "Devices", "1.0"));
    let _ = browser.post("/login?name=ann").header("x-device", "phone").await.is(200);
    assert_eq!(browser.get("/device").await.is(200).body, text("phone"));
}

#[tokio::test]
async fn a_column_that_the_store_does_not_have_is_found_when_the_application_starts() {
    let problems = |sessions: SqlSessions, columns: SessionColumns| {
        let config = AuthConfig::new().user::<Admin>(MemoryUsers::default()).sessions(sessions);
        let config = config.jwt(JwtKeys::hs256(world::JWT_SECRET).unwrap());
        let built = config.session_columns(move |_, _| columns.clone()).build();
        built.err().map(|error| error.problems().join("\n")).unwrap_or_default()
    };
    let (pool, sessions) = database().await;
    let of = |name: &'static str, value: ColumnValue| SessionColumns::default().with(name, value);
    assert_eq!(problems(sessions.clone(), of("device", "phone".into())), "");
    let misspelt = problems(sessions.clone(), of("devize", "phone".into()));
    assert!(misspelt.contains("`devize`, which was not declared"), "{misspelt}");
    let mistyped = problems(sessions, of("device", 7.into()));
    assert!(mistyped.contains("Integer in the column `device`"), "{mistyped}");
    let none = problems(SqlSessions::new(pool), SessionColumns::default());
    assert!(none.contains("no columns to fill"), "{none}");
}

#[tokio::test]
async fn a_bad_column_is_a_mistake_at_its_declaration() {
    let (pool, sessions) = database().await;
    let refused = |sessions: &SqlSessions, name: &'static str| {
        sessions.clone().column(name, ColumnType::Text).unwrap_err().to_string()
    };
    for name in ["x\"; DROP TABLE auth_sessions; --", "2nd", "", "a b"] {
        assert!(refused(&sessions, name).contains("cannot be the name of a column"), "{name}");
    }
    for name in ["data", "USER_KEY", "version", "deleted_at"] {
        assert!(refused(&sessions, name).contains("the framework has a column"), "{name}");
    }
    assert!(refused(&sessions, "Device").contains("it was declared already"));

    let other = SqlSessions::new(pool).column("device", ColumnType::Integer).unwrap();
    let error = other.migrate().await.unwrap_err().to_string();
    assert!(error.contains("`device` of the type TEXT"), "{error}");
}

#[tokio::test]
async fn a_column_that_is_declared_later_is_added_to_the_table() {
    let (pool, sessions) = database().await;
    let later = sessions.column("tenant", ColumnType::Integer).unwrap();
    later.migrate().await.unwrap();
    later.migrate().await.unwrap();
    sqlx::query("SELECT tenant FROM auth_sessions").fetch_all(&pool).await.unwrap();
}
