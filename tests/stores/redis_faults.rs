//! A Redis server that is stopped, cut off, slow, read-only or full, as clients of the service see
//! it.

use std::{sync::Arc, time::Duration};

use auth_core::{
    error::Error,
    secret::SessionKey,
    session::record::SessionRecord,
    store::{Create, Redis, RedisSessions, SessionStore, Update},
};
use auth_poem::prelude::*;
use auth_test_servers::{Proxy, RedisServer};
use auth_tests::{Admin, Browser, Rank, world::fast_hasher};
use poem::{EndpointExt, IntoEndpoint};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    faults::{Api, LIMIT, PASSWORD, SLACK, is_unavailable, nobody_is_anybody, recovers},
    sessions::{key, record},
};

/// A client of a service with sessions in this Redis.
async fn service(redis: Redis) -> Browser {
    let users = MemoryUsers::default();
    let password = fast_hasher().hash(PASSWORD).await.unwrap();
    users.insert(Admin { id: 1, name: "root".into(), password, rank: Rank::Chief }).unwrap();
    let auth = AuthConfig::new()
        .user::<Admin>(users)
        .sessions(RedisSessions::new(redis))
        .jwt(JwtKeys::hs256(auth_tests::world::JWT_SECRET).unwrap())
        .hasher(fast_hasher())
        .build()
        .unwrap();
    let api = auth.openapi(Api, "Tests", "1.0");
    Browser::new(Arc::new(api.into_endpoint().map_to_response().boxed()))
}

/// A service on a server of its own, and a browser in which somebody is logged in.
async fn on_a_server() -> Option<(RedisServer, Browser)> {
    let server = auth_test_servers::redis_server()?;
    let browser = service(Redis::open(&server.url()).unwrap().timeout(LIMIT)).await;
    let _ = browser.post("/login").await.is(200);
    Some((server, browser))
}

/// The same through a proxy.
async fn behind_proxy() -> Option<(RedisServer, Proxy, Browser)> {
    let server = auth_test_servers::redis_server()?;
    let (proxy, url) = server.keyspace().behind_proxy();
    let browser = service(Redis::open(&url).unwrap().timeout(LIMIT)).await;
    let _ = browser.post("/login").await.is(200);
    Some((server, proxy, browser))
}

#[tokio::test]
async fn a_server_that_is_stopped() {
    let Some((mut server, browser)) = on_a_server().await else { return };
    server.stop();
    nobody_is_anybody(&browser, LIMIT).await;
    server.start();
    recovers(&browser).await;
}

#[tokio::test]
async fn a_server_that_is_still_reading_its_data() {
    let Some((mut server, browser)) = on_a_server().await else { return };
    let fill = "for n = 1, 5000 do redis.call('SET', 'other:' .. n, n * 1234567) end";
    server.ask::<()>(&["EVAL", fill, "0"]).unwrap();
    server.stop();
    // It answers now and then.
    let slowly = ["--key-load-delay", "2000", "--loading-process-events-interval-bytes", "1024"];
    server.start_with(&slowly);
    let error = server.ask::<Option<String>>(&["GET", "x"]).unwrap_err();
    assert_eq!(error.code(), Some("LOADING"), "{error}");
    nobody_is_anybody(&browser, LIMIT).await;
    server.ask::<()>(&["CONFIG", "SET", "key-load-delay", "0"]).unwrap();
    let begun = Instant::now();
    while server.ask::<Option<String>>(&["GET", "x"]).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it is still reading");
        sleep(Duration::from_millis(20)).await;
    }
    recovers(&browser).await;
}

