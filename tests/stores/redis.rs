//! Sessions in Redis.

use std::{collections::BTreeMap, sync::Arc};

use auth_core::{
    error::Error,
    secret::SessionKey,
    session::record::SessionRecord,
    store::{Create, Redis, RedisSessions, SessionLimit, SessionStore, Update, WhenFull},
};
use auth_test_servers::{AUTHORITY, Keyspace, OTHER_AUTHORITY, RedisServer};
use auth_tests::Around;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::sessions::{key, user};

async fn store() -> Option<Arc<dyn SessionStore>> {
    let keys = auth_test_servers::redis()?;
    Some(Arc::new(Around::new(sessions(&keys), keys)))
}

auth_core::session_store_conformance!(conforms_on_redis, store);

async fn cluster_store() -> Option<Arc<dyn SessionStore>> {
    Some(Arc::new(cluster_sessions()?))
}

auth_core::session_store_conformance!(conforms_on_a_redis_cluster, cluster_store);

fn sessions(keys: &Keyspace) -> RedisSessions {
    RedisSessions::new(Redis::open(keys.url()).unwrap()).prefix(keys.prefix()).unwrap()
}

fn cluster_sessions() -> Option<RedisSessions> {
    let cluster = auth_test_servers::redis_cluster()?;
    let prefix = format!("{}:", Uuid::new_v4());
    Some(RedisSessions::new(Redis::cluster(cluster.urls()).unwrap()).prefix(&prefix).unwrap())
}

fn record(id: usize, at: DateTime<Utc>) -> SessionRecord {
    (*crate::sessions::record(id, at)).clone()
}

fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}

async fn create(sessions: &RedisSessions, record: &SessionRecord) -> SessionKey {
    let key = key();
    let created = sessions.create(&key, Arc::new(record.clone()), None).await.unwrap();
    assert_eq!(created, Create::Done);
    key
}

/// How often the server has carried out each command, but for those that ask it.
fn commands(server: &RedisServer) -> BTreeMap<String, u64> {
    let stats: String = server.ask(&["INFO", "commandstats"]).unwrap();
    let count = |line: &str| {
        let (name, counts) = line.strip_prefix("cmdstat_")?.split_once(':')?;
        let calls = counts.strip_prefix("calls=")?.split(',').next()?.parse().unwrap();
        let about_us = ["info", "auth", "hello", "client", "config", "select", "command"];
        let is_ours = !about_us.iter().any(|other| name.starts_with(other));
        is_ours.then(|| (name.to_owned(), calls))
    };
    stats.lines().filter_map(count).collect()
}

/// What the server carries out for a call. Commands inside of scripts are counted too.
async fn cost(server: &RedisServer, call: impl Future<Output = ()>) -> String {
    let before = commands(server);
    call.await;
    let mut after = commands(server);
    after.retain(|name, calls| {
        *calls -= before.get(name).copied().unwrap_or(0);
        *calls > 0
    });
    let shown: Vec<_> = after.iter().map(|(name, calls)| format!("{calls} {name}")).collect();
    shown.join(", ")
}

#[tokio::test]
async fn a_read_is_one_command_and_a_write_one_script() {
    let Some(server) = auth_test_servers::redis_server() else { return };
    let sessions = &sessions(&server.keyspace());
    let now = now();
    // Scripts are known after their first use.
    let (first, second) = (record(1, now), record(1, now));
    let key = &create(sessions, &first).await;
    let next = Arc::new(SessionRecord { version: 2, ..first.clone() });
    assert_eq!(sessions.update(key, next, now).await.unwrap(), Update::Done);
    assert!(sessions.touch(key, now + TimeDelta::minutes(1)).await.unwrap());
    let gone = create(sessions, &second).await;
    assert!(sessions.delete(&gone, now).await.unwrap());

    let load = async { assert!(sessions.load(key, now).await.unwrap().is_some()) };
    assert_eq!(cost(&server, load).await, "1 get");
    let nothing = async { assert!(sessions.load(&gone, now).await.unwrap().is_none()) };
    assert_eq!(cost(&server, nothing).await, "1 get");
    let update = async {
        let next = Arc::new(SessionRecord { version: 3, ..first.clone() });
        assert_eq!(sessions.update(key, next, now).await.unwrap(), Update::Done);
    };
    assert_eq!(cost(&server, update).await, "1 evalsha, 1 get, 1 pexpireat, 1 set");
    let touch = async { assert!(sessions.touch(key, now + TimeDelta::minutes(2)).await.unwrap()) };
    assert_eq!(cost(&server, touch).await, "1 evalsha, 1 get, 1 pexpireat, 1 set");
    let anonymous = async {
        create(sessions, &SessionRecord { login: None, ..record(1, now) }).await;
    };
    assert_eq!(cost(&server, anonymous).await, "1 set");
    let delete = async { assert!(sessions.delete(key, now).await.unwrap()) };
    assert_eq!(cost(&server, delete).await, "1 del, 1 evalsha, 1 get");
}

