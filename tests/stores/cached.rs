//! Sessions in a database with a cache before it.

use std::{sync::Arc, time::Duration};

use auth_core::{
    error::Error,
    secret::SessionKey,
    session::record::SessionRecord,
    sql::{SqlPool, open_sqlite},
    store::{
        CachedSessions, Create, MemoryCache, MemorySessions, Redis, RedisCache, SessionCache,
        SessionLimit, SessionStore, SqlSessions, Update, WhenFull, conformance,
    },
};
use auth_test_servers::Keyspace;
use auth_tests::Around;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::{
    engines::Engine,
    sessions::{self, key, user},
};

async fn memory_over_sqlite() -> Arc<dyn SessionStore> {
    let database = in_database(open_sqlite("sqlite::memory:").await.unwrap()).await;
    Arc::new(CachedSessions::new(MemoryCache::new(), database))
}

auth_core::session_store_conformance!(conforms_in_memory_over_sqlite, memory_over_sqlite);

/// A store that keeps the columns of the suite.
async fn in_database(pool: impl Into<SqlPool>) -> SqlSessions {
    let mut sessions = SqlSessions::new(pool);
    for (name, kind) in conformance::COLUMNS {
        sessions = sessions.column(name, kind).unwrap();
    }
    sessions.migrate().await.unwrap();
    sessions
}

async fn redis_over_postgres() -> Option<Arc<dyn SessionStore>> {
    let keys = auth_test_servers::redis()?;
    let database = in_database(Engine::Postgres.pool().await?).await;
    let cache = patient(&keys);
    Some(Arc::new(Around::new(CachedSessions::new(cache, database), keys)))
}

auth_core::session_store_conformance!(conforms_in_redis_over_postgres, redis_over_postgres);

/// A node of a service: its cache, before a database that all nodes share.
type Node<C> = CachedSessions<C, Around>;

/// A cache that waits longer than it would, so that a busy machine is not taken for a broken one.
fn patient(keys: &Keyspace) -> RedisCache {
    let redis = Redis::open(keys.url()).unwrap();
    RedisCache::new(redis).prefix(keys.prefix()).unwrap().timeout(Duration::from_secs(10))
}

fn database() -> Around {
    Around::new(MemorySessions::new(), ())
}

fn nodes_with_redis(keys: &Keyspace, database: &Around) -> [Node<RedisCache>; 2] {
    [(), ()].map(|()| CachedSessions::new(patient(keys), database.clone()))
}

fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}

fn record(at: DateTime<Utc>) -> SessionRecord {
    (*sessions::record(1, at)).clone()
}

async fn create(store: &impl SessionStore, record: &SessionRecord) -> SessionKey {
    let key = key();
    let created = store.create(&key, Arc::new(record.clone()), None).await.unwrap();
    assert_eq!(created, Create::Done);
    key
}

async fn is_there(store: &impl SessionStore, key: &SessionKey, now: DateTime<Utc>) -> bool {
    store.load(key, now).await.unwrap().is_some()
}

/// A session of which a node has a copy.
async fn cached_at(node: &impl SessionStore, database: &Around, now: DateTime<Utc>) -> SessionKey {
    let key = create(database, &record(now)).await;
    let loads = database.loads();
    for _ in 0..3 {
        assert!(is_there(node, &key, now).await);
    }
    assert_eq!(database.loads() - loads, 1, "the database is asked once");
    key
}

async fn serves_copies_and_sees_its_own_changes<C: SessionCache>(
    [node, _]: [Node<C>; 2],
    database: Around,
) {
    let now = now();
    let key = cached_at(&node, &database, now).await;
    let loads = database.loads();
    let next = SessionRecord { version: 2, user_agent: Some("new".into()), ..record(now) };
    assert_eq!(node.update(&key, Arc::new(next), now).await.unwrap(), Update::Done);
    let loaded = node.load(&key, now).await.unwrap().unwrap();
    assert_eq!(loaded.user_agent.as_deref(), Some("new"));
    let later = now + TimeDelta::minutes(5);
    assert!(node.touch(&key, later).await.unwrap());
    let loaded = node.load(&key, later).await.unwrap().unwrap();
    assert_eq!(loaded.last_active_at, later);
    assert_eq!(database.loads() - loads, 2);
    // Nothing is remembered of sessions that there are not.
    let nobodys = sessions::key();
    for _ in 0..2 {
        assert!(!is_there(&node, &nobodys, now).await);
    }
    assert_eq!(database.loads() - loads, 4);
}

