//! How long copies live, by a clock that the tests move.

use chrono::{SubsecRound, TimeDelta};
use tokio::time::advance;

use super::*;
use crate::{
    secret::SessionToken,
    session::record::SessionData,
    store::MemorySessions,
};

/// A process with a cache. Another one has the same database, and does not reach that cache.
struct World {
    node: CachedSessions<MemoryCache, MemorySessions>,
    now: DateTime<Utc>,
}

impl World {
    fn new(max_age: Duration) -> Self {
        let node = CachedSessions::new(MemoryCache::new(), MemorySessions::new());
        Self { node: node.max_age(max_age).unwrap(), now: Utc::now().trunc_subsecs(3) }
    }

    /// What the other process does to end a session.
    async fn end_elsewhere(&self, key: &SessionKey) {
        assert!(self.node.database.delete(key, self.now).await.unwrap());
    }

    /// A session of which there is a copy.
    async fn session(&self) -> SessionKey {
        let key = SessionToken::generate().unwrap().key();
        let record = SessionRecord {
            handle: Uuid::new_v4(),
            login: None,
            data: SessionData::default(),
            created_at: self.now,
            last_active_at: self.now,
            idle_timeout: TimeDelta::minutes(30),
            expires_at: self.now + TimeDelta::hours(12),
            persistent: false,
            ip: None,
            user_agent: None,
            columns: Default::default(),
            version: 1,
        };
        let created = self.node.create(&key, Arc::new(record), None).await.unwrap();
        assert_eq!(created, Create::Done);
        assert!(self.is_there(&key).await);
        key
    }

    async fn is_there(&self, key: &SessionKey) -> bool {
        self.node.load(key, self.now).await.unwrap().is_some()
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_in_another_process_dies_of_age_however_much_it_is_used() {
    for bound in [5, 1, 60].map(Duration::from_secs) {
        let world = World::new(bound);
        let key = world.session().await;
        world.end_elsewhere(&key).await;
        let ended = Instant::now();
        while world.is_there(&key).await {
            assert!(ended.elapsed() < bound, "{:?}", ended.elapsed());
            advance(Duration::from_millis(100)).await;
        }
        assert!(!world.is_there(&key).await, "and stays dead");
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_as_old_as_the_question_and_not_as_the_answer() {
    let world = World::new(MAX_AGE);
    let key = world.session().await;
    let record = world.node.load(&key, world.now).await.unwrap().unwrap();
    world.node.invalidate(&[key]).await;
    let asked = Instant::now();
    let Some(Cached::Missing(lease)) = world.node.look(&key).await else { panic!("a copy") };
    // The database took its time, and meanwhile the session ended.
    world.end_elsewhere(&key).await;
    advance(MAX_AGE - Duration::from_secs(1)).await;
    world.node.fill(&key, lease, &record, asked).await;
    assert!(world.is_there(&key).await);
    advance(Duration::from_secs(1)).await;
    assert!(!world.is_there(&key).await);

    // And more time than a copy has.
    let asked = Instant::now();
    let Some(Cached::Missing(lease)) = world.node.look(&key).await else { panic!("a copy") };
    advance(MAX_AGE).await;
    world.node.fill(&key, lease, &record, asked).await;
    assert!(!world.is_there(&key).await);
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_for_one_key_and_one_time() {
    let world = World::new(MAX_AGE);
    let (key, other) = (world.session().await, world.session().await);
    let record = world.node.load(&key, world.now).await.unwrap().unwrap();
    let cache = MemoryCache::new();
    let lease = async |key: &SessionKey| match cache.look(key).await.unwrap() {
        Cached::Missing(lease) => lease,
        Cached::Copy(_) => panic!("nothing was stored"),
    };
    let (ours, theirs) = (lease(&key).await, lease(&other).await);
    assert_eq!(lease(&key).await, ours, "whoever asks meanwhile shares it");
    cache.fill(&key, theirs, record.clone(), MAX_AGE).await.unwrap();
    assert_eq!(lease(&key).await, ours);
    cache.invalidate(&[key]).await.unwrap();
    cache.fill(&key, ours, record.clone(), MAX_AGE).await.unwrap();
    let newer = lease(&key).await;
    assert_ne!(newer, ours);
    cache.fill(&key, ours, record.clone(), MAX_AGE).await.unwrap();
    assert_eq!(lease(&key).await, newer, "an old lease is worth nothing beside a new one");
    advance(Duration::from_secs(5)).await;
    cache.fill(&key, newer, record.clone(), MAX_AGE).await.unwrap();
    let newest = lease(&key).await;
    cache.fill(&key, newest, record, MAX_AGE).await.unwrap();
    assert!(matches!(cache.look(&key).await.unwrap(), Cached::Copy(_)));
}