#[tokio::test]
async fn a_server_that_has_forgotten_its_scripts_is_told_again() {
    let Some(server) = auth_test_servers::redis_server() else { return };
    let sessions = sessions(&server.keyspace());
    let now = now();
    let key = create(&sessions, &record(1, now)).await;
    for n in 1..4 {
        server.ask::<()>(&["SCRIPT", "FLUSH"]).unwrap();
        assert!(sessions.touch(&key, now + TimeDelta::minutes(n)).await.unwrap());
    }
}

#[tokio::test]
async fn the_server_removes_what_has_expired_a_minute_later() {
    let Some(keys) = auth_test_servers::redis() else { return };
    let sessions = sessions(&keys);
    let now = now();
    let key = create(&sessions, &record(1, now)).await;
    let lives_until = |name: &str| -> i64 {
        let key = keys.keys().into_iter().find(|key| key.contains(name)).unwrap();
        let left: i64 = redis::cmd("PTTL").arg(key).query(&mut keys.connection()).unwrap();
        Utc::now().timestamp_millis() + left
    };
    let is_about = |found: i64, expected: DateTime<Utc>| {
        let expected = expected.timestamp_millis() + 60_000;
        assert!((found - expected).abs() < 5_000, "{found} and not {expected}");
    };
    is_about(lives_until(":s:"), now + TimeDelta::minutes(30));
    is_about(lives_until(":u:"), now + TimeDelta::hours(12));

    let later = now + TimeDelta::minutes(20);
    assert!(sessions.touch(&key, later).await.unwrap());
    is_about(lives_until(":s:"), later + TimeDelta::minutes(30));

    let longer = SessionRecord {
        version: 2,
        idle_timeout: TimeDelta::days(30),
        expires_at: now + TimeDelta::days(20),
        ..record(1, now)
    };
    assert_eq!(sessions.update(&key, Arc::new(longer), now).await.unwrap(), Update::Done);
    is_about(lives_until(":s:"), now + TimeDelta::days(20));
    is_about(lives_until(":u:"), now + TimeDelta::days(20));

    // What has expired long ago is not kept at all.
    let old = now - TimeDelta::days(3);
    create(&sessions, &record(2, old)).await;
    assert_eq!(keys.keys().len(), 2, "{:?}", keys.keys());
}

#[tokio::test]
async fn the_index_of_a_user_heals_itself() {
    let Some(keys) = auth_test_servers::redis() else { return };
    let sessions = sessions(&keys);
    let now = now();
    let mut connection = keys.connection();
    let mut noted = || -> usize {
        let index = keys.keys().into_iter().find(|key| key.contains(":u:"));
        index.map_or(0, |index| {
            let fields: Vec<String> =
                redis::cmd("HKEYS").arg(index).query(&mut connection).unwrap();
            fields.iter().filter(|field| field.len() == 43).count()
        })
    };
    let gone = create(&sessions, &record(1, now)).await;
    let stays = create(&sessions, &record(1, now)).await;
    assert!(sessions.delete(&gone, now).await.unwrap());
    assert_eq!(noted(), 2);
    assert_eq!(sessions.list_by_user(&user(1), now).await.unwrap().len(), 1);
    assert_eq!(noted(), 1, "seen to be dead, and dropped");
    assert!(sessions.delete(&stays, now).await.unwrap());
    sessions.list_by_user(&user(1), now).await.unwrap();
    assert_eq!(keys.keys().len(), 0, "an empty index is none");

    // Logins and logouts alone do not fill it.
    for _ in 0..200 {
        let key = create(&sessions, &record(1, now)).await;
        assert!(sessions.delete(&key, now).await.unwrap());
        assert!(noted() <= 33, "{}", noted());
    }
    sessions.purge_expired(now).await.unwrap();
    assert_eq!(keys.keys().len(), 0, "a purge looks through the indexes");
}

