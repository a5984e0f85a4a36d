//! What is measured, and against what.

use std::{hint::black_box, time::Instant};

use auth_core::testing::{FailingSessions, FailingUsers};
use auth_poem::{
    jwt::JwtAlgorithm,
    prelude::*,
    sql::open_sqlite,
    store::SessionStore,
    users::{UserStore, sql::roles_to_text},
};
use poem::{
    Endpoint, Request,
    http::{Method, header, uri::Scheme},
    web::{LocalAddr, RemoteAddr},
};

use crate::{
    app::{self, Served, User, request},
    callgrind::boundary,
    ways::{Way, serve_way},
};

/// Requests that are served before counting starts, and while it lasts.
const WARM_UP: usize = 20;
pub(crate) const REQUESTS: usize = 100;

pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The most instructions and allocations that authentication may add.
    pub(crate) target: (Option<u64>, Option<u64>),
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// Copying the user, and nothing else.
    Clone,
    /// A public operation.
    Public { cookie: bool },
    /// A session and users in memory.
    Session,
    /// A token that is seen for the first time, or again.
    Token(JwtAlgorithm, Seen),
    /// A session and users in SQLite, against the two SELECTs.
    Sqlite,
    /// Something else than a cookie or a token of the application's own, all stores in memory.
    Way(Way),
}

#[derive(Clone, Copy)]
enum Seen {
    First,
    Again,
}

const fn token(name: &'static str, algorithm: JwtAlgorithm, seen: Seen) -> Case {
    let most = match (algorithm, seen) {
        (JwtAlgorithm::Hs256, Seen::First) => Some(25_000),
        (_, Seen::First) => None,
        (_, Seen::Again) => Some(8_000),
    };
    Case { name, target: (most, None), kind: Kind::Token(algorithm, seen) }
}

const fn way(name: &'static str, way: Way) -> Case {
    Case { name, target: (None, None), kind: Kind::Way(way) }
}

pub(crate) const CASES: [Case; 19] = [
    Case {
        name: "public, no cookie",
        target: (Some(600), None),
        kind: Kind::Public { cookie: false },
    },
    Case { name: "public, cookie", target: (Some(600), None), kind: Kind::Public { cookie: true } },
    Case { name: "session, memory", target: (Some(6_000), Some(4)), kind: Kind::Session },
    Case { name: "of these: copy of the user", target: (None, None), kind: Kind::Clone },
    token("HS256, known token", JwtAlgorithm::Hs256, Seen::Again),
    token("EdDSA, known token", JwtAlgorithm::EdDsa, Seen::Again),
    token("ES256, known token", JwtAlgorithm::Es256, Seen::Again),
    token("RS256, known token", JwtAlgorithm::Rs256, Seen::Again),
    token("HS256, new token", JwtAlgorithm::Hs256, Seen::First),
    token("EdDSA, new token", JwtAlgorithm::EdDsa, Seen::First),
    token("ES256, new token", JwtAlgorithm::Es256, Seen::First),
    token("RS256, new token", JwtAlgorithm::Rs256, Seen::First),
    Case { name: "session, SQLite", target: (None, None), kind: Kind::Sqlite },
    way("session in a header, memory", Way::SessionHeader),
    way("HTTP Basic, remembered", Way::Basic),
    way("API key", Way::ApiKey),
    way("signed request, HMAC-SHA256", Way::Hmac),
    way("signed request, Ed25519", Way::Ed25519),
    way("claims alone, known token", Way::Claims),
];

/// Serves all cases: for each one the requests without authentication, then those with it.
pub(crate) async fn serve_all(rsa: &str) {
    for case in &CASES {
        match case.kind {
            Kind::Clone => {
                let user = app::user();
                count(async || ()).await;
                count(async || drop(black_box(user.clone()))).await;
            }
            Kind::Public { cookie } => public(cookie).await,
            Kind::Session => {
                let user = app::user();
                let auth = config(MemorySessions::new(), users(&user)).build().unwrap();
                let ours = app::guarded(&auth, user.clone());
                let cookie = log_in(&ours).await;
                let me = || me().header(header::COOKIE, &*cookie).finish();
                serve(&app::bare(user), me).await;
                serve(&ours, me).await;
            }
            Kind::Token(algorithm, seen) => tokens(algorithm, seen, rsa).await,
            Kind::Way(way) => serve_way(way).await,
            Kind::Sqlite => {
                let Sqlite { floor, ours, cookie } = sqlite().await;
                let me = || me().header(header::COOKIE, &*cookie).finish();
                serve(&floor, me).await;
                serve(&ours, me).await;
            }
        }
    }
}

async fn public(cookie: bool) {
    let user = app::user();
    let sessions = FailingSessions::new(MemorySessions::new());
    let users = FailingUsers::new(std::sync::Arc::new(users(&user)));
    let auth = config(sessions.clone(), users.clone()).build().unwrap();
    let ours = app::guarded(&auth, user.clone());
    let value = log_in(&ours).await;
    sessions.reset_calls();
    users.reset_calls();
    let open = || {
        let request = request(Method::GET, "/api/public");
        if cookie { request.header(header::COOKIE, &*value) } else { request }.finish()
    };
    serve(&app::bare(user), open).await;
    serve(&ours, open).await;
    assert_eq!(sessions.calls().total() + users.calls().total(), 0, "a store was asked");
}

