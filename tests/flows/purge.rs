//! Removing what has expired.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
};

use async_trait::async_trait;
use auth_core::error::Error;
use auth_poem::{prelude::*, store::Purge};
use auth_tests::{Logs, World};

/// A store of the application's own.
#[derive(Clone, Default)]
struct Invitations {
    expired: Arc<AtomicU64>,
    fails: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<DateTime<Utc>>>>,
}

#[async_trait]
impl Purge for Invitations {
    fn name(&self) -> &'static str {
        "invitations"
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        self.asked.lock().unwrap().push(now);
        if self.fails.load(SeqCst) {
            return Err(Error::Application("the cellar is flooded".into()));
        }
        Ok(self.expired.swap(0, SeqCst))
    }
}

/// A world with that store, and three sessions that have expired.
async fn world() -> (World, Invitations) {
    let invitations = Invitations::default();
    let store = Arc::new(invitations.clone());
    let world = World::with(|config| config.purge(store)).await;
    for _ in 0..3 {
        let _ = world.logged_in("ann").await;
    }
    world.wait(Duration::days(2));
    let _ = world.logged_in("ann").await;
    invitations.expired.store(4, SeqCst);
    world.reset_calls();
    (world, invitations)
}

#[tokio::test]
async fn every_store_is_purged_by_the_clock_of_the_configuration() {
    let (world, invitations) = world().await;
    assert_eq!(world.auth.purge_expired().await.unwrap(), 3 + 4);
    assert_eq!(world.auth.purge_expired().await.unwrap(), 0);
    let asked = invitations.asked.lock().unwrap();
    assert!((world.clock.now() - asked[0]).num_milliseconds() == 0, "{asked:?}");
}

#[tokio::test]
async fn a_store_that_fails_keeps_no_other_from_being_purged() {
    let (world, invitations) = world().await;
    let logs = Logs::capture();
    invitations.fails.store(true, SeqCst);
    let error = world.auth.purge_expired().await.unwrap_err();
    assert!(error.to_string().contains("flooded"), "{error}");
    assert!(logs.text().contains("invitations"), "{}", logs.text());
    // The sessions were purged before it, or it was before them.
    invitations.fails.store(false, SeqCst);
    world.sessions.fail(true);
    world.auth.purge_expired().await.unwrap_err();
    assert_eq!(invitations.expired.load(SeqCst), 0);
    world.sessions.fail(false);
    assert_eq!(world.auth.purge_expired().await.unwrap(), 0, "they were purged the first time");
}

#[tokio::test]
async fn a_purge_goes_on_until_it_is_dropped_whatever_happens() {
    let (world, invitations) = world().await;
    let times = || invitations.asked.lock().unwrap().len();
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    let purge = world.auth.purge_every(Duration::minutes(15));
    // The clock of a runtime that waits jumps to the next time that somebody waits for.
    let wait = async |minutes: u64| {
        tokio::time::sleep_until(begun + std::time::Duration::from_secs(60 * minutes)).await;
    };
    wait(1).await;
    assert_eq!((times(), invitations.expired.load(SeqCst)), (1, 0), "the first is at once");
    invitations.fails.store(true, SeqCst);
    world.sessions.fail(true);
    wait(31).await;
    assert_eq!(times(), 3);
    invitations.fails.store(false, SeqCst);
    wait(46).await;
    assert_eq!(times(), 4, "a fault is not the end of it");
    drop(purge);
    wait(120).await;
    assert_eq!(times(), 4);
}

#[tokio::test]
async fn keys_that_have_ended_are_purged_too() {
    let depot = auth_tests::Depot::new().await;
    let ann = depot.logged_in("ann").await;
    for path in ["/keys", "/access-keys"] {
        let wanted = serde_json::json!({ "name": "short", "expires_in": 10 });
        let _ = ann.post(path).json(wanted).await.is(200);
    }
    assert_eq!(depot.auth.purge_expired().await.unwrap(), 0);
    depot.clock.advance(Duration::seconds(10));
    assert_eq!(depot.auth.purge_expired().await.unwrap(), 2);
}
