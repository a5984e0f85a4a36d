//! A document of a provider, kept for a while: [`Cached`].

use std::{
    future::Future,
    sync::{Arc, PoisonError, RwLock},
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Mutex;

use super::http::fault;
use crate::error::Error;

/// For how long a document is good, and how often it is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Freshness {
    /// So long it is not asked for again.
    pub(crate) fresh: TimeDelta,
    /// So long it goes on being used where the provider does not answer.
    pub(crate) stale: TimeDelta,
    /// The time between two requests at least, whatever the reason.
    pub(crate) pause: TimeDelta,
}

impl Default for Freshness {
    fn default() -> Self {
        Self {
            fresh: TimeDelta::hours(1),
            stale: TimeDelta::hours(24),
            pause: TimeDelta::seconds(10),
        }
    }
}

/// A document that is fetched when somebody needs it.
///
/// One request at a time: who comes meanwhile waits for its answer. Between two requests there is a
/// pause, so that nobody can have this process flood a provider.
#[derive(Debug)]
pub(crate) struct Cached<T> {
    /// Whom it is fetched from.
    provider: Arc<str>,
    freshness: Freshness,
    known: RwLock<Option<Known<T>>>,
    last: Mutex<Option<Attempt>>,
}

#[derive(Debug)]
struct Known<T> {
    value: Arc<T>,
    fetched_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy)]
struct Attempt {
    at: DateTime<Utc>,
    failed: bool,
}

/// What a request for a newer document than the known one came to.
#[derive(Debug)]
pub(crate) enum Renewed<T> {
    /// There is a newer one.
    Newer(Arc<T>),
    /// The known one was fetched a moment ago, and is as new as it gets.
    Same,
}

impl<T> Cached<T> {
    pub(crate) fn new(provider: Arc<str>, freshness: Freshness) -> Self {
        Self { provider, freshness, known: RwLock::new(None), last: Mutex::new(None) }
    }

    /// The known document, while it is fresh.
    pub(crate) fn fresh(&self, now: DateTime<Utc>) -> Option<Arc<T>> {
        self.within(now, self.freshness.fresh)
    }

    /// The document: the known one while it is fresh, else a new one, else the known one while it is
    /// not too old.
    ///
    /// # Errors
    ///
    /// - there is none, and none can be fetched
    pub(crate) async fn get(
        &self,
        now: DateTime<Utc>,
        fetch: impl Future<Output = Result<T, Error>>,
    ) -> Result<Arc<T>, Error> {
        if let Some(known) = self.fresh(now) {
            return Ok(known);
        }
        let mut last = self.last.lock().await;
        if let Some(known) = self.fresh(now) {
            return Ok(known);
        }
        let fetched = match *last {
            Some(attempt) if attempt.failed && now - attempt.at < self.freshness.pause => {
                Err(self.unanswered())
            }
            _ => self.fetch(&mut last, now, fetch).await,
        };
        fetched.or_else(|error| match self.within(now, self.freshness.stale) {
            Some(known) => {
                tracing::warn!(%error, "a provider does not answer; what it last said is used");
                Ok(known)
            }
            None => Err(error),
        })
    }

    /// A document that is newer than one in which something was missing.
    ///
    /// # Errors
    ///
    /// - none can be fetched
    pub(crate) async fn newer_than(
        &self,
        seen: Arc<T>,
        now: DateTime<Utc>,
        fetch: impl Future<Output = Result<T, Error>>,
    ) -> Result<Renewed<T>, Error> {
        let mut last = self.last.lock().await;
        let known = self.within(now, self.freshness.stale);
        if let Some(newer) = known.filter(|known| !Arc::ptr_eq(known, &seen)) {
            return Ok(Renewed::Newer(newer));
        }
        match *last {
            Some(attempt) if now - attempt.at < self.freshness.pause => {
                // Nobody can tell while the provider does not answer.
                if attempt.failed { Err(self.unanswered()) } else { Ok(Renewed::Same) }
            }
            _ => self.fetch(&mut last, now, fetch).await.map(Renewed::Newer),
        }
    }