#[tokio::test]
async fn connections_that_are_cut() {
    let Some((_server, proxy, browser)) = behind_proxy().await else { return };
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

#[tokio::test]
async fn a_connection_that_is_cut_while_it_lies_idle_is_not_noticed() {
    let Some((_server, proxy, browser)) = behind_proxy().await else { return };
    for path in ["/add", "/logout"] {
        proxy.cut();
        // Until the client has heard of it.
        sleep(Duration::from_millis(100)).await;
        let _ = browser.post(path).await.is(200);
    }
}

#[tokio::test]
async fn a_read_whose_answer_is_lost_is_sent_again() {
    let Some((_server, proxy, browser)) = behind_proxy().await else { return };
    proxy.cut_after_saying("GET");
    assert_eq!(browser.get("/me").await.is(200).body, "root");
    for bytes in [1, 10, 100] {
        proxy.cut_after(bytes);
        assert_eq!(browser.get("/me").await.is(200).body, "root");
    }
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_a_fault_and_happens_once() {
    let Some((_server, proxy, browser)) = behind_proxy().await else { return };
    assert_eq!(browser.post("/add").await.is(200).body, "1");
    proxy.cut_after_saying("EVALSHA");
    is_unavailable(browser.post("/add"), LIMIT).await;
    assert_eq!(browser.post("/add").await.is(200).body, "3");
}

#[tokio::test]
async fn a_login_whose_answer_is_lost_is_a_fault_and_leaves_nobody_logged_in() {
    let Some((server, proxy, browser)) = behind_proxy().await else { return };
    let _ = browser.post("/logout").await.is(200);
    proxy.cut_after_saying("SET");
    is_unavailable(browser.post("/login"), LIMIT).await;
    assert_eq!(browser.get("/me").await.status, 401);
    let keys: usize = server.ask(&["DBSIZE"]).unwrap();
    // To note a session twice is to note it.
    proxy.cut_after_saying("EVALSHA");
    let _ = browser.post("/login").await.is(200);
    assert_eq!(browser.get("/me").await.is(200).body, "root");
    assert_eq!(server.ask::<usize>(&["DBSIZE"]).unwrap(), keys + 1, "one session more");
}

#[tokio::test]
async fn a_logout_whose_answer_is_lost_is_not_confirmed_and_has_happened() {
    let Some((_server, proxy, browser)) = behind_proxy().await else { return };
    proxy.cut_after_saying("EVALSHA");
    let answer = browser.post("/logout").await;
    assert_eq!(answer.outcome(), (503, "unavailable".into()), "{answer:?}");
    assert_eq!(browser.get("/me").await.status, 401);
}

#[tokio::test]
async fn answers_that_take_five_seconds_with_the_settings_that_are_the_default() {
    let Some(server) = auth_test_servers::redis_server() else { return };
    let (proxy, url) = server.keyspace().behind_proxy();
    let browser = service(Redis::open(&url).unwrap()).await;
    let _ = browser.post("/login").await.is(200);
    proxy.delay(Duration::from_secs(5));
    for _ in 0..2 {
        is_unavailable(browser.get("/me"), Duration::from_secs(2)).await;
        is_unavailable(browser.post("/login"), Duration::from_secs(2)).await;
    }
    proxy.delay(Duration::ZERO);
    recovers(&browser).await;
}

#[tokio::test]
async fn requests_whose_clients_have_left_keep_nobody_waiting() {
    let Some((_server, proxy, browser)) = behind_proxy().await else { return };
    proxy.delay(Duration::from_secs(30));
    for _ in 0..6 {
        let left = timeout(LIMIT / 8, browser.get("/me").into_future()).await;
        assert!(left.is_err(), "nobody is answered in that time");
    }
    proxy.delay(Duration::ZERO);
    let begun = Instant::now();
    while browser.get("/me").await.status != 200 {
        assert!(begun.elapsed() < 2 * LIMIT + SLACK, "the connection has not come back");
    }
}

#[tokio::test]
async fn a_server_that_has_become_a_replica_takes_no_changes() {
    let Some((server, browser)) = on_a_server().await else { return };
    server.ask::<()>(&["REPLICAOF", "127.0.0.1", "1"]).unwrap();
    // It still answers reads, from what it has.
    assert_eq!(browser.get("/me").await.is(200).body, "root");
    for path in ["/login", "/add", "/logout"] {
        is_unavailable(browser.post(path), LIMIT).await;
    }
    assert_eq!(browser.get("/me").await.is(200).body, "root");
    server.ask::<()>(&["REPLICAOF", "NO", "ONE"]).unwrap();
    recovers(&browser).await;
}

#[tokio::test]
async fn a_server_without_memory_takes_no_changes_but_logouts() {
    let Some((server, browser)) = on_a_server().await else { return };
    let other = browser.another();
    let _ = other.post("/login").await.is(200);
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
    assert_eq!(browser.get("/me").await.is(200).body, "root");
    for path in ["/login", "/add"] {
        is_unavailable(browser.post(path), LIMIT).await;
    }
    let _ = other.post("/logout").await.is(200);
    assert_eq!(other.get("/me").await.status, 401);
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]).unwrap();
    recovers(&browser).await;
}