async fn tokens(algorithm: JwtAlgorithm, seen: Seen, rsa: &str) {
    let user = app::user();
    let keys = match algorithm {
        JwtAlgorithm::Rs256 => JwtKeys::from_jwks(rsa),
        _ => JwtKeys::generate(algorithm),
    };
    let auth = config(MemorySessions::new(), users(&user)).jwt(keys.unwrap()).build().unwrap();
    let ours = app::guarded(&auth, user.clone());
    let mut tokens = Vec::new();
    for _ in 0..WARM_UP + REQUESTS {
        if tokens.is_empty() || matches!(seen, Seen::First) {
            let answer = ours.call(request(Method::POST, "/api/token").finish()).await.unwrap();
            let token = answer.into_body().into_string().await.unwrap();
            tokens.push(format!("Bearer {token}"));
        }
    }
    let me = |tokens: &mut dyn Iterator<Item = &String>| {
        me().header(header::AUTHORIZATION, tokens.next().unwrap()).finish()
    };
    let mut same = tokens.iter().cycle();
    serve(&app::bare(user), || me(&mut same)).await;
    let mut each = tokens.iter().cycle();
    serve(&ours, || me(&mut each)).await;
}

/// Sessions and users in SQLite, and the two SELECTs that they cannot do without.
struct Sqlite {
    floor: Served,
    ours: Served,
    cookie: String,
}

async fn sqlite() -> Sqlite {
    let user = app::user();
    let pool = open_sqlite("sqlite::memory:").await.unwrap();
    let sessions = SqlSessions::new(pool.clone());
    sessions.migrate().await.unwrap();
    sqlx::query(
        "CREATE TABLE users (id BLOB PRIMARY KEY, username TEXT NOT NULL, email TEXT NOT NULL,
         password TEXT NOT NULL, roles TEXT NOT NULL)",
    )
    .execute(&pool)
    .await
    .unwrap();
    sqlx::query("INSERT INTO users VALUES (?, ?, ?, ?, ?)")
        .bind(user.id)
        .bind(&user.username)
        .bind(&user.email)
        .bind(user.password.expose())
        .bind(roles_to_text(&user.roles))
        .execute(&pool)
        .await
        .unwrap();
    let auth = config(sessions, SqlUsers::new(pool.clone())).build().unwrap();
    let ours = app::guarded(&auth, user.clone());
    let cookie = log_in(&ours).await;
    Sqlite { floor: app::selecting(pool, user.id).await, ours, cookie }
}

/// How many requests per second the session in SQLite serves, for one that the two SELECTs serve
/// alone: the best of several rounds, one after the other on one thread.
pub(crate) async fn sqlite_throughput() -> f64 {
    let Sqlite { floor, ours, cookie } = sqlite().await;
    let mut best = [f64::INFINITY; 2];
    for _ in 0..10 {
        for (app, best) in [&floor, &ours].into_iter().zip(&mut best) {
            let requests: Vec<Request> =
                (0..2_000).map(|_| me().header(header::COOKIE, &*cookie).finish()).collect();
            let start = Instant::now();
            for request in requests {
                assert!(app.call(request).await.unwrap().status().is_success());
            }
            *best = best.min(start.elapsed().as_secs_f64());
        }
    }
    best[0] / best[1]
}

fn config(sessions: impl SessionStore, users: impl UserStore<User>) -> AuthConfig {
    AuthConfig::new()
        .user::<User>(users)
        .sessions(sessions)
        .jwt(JwtKeys::generate(JwtAlgorithm::Hs256).unwrap())
}

fn users(user: &User) -> MemoryUsers<User> {
    let users = MemoryUsers::default();
    users.insert(user.clone()).unwrap();
    users
}

fn me() -> poem::RequestBuilder {
    request(Method::GET, "/api/me")
}

/// The cookie that a login sets, as the client sends it back.
async fn log_in(app: &Served) -> String {
    let answer = app.call(request(Method::POST, "/api/login").finish()).await.unwrap();
    let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

/// Counts the serving of requests, not the making of them.
pub(crate) async fn serve(app: &Served, mut make: impl FnMut() -> Request) {
    let mut requests: Vec<Request> = (0..WARM_UP + REQUESTS).map(|_| received(make())).collect();
    count(async || {
        let answer = app.call(requests.pop().unwrap()).await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    })
    .await;
}

/// A request as a server hands it over: its address is kept as it was sent.
fn received(request: Request) -> Request {
    let (made, body) = request.into_parts();
    let (mut parts, ()) = poem::http::Request::new(()).into_parts();
    (parts.method, parts.uri, parts.headers) = (made.method, made.uri, made.headers);
    let (local, remote) = (LocalAddr::default(), RemoteAddr::default());
    Request::from_parts((parts, local, remote, Scheme::HTTPS).into(), body)
}

async fn count(mut act: impl AsyncFnMut()) {
    for _ in 0..WARM_UP {
        act().await;
    }
    boundary();
    for _ in 0..REQUESTS {
        act().await;
    }
    boundary();
}
