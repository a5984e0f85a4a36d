//! Sessions in PostgreSQL with a cache in Redis before it, either of which is stopped, cut off,
//! slow or refuses. The table in the documentation has the outcomes, and is what is checked.

use std::{fmt, sync::Arc, time::Duration};

use auth_core::{
    error::Error,
    secret::SessionKey,
    session::record::SessionRecord,
    sql::{SqlPool, postgres_options, postgres_pool_options},
    store::{CachedSessions, Create, Redis, RedisCache, SessionStore, SqlSessions, Update},
};
use auth_test_servers::{Database, PostgresServer, Proxy, RedisServer};
use chrono::{DateTime, SubsecRound, Utc};
use sqlx::{PgPool, Postgres, pool::PoolConnection};
use tokio::time::{Instant, sleep};

use crate::{
    faults::SLACK,
    sessions::{key, record, user},
};

/// What the settings promise that are the default.
const WITHIN: Duration = Duration::from_secs(2);

type Node = CachedSessions<RedisCache, SqlSessions>;

/// Two processes with one cache and one database. What is done to the way to the servers is done to
/// the first one's.
struct World {
    redis: RedisServer,
    to_redis: Proxy,
    postgres: PostgresServer,
    to_postgres: Proxy,
    pool: PgPool,
    held: Vec<PoolConnection<Postgres>>,
    one: Node,
    two: Node,
    /// As the second process sees it, without the cache.
    database: SqlSessions,
    now: DateTime<Utc>,
    _keep: Database,
}

/// Which call of a session store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    LoadCopy,
    Load,
    Create,
    Update,
    Delete,
    DeleteAll,
}

/// The calls in the order of the table's columns.
const CALLS: [Call; 6] =
    [Call::LoadCopy, Call::Load, Call::Create, Call::Update, Call::Delete, Call::DeleteAll];

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Answered,
    Done,
    Fault,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Answered => "answered",
            Self::Done => "done",
            Self::Fault => "fault",
        })
    }
}

/// The sessions that the calls of one round are about, each of a user of its own.
struct Round {
    copied: (SessionKey, Arc<SessionRecord>),
    plain: (SessionKey, Arc<SessionRecord>),
    changed: (SessionKey, Arc<SessionRecord>),
    ended: (SessionKey, Arc<SessionRecord>),
    ended_by_user: (SessionKey, Arc<SessionRecord>),
}

impl World {
    async fn new() -> Option<Self> {
        let redis = auth_test_servers::redis_server()?;
        let postgres = auth_test_servers::postgres_server()?;
        let database = postgres.database();
        let (to_redis, redis_url) = redis.keyspace().behind_proxy();
        let (to_postgres, url) = database.behind_proxy();
        let pool = async |url: &str| {
            let pool = postgres_pool_options().max_connections(2);
            pool.connect_with(postgres_options(url).unwrap()).await.unwrap()
        };
        let (direct, pool) = (pool(database.url()).await, pool(&url).await);
        let node = |redis_url: &str, pool: SqlPool| {
            let cache = RedisCache::new(Redis::open(redis_url).unwrap());
            // Longer than a test takes: how long copies live is what another one is about.
            let node = CachedSessions::new(cache, SqlSessions::new(pool));
            node.max_age(Duration::from_secs(60)).unwrap()
        };
        let one = node(&redis_url, pool.clone().into());
        let two = node(&redis.url(), direct.clone().into());
        let (keep, database) = (database, SqlSessions::new(direct));
        database.migrate().await.unwrap();
        let now = Utc::now().trunc_subsecs(3);
        let (held, _keep) = (Vec::new(), keep);
        Some(Self {
            redis,
            to_redis,
            postgres,
            to_postgres,
            pool,
            held,
            one,
            two,
            database,
            now,
            _keep,
        })
    }

    /// A session of a user, and copies of it if they are wanted.
    async fn session(&self, owner: usize, copied: bool) -> (SessionKey, Arc<SessionRecord>) {
        let (key, record) = (key(), record(owner, self.now));
        let created = self.two.create(&key, record.clone(), None).await.unwrap();
        assert_eq!(created, Create::Done);
        if copied {
            assert!(self.two.load(&key, self.now).await.unwrap().is_some());
        }
        (key, record)
    }

    async fn round(&self) -> Round {
        Round {
            copied: self.session(1, true).await,
            plain: self.session(2, false).await,
            changed: self.session(3, true).await,
            ended: self.session(4, true).await,
            ended_by_user: self.session(5, true).await,
        }
    }

