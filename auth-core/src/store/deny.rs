//! Where tokens stand that ended before their time: [`DenyList`] and its implementation in memory.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt::{self, Debug},
    sync::{PoisonError, RwLock, RwLockWriteGuard},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{error::Error, secret::TokenId};

/// Keeps the names of access tokens that were ended before they expire, as by a logout.
///
/// It is asked at every request with a token, so it should answer fast; and it holds no more than
/// what was ended within the life of one token.
///
/// # Errors
///
/// Every method: the list cannot answer → [`Error::Store`], or has no room → [`Error::Overloaded`].
/// A fault is never reported as "not denied".
#[async_trait]
pub trait DenyList: Debug + Send + Sync + 'static {
    /// Denies a token until the time at which it ends by itself. Denying it once more is no fault;
    /// the later end counts.
    async fn deny(
        &self,
        id: &TokenId,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), Error>;

    /// Whether a token is denied now. From its end on it is not.
    async fn is_denied(&self, id: &TokenId, now: DateTime<Utc>) -> Result<bool, Error>;

    /// Answers [`is_denied`](Self::is_denied) without waiting, where that is possible. `None` means
    /// "ask `is_denied`".
    fn is_denied_now(&self, id: &TokenId, now: DateTime<Utc>) -> Option<Result<bool, Error>> {
        let _ = (id, now);
        None
    }

    /// Removes what has ended by itself, and says how many that was. Run it now and then.
    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error>;
}

/// From how many entries on the list looks for ended ones when it grows.
const SWEEP_FROM: usize = 64;

/// Keeps the deny list in the memory of the process: for a service of one process that lets its
/// tokens end when it restarts, and for tests. What has ended is forgotten as the list grows.
///
/// # Security
///
/// A restart forgets the list, and what was denied holds again until it expires. Where keys outlive
/// the process, take a list that does so too.
#[derive(Default)]
pub struct MemoryDenyList(RwLock<Entries>);

#[derive(Default)]
struct Entries {
    until: HashMap<TokenId, DateTime<Utc>>,
    sweep_at: usize,
}

impl MemoryDenyList {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn contains(&self, id: &TokenId, now: DateTime<Utc>) -> bool {
        // Every section under this lock leaves the map whole, also after a panic.
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        entries.until.get(id).is_some_and(|until| *until > now)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Entries> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryDenyList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryDenyList").finish_non_exhaustive()
    }
}

#[async_trait]
impl DenyList for MemoryDenyList {
    async fn deny(
        &self,
        id: &TokenId,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let mut entries = self.write();
        if entries.until.len() >= entries.sweep_at.max(SWEEP_FROM) {
            entries.until.retain(|_, until| *until > now);
            entries.sweep_at = 2 * entries.until.len();
        }
        match entries.until.entry(*id) {
            Entry::Occupied(mut known) => {
                let later = until.max(*known.get());
                known.insert(later);
            }
            Entry::Vacant(place) => {
                place.insert(until);
            }
        }
        Ok(())
    }

    async fn is_denied(&self, id: &TokenId, now: DateTime<Utc>) -> Result<bool, Error> {
        Ok(self.contains(id, now))
    }

    fn is_denied_now(&self, id: &TokenId, now: DateTime<Utc>) -> Option<Result<bool, Error>> {
        Some(Ok(self.contains(id, now)))
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        let mut entries = self.write();
        let before = entries.until.len();
        entries.until.retain(|_, until| *until > now);
        Ok((before - entries.until.len()) as u64)
    }
}
