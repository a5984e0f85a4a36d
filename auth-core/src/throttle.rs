//! Slows down guessing of passwords, per login name.
//!
//! Names are counted whether or not they exist, so that the throttle tells nobody which do. The
//! count lives in this process; several processes behind a load balancer count each for itself.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::secret::sha256;

/// How many names are remembered. At about 100 bytes each that is some 6 MB; when it is full, names
/// whose time is over go first, then any.
const CAPACITY: usize = 65_536;

/// How many attempts on one name may be under way at once while none has failed yet. It bounds what
/// a burst of parallel guesses gets out of the time before the first one fails.
const BURST: u32 = 64;

/// How failed logins are slowed down.
///
/// After `free` failures in a row, each further one doubles the time until the next attempt is
/// looked at, from one second up to `longest`. An attempt before that time is refused with 429,
/// also with the right password. A success forgets the failures.
///
/// Default: 5 failures, up to 15 minutes: ASP.NET Identity and django-allauth count 5 too; NIST
/// SP 800-63B-4 allows 100 at most.
#[derive(Debug, Clone)]
pub struct Throttle {
    /// Failures in a row that cost nothing.
    pub free: u32,
    /// The longest time between two attempts.
    pub longest: Duration,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { free: 5, longest: Duration::from_secs(15 * 60) }
    }
}

/// Counts attempts.
#[derive(Debug)]
pub(crate) struct Attempts {
    throttle: Throttle,
    names: Mutex<HashMap<[u8; 32], Entry>>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Entry {
    failures: u32,
    under_way: u32,
    next: Option<DateTime<Utc>>,
}

/// An attempt that is under way. Dropped without an outcome (the client went away, a store failed)
/// it counts neither way.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    attempts: &'a Attempts,
    name: [u8; 32],
}

impl Attempts {
    pub(crate) fn new(throttle: Throttle) -> Self {
        Self { throttle, names: Mutex::default() }
    }

    /// Begins an attempt on a name, or says when to come back.
    pub(crate) fn begin(
        &self,
        realm: &str,
        name: &str,
        now: DateTime<Utc>,
    ) -> Result<Attempt<'_>, Duration> {
        // A digest, so that what people typed (now and then a password) is not kept.
        let name = sha256(format!("{realm}:{}", name.trim().to_lowercase()).as_bytes());
        let mut names = self.names();
        if names.len() >= CAPACITY && !names.contains_key(&name) {
            make_room(&mut names, now);
        }
        let entry = names.entry(name).or_default();
        if let Some(wait) = entry.next.filter(|next| *next > now).map(|next| next - now) {
            return Err(wait.to_std().unwrap_or(self.throttle.longest));
        }
        // Attempts under way may all fail: they are counted as if they had, once one has.
        let allowed = if entry.failures == 0 {
            BURST
        } else {
            self.throttle.free.saturating_sub(entry.failures).max(1)
        };
        if entry.under_way >= allowed {
            return Err(Duration::from_secs(1));
        }
        entry.under_way += 1;
        Ok(Attempt { attempts: self, name })
    }

    fn names(&self) -> MutexGuard<'_, HashMap<[u8; 32], Entry>> {
        // Entries are plain numbers; a panic while they are held leaves none half written.
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// The password was wrong, or there is no such user.
    pub(crate) fn failed(self, now: DateTime<Utc>) {
        let throttle = &self.attempts.throttle;
        if let Some(entry) = self.attempts.names().get_mut(&self.name) {
            entry.failures = entry.failures.saturating_add(1);
            if let Some(beyond) = entry.failures.checked_sub(throttle.free) {
                let wait = Duration::from_secs(1 << beyond.min(20)).min(throttle.longest);
                entry.next = TimeDelta::from_std(wait).ok().map(|wait| now + wait);
            }
        }
    }

    /// The password was right.
    pub(crate) fn succeeded(self) {
        if let Some(entry) = self.attempts.names().get_mut(&self.name) {
            (entry.failures, entry.next) = (0, None);
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut names = self.attempts.names();
        if let Some(entry) = names.get_mut(&self.name) {
            entry.under_way = entry.under_way.saturating_sub(1);
            if entry.failures == 0 && entry.under_way == 0 {
                names.remove(&self.name);
            }
        }
    }
}

fn make_room(names: &mut HashMap<[u8; 32], Entry>, now: DateTime<Utc>) {
    names.retain(|_, entry| entry.under_way > 0 || entry.next.is_some_and(|next| next > now));
    if names.len() >= CAPACITY {
        let any = names.iter().find(|(_, entry)| entry.under_way == 0).map(|(name, _)| *name);
        if let Some(any) = any {
            names.remove(&any);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_after_each_failure_and_forgets_on_success() {
        let attempts = Attempts::new(Throttle::default());
        let mut now = Utc::now();
        for _ in 0..4 {
            attempts.begin("users", "Ann", now).unwrap().failed(now);
        }
        for expected in [1, 2, 4, 8] {
            attempts.begin("users", "ann ", now).unwrap().failed(now);
            let wait = attempts.begin("users", "ann", now).unwrap_err();
            assert_eq!(wait, Duration::from_secs(expected));
            now += TimeDelta::seconds(expected as i64);
        }
        attempts.begin("users", "ann", now).unwrap().succeeded();
        for _ in 0..4 {
            attempts.begin("users", "ann", now).unwrap().failed(now);
        }
        assert!(attempts.begin("users", "ann", now).is_ok());
    }

    #[test]
    fn never_waits_longer_than_the_longest() {
        let attempts = Attempts::new(Throttle::default());
        let mut now = Utc::now();
        for _ in 0..120 {
            attempts.begin("users", "ann", now).unwrap().failed(now);
            now += TimeDelta::minutes(15);
        }
        attempts.begin("users", "ann", now).unwrap().failed(now);
        let wait = attempts.begin("users", "ann", now).unwrap_err();
        assert_eq!(wait, Duration::from_secs(15 * 60));
    }

    #[test]
    fn bounds_a_burst_of_parallel_guesses() {
        let attempts = Attempts::new(Throttle::default());
        let now = Utc::now();
        let burst: Vec<_> = (0..200).map(|_| attempts.begin("users", "ann", now)).collect();
        assert_eq!(burst.iter().filter(|attempt| attempt.is_ok()).count(), BURST as usize);
        drop(burst);
        attempts.begin("users", "ann", now).unwrap().failed(now);
        let burst: Vec<_> = (0..200).map(|_| attempts.begin("users", "ann", now)).collect();
        assert_eq!(burst.iter().filter(|attempt| attempt.is_ok()).count(), 4);
    }

    #[test]
    fn forgets_what_is_over_when_it_is_full() {
        let attempts = Attempts::new(Throttle { free: 0, ..Throttle::default() });
        let now = Utc::now();
        for name in 0..CAPACITY {
            attempts.begin("users", &name.to_string(), now).unwrap().failed(now);
        }
        let later = now + TimeDelta::hours(1);
        attempts.begin("users", "one more", later).unwrap().failed(later);
        assert_eq!(attempts.names().len(), 1);
    }
}