    /// Has the fault happen; those that pass by themselves, before each call.
    async fn inject(&mut self, fault: &str, is_first: bool) {
        let ask = |command: &[&str]| self.redis.ask::<()>(command).unwrap();
        match fault {
            "the cache cuts a connection in the middle of an answer" => {
                self.connect().await;
                self.to_redis.cut_after(1);
            }
            "the database cuts a connection in the middle of an answer" => {
                self.connect().await;
                // More than what the pool's own tests of the connections may still be told, and less
                // than any answer.
                self.to_postgres.cut_after(20);
            }
            _ if !is_first => {}
            "nothing" => {}
            "the cache is stopped" => self.redis.stop(),
            "the cache is out of reach of one process" => {
                self.to_redis.refuse(true);
                self.to_redis.cut();
            }
            "the cache answers after five seconds" => self.to_redis.delay(5 * SECOND),
            "the cache takes no changes (`READONLY`)" => ask(&["REPLICAOF", "127.0.0.1", "1"]),
            "the cache is out of memory (`OOM`)" => ask(&["CONFIG", "SET", "maxmemory", "1"]),
            "the database is stopped" => self.postgres.stop(),
            "the database answers after five seconds" => self.to_postgres.delay(5 * SECOND),
            "all connections to the database are in use" => {
                for _ in 0..2 {
                    self.held.push(self.pool.acquire().await.unwrap());
                }
            }
            "both are stopped" => {
                self.redis.stop();
                self.postgres.stop();
            }
            other => panic!("the table has a line that no test knows: {other}"),
        }
    }

    /// Makes connections where there are none, by a change of nothing that drops no copy.
    async fn connect(&self) {
        for _ in 0..3 {
            if self.one.touch(&key(), self.now).await.is_ok() {
                return;
            }
        }
        panic!("the servers are there");
    }

    /// All is as before.
    fn heal(&mut self, fault: &str) {
        for proxy in [&self.to_redis, &self.to_postgres] {
            proxy.refuse(false);
            proxy.delay(Duration::ZERO);
        }
        self.held.clear();
        match fault {
            "the cache is stopped" => self.redis.start(),
            "the database is stopped" => self.postgres.start(),
            "both are stopped" => {
                self.redis.start();
                self.postgres.start();
            }
            _ => {
                self.redis.ask::<()>(&["REPLICAOF", "NO", "ONE"]).unwrap();
                self.redis.ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]).unwrap();
            }
        }
    }

    /// What a call comes to, which is somebody's session or a fault, and never another one's.
    async fn outcome(&self, call: Call, round: &Round) -> Outcome {
        let (node, now) = (&self.one, self.now);
        let begun = Instant::now();
        let outcome: Result<Outcome, Error> = match call {
            Call::LoadCopy => own(node, &round.copied, now).await,
            Call::Load => own(node, &round.plain, now).await,
            Call::Create => node.create(&key(), record(6, now), None).await.map(|created| {
                assert_eq!(created, Create::Done);
                Outcome::Done
            }),
            Call::Update => {
                let (key, record) = &round.changed;
                let next = SessionRecord { version: 2, ..(**record).clone() };
                node.update(key, Arc::new(next), now).await.map(|update| {
                    assert_eq!(update, Update::Done);
                    Outcome::Done
                })
            }
            Call::Delete => node.delete(&round.ended.0, now).await.map(|lived| {
                assert!(lived);
                Outcome::Done
            }),
            Call::DeleteAll => node.delete_by_user(&user(5), None, now).await.map(|ended| {
                assert_eq!(ended, 1);
                Outcome::Done
            }),
        };
        let elapsed = begun.elapsed();
        assert!(elapsed < WITHIN + SLACK, "{call:?}: {elapsed:?}");
        outcome.unwrap_or_else(|error| {
            assert!(matches!(error, Error::Store { store: "session", .. }), "{error:?}");
            Outcome::Fault
        })
    }

    /// Every call does what it is for, after at most one fault for each connection that somebody
    /// still believes in.
    async fn recovers(&self) {
        for node in [&self.one, &self.two] {
            for _ in 0..4 {
                let _fault_or_not = node.list_by_user(&user(1), self.now).await;
            }
            let (key, record) = (key(), record(7, self.now));
            assert_eq!(node.create(&key, record.clone(), None).await.unwrap(), Create::Done);
            own(node, &(key, record.clone()), self.now).await.unwrap();
            let next = Arc::new(SessionRecord { version: 2, ..(*record).clone() });
            assert_eq!(node.update(&key, next, self.now).await.unwrap(), Update::Done);
            assert!(node.delete(&key, self.now).await.unwrap());
            assert!(node.load(&key, self.now).await.unwrap().is_none());
        }
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// Loads a session that is there, and is the right one.
async fn own(
    node: &Node,
    (key, expected): &(SessionKey, Arc<SessionRecord>),
    now: DateTime<Utc>,
) -> Result<Outcome, Error> {
    let found = node.load(key, now).await?.expect("it is there, and nobody is told otherwise");
    assert_eq!((found.handle, &found.login), (expected.handle, &expected.login));
    Ok(Outcome::Answered)
}

/// The lines of the table, cell by cell.
fn table() -> Vec<Vec<&'static str>> {
    let table = include_str!("../../auth-core/src/store/cached/faults.md");
    let lines = table.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    lines.skip(2).map(|line| line.split('|').map(str::trim).collect()).collect()
}

