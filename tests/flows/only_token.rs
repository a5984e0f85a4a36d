//! `#[auth(token)]`: the newest token of a user is his only one.

use auth_core::sql::open_sqlite;
use auth_poem::{password::PasswordHash, prelude::*, users::UserStore};
use auth_tests::{
    Browser, World,
    world::{JWT_SECRET, fast_hasher, password_of},
};
use serde_json::json;

#[derive(AuthUser, Clone, Debug)]
#[auth(table = "holders", schemes(bearer))]
struct Holder {
    #[auth(id)]
    id: i64,
    #[auth(login)]
    name: String,
    #[auth(password)]
    password: PasswordHash,
    #[auth(token)]
    token: Option<TokenId>,
}

struct Api;

#[auth_api]
impl Api {
    #[oai(path = "/me", method = "get")]
    async fn me(&self, holder: Holder) -> poem_openapi::payload::PlainText<String> {
        poem_openapi::payload::PlainText(holder.name)
    }

    #[public]
    #[oai(path = "/logout", method = "post")]
    async fn logout(&self, auth: Auth<Holder>) -> auth_poem::Result<()> {
        Ok(auth.logout().await?)
    }
}

async fn holder(name: &str) -> Holder {
    let password = fast_hasher().hash(&password_of(name)).await.unwrap();
    Holder { id: 1, name: name.into(), password, token: None }
}

async fn client(users: impl UserStore<Holder>, refresh: bool) -> Browser {
    let mut config = AuthConfig::new()
        .user::<Holder>(users)
        .jwt(JwtKeys::hs256(JWT_SECRET).unwrap())
        .hasher(fast_hasher());
    if refresh {
        config = config.refresh_tokens(MemoryTokens::new());
    }
    let auth = config.build().unwrap();
    World::serve(auth.openapi((Api, auth.token_routes::<Holder>()), "Holders", "1.0"))
}

async fn post(client: &Browser, form: String) -> (u16, serde_json::Value) {
    let answer = client.post("/oauth/token").body("application/x-www-form-urlencoded", form).await;
    (answer.status, answer.json())
}

/// An access token, and the refresh token if there is one.
async fn login(client: &Browser) -> (String, String) {
    let password = password_of("ann").replace(' ', "+");
    let form = format!("grant_type=password&username=ann&password={password}");
    let (status, body) = post(client, form).await;
    assert_eq!(status, 200, "{body}");
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    (text("access_token"), text("refresh_token"))
}

async fn me(client: &Browser, token: &str) -> u16 {
    client.get("/me").bearer(token).await.status
}

async fn in_sqlite() -> (sqlx::SqlitePool, SqlUsers<Holder>) {
    let pool = open_sqlite("sqlite::memory:").await.unwrap();
    sqlx::query(
        "CREATE TABLE holders (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, \
         password TEXT NOT NULL, token TEXT)",
    )
    .execute(&pool)
    .await
    .unwrap();
    let ann = holder("ann").await;
    sqlx::query("INSERT INTO holders (id, name, password, token) VALUES (?, ?, ?, ?)")
        .bind(ann.id)
        .bind(&ann.name)
        .bind(&ann.password)
        .bind(ann.token)
        .execute(&pool)
        .await
        .unwrap();
    (pool.clone(), SqlUsers::new(pool))
}

async fn the_newest_token_is_the_only_one(client: Browser) {
    let (first, _) = login(&client).await;
    assert_eq!(me(&client, &first).await, 200);
    let (second, _) = login(&client).await;
    let answer = client.get("/me").bearer(&first).await;
    assert_eq!(answer.outcome(), (401, "invalid_token".into()));
    assert_eq!(me(&client, &second).await, 200);
    // The older one ends nothing any more.
    let _ = client.post("/logout").bearer(&first).await.is(200);
    assert_eq!(me(&client, &second).await, 200);
    let _ = client.post("/logout").bearer(&second).await.is(200);
    assert_eq!(me(&client, &second).await, 401, "without any deny list");
    let (third, _) = login(&client).await;
    assert_eq!(me(&client, &third).await, 200);
    let form = format!("token={third}");
    let media_type = "application/x-www-form-urlencoded";
    let _ = client.post("/oauth/revoke").body(media_type, form).await.is(200);
    assert_eq!(me(&client, &third).await, 401);
}

#[tokio::test]
async fn the_newest_token_is_the_only_one_in_memory() {
    let users = MemoryUsers::default();
    users.insert(holder("ann").await).unwrap();
    the_newest_token_is_the_only_one(client(users, false).await).await;
}

#[tokio::test]
async fn the_newest_token_is_the_only_one_in_sqlite() {
    let (_, users) = in_sqlite().await;
    the_newest_token_is_the_only_one(client(users, false).await).await;
}

#[tokio::test]
async fn a_refresh_replaces_the_token_and_a_login_all_of_them() {
    let (_, users) = in_sqlite().await;
    let client = client(users, true).await;
    let (first, refresh) = login(&client).await;
    let exchange = async |token: &str| {
        post(&client, format!("grant_type=refresh_token&refresh_token={token}")).await
    };
    let (status, body) = exchange(&refresh).await;
    assert_eq!(status, 200);
    let (second, next) = (body["access_token"].as_str().unwrap(), body["refresh_token"].clone());
    assert_eq!(me(&client, &first).await, 401);
    assert_eq!(me(&client, second).await, 200);
    let (third, _) = login(&client).await;
    assert_eq!(me(&client, second).await, 401);
    let (status, body) = exchange(next.as_str().unwrap()).await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")));
    assert_eq!(me(&client, &third).await, 200, "the older login takes nobody's place");
}

#[tokio::test]
async fn the_column_holds_no_token() {
    let (pool, users) = in_sqlite().await;
    let client = client(users, false).await;
    let (token, _) = login(&client).await;
    let column: String =
        sqlx::query_scalar("SELECT token FROM holders").fetch_one(&pool).await.unwrap();
    assert_eq!(column.len(), 43);
    assert!(!token.contains(&column));
    assert_eq!(me(&client, &column).await, 401);
    // What cannot be read is a fault, and nobody is let in.
    sqlx::query("UPDATE holders SET token = 'x'").execute(&pool).await.unwrap();
    assert_eq!(me(&client, &token).await, 503);
    sqlx::query("UPDATE holders SET token = NULL").execute(&pool).await.unwrap();
    assert_eq!(me(&client, &token).await, 401);
}