/// What one node ends, however it does, the other one does not serve, though it has a copy.
async fn what_ends_has_ended_for_those_who_share_the_cache<C: SessionCache>(
    [one, two]: [Node<C>; 2],
    database: Around,
) {
    let now = now();
    let key = cached_at(&two, &database, now).await;
    assert!(one.delete(&key, now).await.unwrap());
    assert!(!is_there(&two, &key, now).await, "delete");

    let key = cached_at(&two, &database, now).await;
    let spared = cached_at(&two, &database, now).await;
    assert_eq!(one.delete_by_user(&user(1), Some(&spared), now).await.unwrap(), 1);
    assert!(!is_there(&two, &key, now).await, "delete_by_user");
    assert!(is_there(&two, &spared, now).await, "delete_by_user");

    let handle = two.load(&spared, now).await.unwrap().unwrap().handle;
    assert!(one.delete_by_handle(&user(1), handle, now).await.unwrap());
    assert!(!is_there(&two, &spared, now).await, "delete_by_handle");

    let oldest = cached_at(&two, &database, now).await;
    let limit = SessionLimit { max: 1, full: WhenFull::EndOldest, except: None, now };
    let new = Arc::new(record(now + TimeDelta::milliseconds(1)));
    let new_key = sessions::key();
    assert_eq!(one.create(&new_key, new, Some(limit)).await.unwrap(), Create::Done);
    assert!(!is_there(&two, &oldest, now).await, "the end of the oldest at a login");
    assert!(is_there(&two, &new_key, now).await);
}

/// A read that began before the session ended, and ends after it, leaves no copy.
async fn a_read_that_is_overtaken_leaves_no_copy<C: SessionCache>(
    [one, two]: [Node<C>; 2],
    database: Around,
) {
    let now = now();
    let key = create(&database, &record(now)).await;
    let two = Arc::new(two);
    database.hold(true);
    let reading = tokio::spawn({
        let two = Arc::clone(&two);
        async move { is_there(&*two, &key, now).await }
    });
    database.gates().reached(1).await;
    assert!(one.delete(&key, now).await.unwrap());
    database.hold(false);
    database.gates().open(1);
    assert!(reading.await.unwrap(), "it began while the session was alive");
    assert!(!is_there(&*two, &key, now).await, "and what it saw is not served again");
    assert!(!is_there(&one, &key, now).await);

    // The same with a change in place of the end.
    let key = create(&database, &record(now)).await;
    database.hold(true);
    let reading = tokio::spawn({
        let two = Arc::clone(&two);
        async move { two.load(&key, now).await.unwrap().unwrap().version }
    });
    database.gates().reached(1).await;
    let next = SessionRecord { version: 2, ..record(now) };
    assert_eq!(one.update(&key, Arc::new(next), now).await.unwrap(), Update::Done);
    database.hold(false);
    database.gates().open(1);
    assert_eq!(reading.await.unwrap(), 1);
    assert_eq!(two.load(&key, now).await.unwrap().unwrap().version, 2);
}

/// Whoever changes an old copy is told so, and then sees the session as it is.
async fn an_old_copy_is_a_conflict_once<C: SessionCache>(
    [one, two]: [Node<C>; 2],
    database: Around,
) {
    let now = now();
    let key = cached_at(&two, &database, now).await;
    let next = |version| Arc::new(SessionRecord { version, ..record(now) });
    assert_eq!(one.update(&key, next(2), now).await.unwrap(), Update::Done);
    let seen = two.load(&key, now).await.unwrap().unwrap().version;
    if seen == 1 {
        assert_eq!(two.update(&key, next(2), now).await.unwrap(), Update::Conflict);
    }
    assert_eq!(two.load(&key, now).await.unwrap().unwrap().version, 2);
    assert_eq!(two.update(&key, next(3), now).await.unwrap(), Update::Done);
}