    async fn fetch(
        &self,
        last: &mut Option<Attempt>,
        now: DateTime<Utc>,
        fetch: impl Future<Output = Result<T, Error>>,
    ) -> Result<Arc<T>, Error> {
        // A caller who goes away meanwhile leaves a failed attempt.
        *last = Some(Attempt { at: now, failed: true });
        let value = Arc::new(fetch.await?);
        *last = Some(Attempt { at: now, failed: false });
        let known = Known { value: value.clone(), fetched_at: now };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(value)
    }

    fn unanswered(&self) -> Error {
        fault(&self.provider, "it did not answer a moment ago")
    }

    /// The known document, if it is not older than that.
    fn within(&self, now: DateTime<Utc>, age: TimeDelta) -> Option<Arc<T>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref()?;
        (now - known.fetched_at < age).then(|| known.value.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use futures_util::future::join_all;

    use super::*;

    fn down() -> Error {
        Error::Misconfigured("down".into())
    }

    struct World {
        cached: Cached<usize>,
        asked: AtomicUsize,
    }

    impl World {
        fn new() -> Self {
            Self {
                cached: Cached::new("x".into(), Freshness::default()),
                asked: AtomicUsize::new(0),
            }
        }

        fn at(seconds: i64) -> DateTime<Utc> {
            DateTime::UNIX_EPOCH + TimeDelta::seconds(1_900_000_000 + seconds)
        }

        async fn answer(&self, up: bool) -> Result<usize, Error> {
            let number = self.asked.fetch_add(1, SeqCst) + 1;
            tokio::task::yield_now().await;
            if up { Ok(number) } else { Err(down()) }
        }

        async fn get(&self, seconds: i64, up: bool) -> Option<usize> {
            let got = self.cached.get(Self::at(seconds), self.answer(up)).await;
            got.ok().map(|value| *value)
        }
    }

    #[tokio::test]
    async fn one_answer_serves_all_who_wait_and_all_who_come_within_an_hour() {
        let world = World::new();
        let all = join_all((0..50).map(|_| world.get(0, true))).await;
        assert!(all.iter().all(|got| *got == Some(1)), "{all:?}");
        assert_eq!(world.get(3_599, true).await, Some(1));
        assert_eq!(world.get(3_600, true).await, Some(2));
        assert_eq!(world.asked.load(SeqCst), 2);
    }

    #[tokio::test]
    async fn what_was_known_serves_for_a_day_while_there_is_no_answer() {
        let world = World::new();
        assert_eq!(world.get(0, true).await, Some(1));
        assert_eq!(world.get(3_600, false).await, Some(1));
        // Asked a moment ago.
        assert_eq!(world.get(3_609, true).await, Some(1));
        assert_eq!(world.asked.load(SeqCst), 2);
        assert_eq!(world.get(86_399, false).await, Some(1));
        assert_eq!(world.get(86_409, false).await, None);
        assert_eq!(world.get(86_419, true).await, Some(5));
    }

    #[tokio::test]
    async fn a_newer_one_is_asked_for_once_in_a_while() {
        let world = World::new();
        let ask = async |seen: &Arc<usize>, seconds, up| {
            let at = World::at(seconds);
            world.cached.newer_than(seen.clone(), at, world.answer(up)).await
        };
        let seen = world.cached.get(World::at(0), world.answer(true)).await.unwrap();
        assert!(matches!(ask(&seen, 9, true).await, Ok(Renewed::Same)));
        assert_eq!(world.asked.load(SeqCst), 1);
        let all = join_all((0..50).map(|_| ask(&seen, 10, true))).await;
        assert!(all.iter().all(|got| matches!(got, Ok(Renewed::Newer(two)) if **two == 2)));
        assert_eq!(world.asked.load(SeqCst), 2);
        let seen = Arc::new(2);
        let newest = ask(&seen, 10, true).await.unwrap();
        let Renewed::Newer(newest) = newest else { panic!("it is another one than the seen one") };
        assert!(ask(&newest, 20, false).await.is_err());
        assert!(ask(&newest, 25, true).await.is_err(), "nobody can tell");
        assert_eq!(world.asked.load(SeqCst), 3);
        assert!(matches!(ask(&newest, 30, true).await, Ok(Renewed::Newer(four)) if *four == 4));
    }
}
