//! A copy of a session in a cache must not let anybody in whom the database no longer knows.

use std::time::Duration;

use auth_core::store::SessionCache;
use auth_poem::prelude::{
    Auth, AuthConfig, AuthenticatorExt, CachedSessions, JwtKeys, MemoryCache, MemorySessions,
    MemoryUsers, Redis, RedisCache, Rejection, auth_api,
};
use auth_tests::{
    Admin, Around, Browser, Rank, World,
    world::{JWT_SECRET, fast_hasher, password_of},
};
use poem_openapi::payload::PlainText;

struct Api;

#[auth_api]
impl Api {
    #[oai(path = "/me", method = "get")]
    async fn me(&self, user: Admin) -> PlainText<String> {
        PlainText(user.name)
    }

    #[public]
    #[oai(path = "/login", method = "post")]
    async fn login(&self, auth: Auth<Admin>) -> auth_poem::Result<PlainText<String>> {
        let user = auth.login("root", &password_of("root")).await?;
        Ok(PlainText(user.ok_or(Rejection::WrongCredentials)?.name.clone()))
    }

    #[public]
    #[oai(path = "/logout", method = "post")]
    async fn logout(&self, auth: Auth<Admin>) -> auth_poem::Result<()> {
        Ok(auth.logout().await?)
    }

    #[oai(path = "/password", method = "post")]
    async fn password(&self, _user: Admin, auth: Auth<Admin>) -> auth_poem::Result<()> {
        auth.change_password(&password_of("root"), "another password of root").await?;
        Ok(())
    }

    #[oai(path = "/revoke", method = "post")]
    async fn revoke(&self, _user: Admin, auth: Auth<Admin>) -> auth_poem::Result<()> {
        Ok(auth.revoke_others().await?)
    }
}

/// What all processes of a service share.
struct Shared {
    people: MemoryUsers<Admin>,
    database: Around,
}

impl Shared {
    async fn new() -> Self {
        let people = MemoryUsers::default();
        let password = fast_hasher().hash(&password_of("root")).await.unwrap();
        people.insert(Admin { id: 1, name: "root".into(), password, rank: Rank::Chief }).unwrap();
        Self { people, database: Around::new(MemorySessions::new(), ()) }
    }

    /// A process with this cache, as a browser sees it.
    fn process(&self, cache: impl SessionCache) -> Browser {
        let auth = AuthConfig::new()
            .user::<Admin>(self.people.clone())
            .sessions(CachedSessions::new(cache, self.database.clone()))
            .jwt(JwtKeys::hs256(JWT_SECRET).unwrap())
            .hasher(fast_hasher())
            .build()
            .unwrap();
        World::serve(auth.openapi(Api, "Tests", "1.0"))
    }
}

/// The same cookies at another process.
fn at(process: &Browser, browser: &Browser) -> Browser {
    let other = process.another();
    other.plant("__Host-sid", &browser.cookie().unwrap());
    other
}

#[tokio::test]
async fn a_logout_is_at_once_where_it_happens() {
    let shared = Shared::new().await;
    let root = shared.process(MemoryCache::new());
    let _ = root.post("/login").await.is(200);
    let thief = root.stolen();
    let loads = shared.database.loads();
    for _ in 0..3 {
        assert_eq!(thief.get("/me").await.is(200).body, "root");
    }
    assert_eq!(shared.database.loads() - loads, 1, "there is a copy");
    let _ = root.post("/logout").await.is(200);
    assert_eq!(thief.get("/me").await.status, 401);
}

#[tokio::test]
async fn a_new_password_is_at_once_whatever_copies_there_are() {
    let shared = Shared::new().await;
    let [one, two] = [(), ()].map(|()| shared.process(MemoryCache::new()));
    let _ = one.post("/login").await.is(200);
    let thief = at(&two, &one);
    let elsewhere = two.another();
    let _ = elsewhere.post("/login").await.is(200);
    for browser in [&thief, &elsewhere] {
        assert_eq!(browser.get("/me").await.is(200).body, "root");
    }
    let loads = shared.database.loads();
    let _ = one.post("/password").await.is(200);
    let loads_before = shared.database.loads();
    assert!(loads_before >= loads);
    for browser in [&thief, &elsewhere] {
        assert_eq!(browser.get("/me").await.status, 401);
    }
    assert_eq!(shared.database.loads(), loads_before, "the copies are there, and of no use");
    assert_eq!(one.get("/me").await.is(200).body, "root");
}

#[tokio::test]
async fn what_ends_in_one_process_has_ended_in_all_that_share_a_cache() {
    let Some(keys) = auth_test_servers::redis() else { return };
    let shared = Shared::new().await;
    let cache = || {
        let redis = Redis::open(keys.url()).unwrap();
        // Longer than it would, so that a busy machine is not taken for a broken cache.
        RedisCache::new(redis).prefix(keys.prefix()).unwrap().timeout(Duration::from_secs(10))
    };
    let (one, two) = (shared.process(cache()), shared.process(cache()));
    for end in ["/logout", "/revoke"] {
        let _ = one.post("/login").await.is(200);
        let other = two.another();
        let _ = other.post("/login").await.is(200);
        let ended = if end == "/logout" { at(&two, &one) } else { other };
        let loads = shared.database.loads();
        for _ in 0..3 {
            assert_eq!(ended.get("/me").await.is(200).body, "root");
        }
        assert!(shared.database.loads() - loads <= 1, "there is a copy");
        let _ = one.post(end).await.is(200);
        assert_eq!(ended.get("/me").await.status, 401, "{end}");
    }
}