/// Sessions of many users all over a cluster.
async fn all_over(
    sessions: &RedisSessions,
    now: DateTime<Utc>,
) -> Vec<(SessionKey, SessionRecord)> {
    let mut all = Vec::new();
    for n in 0..24 {
        let (key, record) = (key(), record(n, now));
        let created = sessions.create(&key, record.clone(), None).await.unwrap();
        assert_eq!(created, Create::Done);
        all.push((key, (*record).clone()));
    }
    all
}

#[tokio::test]
async fn a_node_of_a_cluster_that_is_stopped() {
    let Some(mut cluster) = auth_test_servers::private_redis_cluster() else { return };
    let sessions = RedisSessions::new(Redis::cluster(cluster.urls()).unwrap().timeout(LIMIT));
    let now = Utc::now();
    let all = all_over(&sessions, now).await;
    cluster.nodes[1].stop();
    let (mut there, mut faults) = (0, 0);
    for (key, _) in &all {
        let begun = Instant::now();
        match sessions.load(key, now).await {
            Ok(session) => {
                assert!(session.is_some());
                there += 1;
            }
            Err(error) => {
                assert!(matches!(error, Error::Store { store: "session", .. }), "{error:?}");
                faults += 1;
            }
        }
        assert!(begun.elapsed() < LIMIT + SLACK, "{:?}", begun.elapsed());
    }
    assert!(there > 0 && faults > 0, "{there} and {faults}");
    cluster.nodes[1].start();
    let begun = Instant::now();
    for (key, record) in &all {
        let next = SessionRecord { version: 2, ..record.clone() };
        loop {
            match sessions.update(key, Arc::new(next.clone()), now).await {
                Ok(update) => {
                    assert_eq!(update, Update::Done);
                    break;
                }
                Err(error) => {
                    assert!(begun.elapsed().as_secs() < 30, "{error}");
                    sleep(LIMIT / 8).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_slot_that_moves_to_another_node_takes_its_sessions_along() {
    let Some(cluster) = auth_test_servers::private_redis_cluster() else { return };
    let sessions = RedisSessions::new(Redis::cluster(cluster.urls()).unwrap());
    let now = Utc::now();
    let all = all_over(&sessions, now).await;
    let [from, to, _] = &cluster.nodes[..] else { panic!("three nodes") };
    let id = |node: &RedisServer| node.ask::<String>(&["CLUSTER", "MYID"]).unwrap();
    let (from_id, to_id) = (id(from), id(to));
    let (host, port) = ("127.0.0.1", to.url());
    let port = port.trim_end_matches('/').rsplit_once(':').unwrap().1;
    let password = to.url();
    let password = password.split_once("//:").unwrap().1.split_once('@').unwrap().0;
    let keys: Vec<String> = from.ask(&["KEYS", "auth:s:*"]).unwrap();
    assert!(!keys.is_empty());
    let mut slots = Vec::new();
    for key in &keys {
        let slot: u16 = from.ask(&["CLUSTER", "KEYSLOT", key]).unwrap();
        let slot = slot.to_string();
        to.ask::<()>(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]).unwrap();
        from.ask::<()>(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]).unwrap();
        let migrate = ["MIGRATE", host, port, key, "0", "5000", "AUTH", password];
        from.ask::<()>(&migrate).unwrap();
        slots.push(slot);
    }
    let check = async |version: u64| {
        for (key, record) in &all {
            let stored = sessions.load(key, now).await.unwrap().unwrap();
            assert_eq!(stored.version, version - 1);
            let next = SessionRecord { version, ..record.clone() };
            let update = sessions.update(key, Arc::new(next), now).await.unwrap();
            assert_eq!(update, Update::Done);
            let user = &record.login.as_ref().unwrap().user;
            assert_eq!(sessions.list_by_user(user, now).await.unwrap().len(), 1);
        }
    };
    check(2).await;
    for slot in &slots {
        for node in [to, from] {
            node.ask::<()>(&["CLUSTER", "SETSLOT", slot, "NODE", &to_id]).unwrap();
        }
    }
    check(3).await;
}

#[test]
fn the_documentation_names_each_case_and_no_other() {
    let table = include_str!("../../auth-core/src/store/redis/faults.md");
    let rows = table.lines().filter_map(|line| line.strip_suffix("` |")?.rsplit('`').next());
    let cases = include_str!("redis_faults.rs").split("#[tokio::test]\nasync fn ").skip(1);
    let cases: Vec<_> = cases.filter_map(|case| case.split('(').next()).collect();
    assert_eq!(rows.collect::<Vec<_>>(), cases);
}