#[tokio::test]
async fn a_session_that_changes_hands_is_in_the_new_index_before_it_does() {
    let Some(keys) = auth_test_servers::redis() else { return };
    let sessions = sessions(&keys);
    let now = now();
    let anonymous = SessionRecord { login: None, ..record(1, now) };
    let key = create(&sessions, &anonymous).await;
    // A change whose process dies after it has told the index: the entry leads to nobody's session.
    let login = |version| SessionRecord { handle: anonymous.handle, version, ..record(1, now) };
    assert_eq!(sessions.update(&key, Arc::new(login(7)), now).await.unwrap(), Update::Conflict);
    assert!(sessions.list_by_user(&user(1), now).await.unwrap().is_empty());
    assert_eq!(sessions.delete_by_user(&user(1), None, now).await.unwrap(), 0);
    assert!(sessions.load(&key, now).await.unwrap().is_some(), "nobody's session is not ended");
    assert_eq!(sessions.update(&key, Arc::new(login(2)), now).await.unwrap(), Update::Done);
    assert_eq!(sessions.list_by_user(&user(1), now).await.unwrap().len(), 1);
    assert_eq!(sessions.delete_by_user(&user(1), None, now).await.unwrap(), 1);
    assert!(sessions.load(&key, now).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_logins_at_once_a_limit_lets_as_many_in_as_it_says() {
    let Some(keys) = auth_test_servers::redis() else { return };
    let single = sessions(&keys);
    let all: Vec<_> = [Some(single), cluster_sessions()].into_iter().flatten().collect();
    for sessions in &all {
        for (full, max) in [(WhenFull::Refuse, 1), (WhenFull::Refuse, 3), (WhenFull::EndOldest, 2)]
        {
            let now = now();
            let user_id = max as usize + if full == WhenFull::Refuse { 10 } else { 0 };
            // Some that are dead do not count.
            let gone = create(sessions, &record(user_id, now)).await;
            assert!(sessions.delete(&gone, now).await.unwrap());
            create(sessions, &record(user_id, now - TimeDelta::minutes(30))).await;
            let mut tasks = JoinSet::new();
            for n in 0..16 {
                let sessions = sessions.clone();
                tasks.spawn(async move {
                    let key = key();
                    let record = record(user_id, now + TimeDelta::milliseconds(n));
                    let limit = SessionLimit { max, full, except: None, now };
                    let created =
                        sessions.create(&key, Arc::new(record), Some(limit)).await.unwrap();
                    (key, created)
                });
            }
            let mut done = 0;
            let mut live = 0;
            for (key, created) in tasks.join_all().await {
                done += u32::from(created == Create::Done);
                live += u32::from(sessions.load(&key, now).await.unwrap().is_some());
            }
            assert_eq!(live, max, "{full:?} {max}");
            assert_eq!(done, if full == WhenFull::Refuse { max } else { 16 }, "{full:?} {max}");
            let listed = sessions.list_by_user(&user(user_id), now).await.unwrap();
            assert_eq!(listed.len(), max as usize, "{full:?} {max}");
        }
    }
}

#[tokio::test]
async fn prefixes_that_begin_alike_are_kept_apart() {
    let Some(keys) = auth_test_servers::redis() else { return };
    let now = now();
    let longer = format!("{}s:", keys.prefix());
    let one = sessions(&keys);
    let two = RedisSessions::new(Redis::open(keys.url()).unwrap()).prefix(&longer).unwrap();
    let ours = create(&one, &record(1, now)).await;
    let theirs = create(&two, &record(1, now)).await;
    assert_eq!(one.list(0, 10, now).await.unwrap().len(), 1);
    assert_eq!(two.list(0, 10, now).await.unwrap().len(), 1);
    assert!(one.load(&theirs, now).await.unwrap().is_none());
    let end = now + TimeDelta::days(1);
    assert_eq!(one.purge_expired(end).await.unwrap(), 1);
    assert!(one.load(&ours, now).await.unwrap().is_none());
    assert!(two.load(&theirs, now).await.unwrap().is_some());
    for bad in ["a*", "a b", "{tag}", "é", "a\n"] {
        let error = RedisSessions::new(Redis::open(keys.url()).unwrap()).prefix(bad).unwrap_err();
        assert!(matches!(error, Error::Misconfigured(_)), "{bad:?}: {error:?}");
    }
}

#[tokio::test]
async fn what_somebody_else_wrote_is_a_fault() {
    let Some(keys) = auth_test_servers::redis() else { return };
    let sessions = sessions(&keys);
    let now = now();
    let session = record(1, now);
    let key = create(&sessions, &session).await;
    let name = keys.keys().into_iter().find(|key| key.contains(":s:")).unwrap();
    for value in ["", "nonsense", "1 2 3\n{}", "2 1 1 1 1 1 x .\n{}"] {
        redis::cmd("SET").arg(&name).arg(value).exec(&mut keys.connection()).unwrap();
        let next = Arc::new(SessionRecord { version: 2, ..session.clone() });
        for error in [
            sessions.load(&key, now).await.unwrap_err(),
            sessions.update(&key, next, now).await.unwrap_err(),
            sessions.touch(&key, now).await.unwrap_err(),
            sessions.delete(&key, now).await.unwrap_err(),
            sessions.list_by_user(&user(1), now).await.unwrap_err(),
            sessions.list(0, 1, now).await.unwrap_err(),
        ] {
            assert!(matches!(error, Error::Store { store: "session", .. }), "{value}: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_user_of_an_access_list_needs_no_more_than_is_documented() {
    let Some(server) = auth_test_servers::redis_server() else { return };
    let keys = server.keyspace();
    let allowed = "+get +mget +set +del +pexpireat +hset +hget +hgetall +hlen +hdel \
                   +eval +evalsha +scan +ping";
    let pattern = format!("~{}*", keys.prefix());
    let mut command = vec!["ACL", "SETUSER", "shop", "on", ">hunter2", &pattern, "-@all"];
    command.extend(allowed.split_whitespace());
    server.ask::<()>(&command).unwrap();
    let url = |password: &str| {
        let port = server.url().rsplit_once(':').unwrap().1.trim_end_matches('/').to_owned();
        format!("redis://shop:{password}@127.0.0.1:{port}")
    };
    let redis = Redis::open(&url("hunter2")).unwrap();
    redis.ping().await.unwrap();
    let sessions = RedisSessions::new(redis.clone()).prefix(keys.prefix()).unwrap();
    let now = now();
    let limit = SessionLimit { max: 1, full: WhenFull::EndOldest, except: None, now };
    let key = create(&sessions, &record(1, now)).await;
    let (one, two) = (self::key(), self::key());
    for key in [&one, &two] {
        let new = Arc::new(record(2, now));
        assert_eq!(sessions.create(key, new, Some(limit)).await.unwrap(), Create::Done);
    }
    let longer =
        SessionRecord { version: 2, expires_at: now + TimeDelta::days(2), ..record(1, now) };
    assert_eq!(sessions.update(&key, Arc::new(longer), now).await.unwrap(), Update::Done);
    assert!(sessions.touch(&key, now).await.unwrap());
    assert_eq!(sessions.list(0, 9, now).await.unwrap().len(), 2);
    assert_eq!(sessions.list_by_user(&user(1), now).await.unwrap().len(), 1);
    assert_eq!(sessions.delete_by_user(&user(2), None, now).await.unwrap(), 1);
    assert!(sessions.delete(&key, now).await.unwrap());
    sessions.purge_expired(now).await.unwrap();

    let other = RedisSessions::new(redis).prefix("other:").unwrap();
    let error = other.load(&key, now).await.unwrap_err();
    assert!(matches!(error, Error::Store { store: "session", .. }), "{error:?}");
    let error = Redis::open(&url("hunter3")).unwrap().ping().await.unwrap_err();
    assert!(matches!(error, Error::Store { store: "session", .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("hunter"), "{error:?}");
}

#[tokio::test]
async fn tls_is_for_those_whose_certificate_is_vouched_for() {
    let Some(server) = auth_test_servers::redis_tls_server() else { return };
    let keys = server.keyspace();
    let url = |host: &str| {
        let url = server.url();
        let user = url.trim_start_matches("redis://").split_once('@').unwrap().0;
        format!("rediss://{user}@{host}:{}", server.tls_port())
    };
    for host in ["localhost", "127.0.0.1"] {
        let redis = Redis::open(&url(host)).unwrap();
        let trusting = redis.clone().root_certificates(AUTHORITY).unwrap();
        trusting.ping().await.unwrap();
        let sessions = RedisSessions::new(trusting).prefix(keys.prefix()).unwrap();
        let now = now();
        let key = create(&sessions, &record(1, now)).await;
        assert!(sessions.load(&key, now).await.unwrap().is_some());
        let doubting = redis.clone().root_certificates(OTHER_AUTHORITY).unwrap();
        for stranger in [redis, doubting] {
            let error = stranger.ping().await.unwrap_err();
            assert!(matches!(error, Error::Store { store: "session", .. }), "{error:?}");
        }
    }
    // Not the name in the certificate.
    let named = Redis::open(&url("127.0.0.2")).unwrap().root_certificates(AUTHORITY).unwrap();
    let error = named.ping().await.unwrap_err();
    assert!(matches!(error, Error::Store { store: "session", .. }), "{error:?}");
}