/// Has a fault happen and checks what the table says of it.
async fn is_as_the_table_says(fault: &str) {
    let Some(mut world) = World::new().await else { return };
    let line = table().into_iter().find(|line| line[0] == fault).expect("a line of the table");
    let round = world.round().await;
    let mut outcomes = Vec::new();
    for (n, call) in CALLS.into_iter().enumerate() {
        world.inject(fault, n == 0).await;
        outcomes.push(world.outcome(call, &round).await.to_string());
    }
    // How the process that was told to end sessions sees them, and how the other one does.
    let deleted = outcomes[4] == "done";
    for ((key, _), outcome) in [&round.ended, &round.ended_by_user].into_iter().zip(&outcomes[4..])
    {
        let deleted = outcome == "done";
        match world.one.load(key, world.now).await {
            Ok(Some(_)) if deleted => panic!("it is served after its end"),
            // It may not have ended, and a copy of it has. Of all of a user's, a process that does not
            // reach the database does not know the keys.
            Ok(Some(_)) if *key == round.ended.0 => {
                assert!(world.database.load(key, world.now).await.unwrap().is_some(), "a copy");
            }
            Ok(Some(_)) => {}
            Ok(None) => {}
            Err(error) => assert!(!deleted, "{error}"),
        }
    }
    let (key, _) = round.ended;
    outcomes.push(match world.two.load(&key, world.now).await {
        _ if !deleted => String::new(),
        Ok(None) => "at once".into(),
        Ok(Some(_)) => "within `max_age`".into(),
        Err(error) => panic!("the other process does not answer: {error}"),
    });
    assert_eq!(outcomes, line[1..], "{fault}");
    world.heal(fault);
    world.recovers().await;
    if deleted {
        let here = world.one.load(&key, world.now).await.unwrap();
        assert!(here.is_none(), "it has come back");
    }
}

macro_rules! faults {
    ($($test:ident: $fault:literal,)*) => {
        /// What the tests are about.
        const FAULTS: &[&str] = &[$($fault),*];

        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            is_as_the_table_says($fault).await;
        })*
    };
}

faults! {
    nothing: "nothing",
    a_cache_that_is_stopped: "the cache is stopped",
    a_cache_that_one_process_does_not_reach: "the cache is out of reach of one process",
    a_cache_that_is_cut_off_in_its_answers: "the cache cuts a connection in the middle of an answer",
    a_cache_that_is_slow: "the cache answers after five seconds",
    a_cache_that_has_become_a_replica: "the cache takes no changes (`READONLY`)",
    a_cache_without_memory: "the cache is out of memory (`OOM`)",
    a_database_that_is_stopped: "the database is stopped",
    a_database_that_is_cut_off_in_its_answers:
        "the database cuts a connection in the middle of an answer",
    a_database_that_is_slow: "the database answers after five seconds",
    a_database_that_has_no_connection_left: "all connections to the database are in use",
    both_are_away: "both are stopped",
}

#[test]
fn the_documentation_names_each_case_and_no_other() {
    assert_eq!(table().iter().map(|line| line[0]).collect::<Vec<_>>(), FAULTS);
}

/// However the cache is away while a session ends: when it is back, the process that ended the
/// session never serves it again, and others serve it no longer than a copy may be old.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_while_the_cache_is_away_holds_within_the_age_of_a_copy() {
    const MAX_AGE: Duration = Duration::from_millis(1_500);
    for fault in [
        "the cache is stopped",
        "the cache is out of reach of one process",
        "the cache takes no changes (`READONLY`)",
    ] {
        let Some(mut world) = World::new().await else { return };
        let [one, two] = [world.one, world.two].map(|node| node.max_age(MAX_AGE).unwrap());
        (world.one, world.two) = (one, two);
        let (key, _) = world.session(1, true).await;
        world.inject(fault, true).await;
        assert_eq!(world.one.delete_by_user(&user(1), None, world.now).await.unwrap(), 1);
        let ended = Instant::now();
        world.heal(fault);
        let mut served = 0;
        while ended.elapsed() < 2 * MAX_AGE {
            let found = world.one.load(&key, world.now).await.unwrap();
            assert!(found.is_none(), "{fault}: {:?} after its end", ended.elapsed());
            let asked = ended.elapsed();
            if world.two.load(&key, world.now).await.unwrap().is_some() {
                assert!(asked < MAX_AGE, "{fault}: {asked:?} after its end");
                served += 1;
            }
            sleep(Duration::from_millis(20)).await;
        }
        if fault != "the cache is stopped" {
            assert!(served > 0, "{fault}: the test sees what it is about");
        }
    }
}