/// A session that another process has used is alive, whatever a copy says of it.
async fn an_idle_copy_is_not_believed<C: SessionCache>([one, _]: [Node<C>; 2], database: Around) {
    let now = now();
    let key = cached_at(&one, &database, now).await;
    let later = now + TimeDelta::minutes(20);
    assert!(database.touch(&key, later).await.unwrap());
    let much_later = later + TimeDelta::minutes(20);
    assert!(is_there(&one, &key, much_later).await);
    let loads = database.loads();
    assert!(is_there(&one, &key, much_later).await);
    assert!(is_there(&one, &key, much_later).await);
    assert_eq!(database.loads() - loads, 1, "and a new copy is made");
    assert!(!is_there(&one, &key, later + TimeDelta::minutes(30)).await);
}

macro_rules! for_both_caches {
    ($($case:ident)*) => {
        mod in_memory {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let database = database();
                    // One cache, as if both were in one process.
                    let cache = Arc::new(MemoryCache::new());
                    let nodes = [(), ()].map(|()| {
                        CachedSessions::new(SharedMemory(cache.clone()), database.clone())
                    });
                    super::$case(nodes, database).await;
                }
            )*
        }
        mod in_redis {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let Some(keys) = auth_test_servers::redis() else { return };
                    let database = database();
                    super::$case(nodes_with_redis(&keys, &database), database).await;
                }
            )*
        }
    };
}

for_both_caches! {
    serves_copies_and_sees_its_own_changes
    what_ends_has_ended_for_those_who_share_the_cache
    a_read_that_is_overtaken_leaves_no_copy
    an_old_copy_is_a_conflict_once
    an_idle_copy_is_not_believed
}

/// One cache for two nodes.
#[derive(Debug)]
struct SharedMemory(Arc<MemoryCache>);

#[async_trait::async_trait]
impl SessionCache for SharedMemory {
    async fn look(&self, key: &SessionKey) -> Result<auth_core::store::Cached, Error> {
        self.0.look(key).await
    }

    async fn fill(
        &self,
        key: &SessionKey,
        lease: auth_core::store::Lease,
        record: Arc<SessionRecord>,
        life: Duration,
    ) -> Result<(), Error> {
        self.0.fill(key, lease, record, life).await
    }

    async fn invalidate(&self, keys: &[SessionKey]) -> Result<(), Error> {
        self.0.invalidate(keys).await
    }
}

#[test]
fn a_copy_may_not_be_allowed_to_grow_old() {
    let cached = || CachedSessions::new(MemoryCache::new(), MemorySessions::new());
    let error = cached().max_age(Duration::from_secs(61)).unwrap_err();
    assert!(matches!(error, Error::Misconfigured(_)), "{error:?}");
    assert!(cached().max_age(Duration::from_secs(60)).is_ok());
}

#[tokio::test]
async fn a_full_cache_in_memory_stays_full_and_right() {
    let now = now();
    let database = database();
    let cache = Arc::new(MemoryCache::new().max_sessions(32));
    let node = CachedSessions::new(SharedMemory(cache.clone()), database.clone());
    let mut keys = Vec::new();
    for _ in 0..200 {
        let key = create(&database, &record(now)).await;
        assert!(is_there(&node, &key, now).await);
        keys.push(key);
    }
    assert!(cache.len() <= 32, "{}", cache.len());
    for key in &keys {
        assert!(node.delete(key, now).await.unwrap());
        assert!(!is_there(&node, key, now).await);
    }
    assert!(cache.is_empty(), "{}", cache.len());
}

#[tokio::test]
async fn a_logout_while_the_cache_is_away_stays_one_when_it_is_back() {
    let Some(mut server) = auth_test_servers::redis_server() else { return };
    let now = now();
    let keys = server.keyspace();
    let database = database();
    let bound = Duration::from_secs(2);
    let [one, two] = nodes_with_redis(&keys, &database).map(|node| node.max_age(bound).unwrap());
    let key = cached_at(&two, &database, now).await;
    // It keeps its data, as one would that others can still reach.
    server.stop();
    assert!(one.delete(&key, now).await.unwrap(), "a logout does not need the cache");
    let ended = Instant::now();
    assert!(!is_there(&one, &key, now).await);
    assert!(!is_there(&two, &key, now).await);
    server.start();
    while keys.keys().iter().any(|key| key.contains(":c:")) {
        assert!(ended.elapsed() < bound + Duration::from_millis(500), "the copy outlives its age");
        sleep(Duration::from_millis(20)).await;
    }
    for node in [&one, &two] {
        assert!(!is_there(node, &key, now).await);
    }
}

#[tokio::test]
async fn a_copy_in_redis_lives_no_longer_than_it_may() {
    let Some(keys) = auth_test_servers::redis() else { return };
    let now = now();
    let database = database();
    let [one, _] = nodes_with_redis(&keys, &database);
    cached_at(&one, &database, now).await;
    let key = keys.keys().remove(0);
    let left: i64 = redis::cmd("PTTL").arg(key).query(&mut keys.connection()).unwrap();
    assert!((1..=5_000).contains(&left), "{left}");
}

#[tokio::test]
async fn without_the_cache_everything_goes_on() {
    let Some(mut server) = auth_test_servers::redis_server() else { return };
    let now = now();
    let keys = server.keyspace();
    let (proxy, url) = keys.behind_proxy();
    let database = database();
    let cache = RedisCache::new(Redis::open(&url).unwrap()).prefix(keys.prefix()).unwrap();
    let node = CachedSessions::new(cache, database.clone());
    proxy.delay(Duration::from_secs(30));
    let begun = Instant::now();
    let key = create(&node, &record(now)).await;
    for _ in 0..20 {
        assert!(is_there(&node, &key, now).await);
    }
    // The first read waits for the cache, and the others do not.
    assert!(begun.elapsed() < Duration::from_millis(900), "{:?}", begun.elapsed());
    let next = SessionRecord { version: 2, ..record(now) };
    assert_eq!(node.update(&key, Arc::new(next), now).await.unwrap(), Update::Done);
    assert!(node.delete(&key, now).await.unwrap());
    assert!(!is_there(&node, &key, now).await);
    proxy.delay(Duration::ZERO);
    server.stop();
    let key = create(&node, &record(now)).await;
    assert!(is_there(&node, &key, now).await);
    server.start();
    // In a second it is asked again.
    let begun = Instant::now();
    loop {
        assert!(is_there(&node, &key, now).await);
        if keys.keys().iter().any(|key| key.contains(":c:")) {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "the cache is not used again");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn without_the_database_only_copies_are_served_that_are_young() {
    let now = now();
    let database = database();
    let node = CachedSessions::new(MemoryCache::new(), database.clone());
    let key = cached_at(&node, &database, now).await;
    let other = create(&database, &record(now)).await;
    database.fail(true);
    assert!(is_there(&node, &key, now).await);
    let is_fault = |error: Error| assert!(matches!(error, Error::Store { .. }), "{error:?}");
    is_fault(node.load(&other, now).await.unwrap_err());

    // A logout that the database does not confirm is a fault, and no copy is served after it.
    is_fault(node.delete(&key, now).await.unwrap_err());
    is_fault(node.load(&key, now).await.unwrap_err());
    let next = SessionRecord { version: 2, ..record(now) };
    is_fault(node.update(&key, Arc::new(next), now).await.unwrap_err());
    is_fault(node.touch(&key, now).await.unwrap_err());
    is_fault(node.delete_by_user(&user(1), None, now).await.unwrap_err());
    is_fault(node.delete_by_handle(&user(1), Uuid::nil(), now).await.unwrap_err());
    is_fault(node.create(&sessions::key(), Arc::new(record(now)), None).await.unwrap_err());

    let cautious = CachedSessions::new(MemoryCache::new(), database.clone());
    let cautious = cautious.max_age(Duration::ZERO).unwrap();
    database.fail(false);
    assert!(is_there(&cautious, &key, now).await);
    database.fail(true);
    is_fault(cautious.load(&key, now).await.unwrap_err());
}
