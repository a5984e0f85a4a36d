//! Copies of sessions in the memory of the process: [`MemoryCache`].

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::time::Instant;

use super::{Cached, Lease, SessionCache};
use crate::{error::Error, secret::SessionKey, session::record::SessionRecord};

const SHARDS: usize = 16;

/// How many copies are kept: about 10 MB of sessions with little in them.
const MAX: usize = 10_000;

/// How long a lease holds at most. A read of the database takes less, or is a fault.
const LEASE: Duration = Duration::from_secs(5);

/// Copies of sessions in the memory of the process.
///
/// Holds 10 000 unless told otherwise; when it is full, new copies are kept only in place of those
/// that are too old.
///
/// # Security
///
/// Other processes cannot drop these copies: what they end is alive here until the copy is too old.
/// See [`CachedSessions`](super::CachedSessions).
pub struct MemoryCache {
    shards: [Mutex<HashMap<SessionKey, Slot>>; SHARDS],
    max: usize,
    leases: AtomicU64,
}

struct Slot {
    held: Cached,
    until: Instant,
}

impl MemoryCache {
    /// An empty cache.
    #[must_use]
    pub fn new() -> Self {
        Self { shards: Default::default(), max: MAX, leases: AtomicU64::new(1) }
    }

    /// How many sessions are kept at most.
    #[must_use]
    pub fn max_sessions(mut self, max: usize) -> Self {
        self.max = max;
        self
    }

    /// How many are kept, those included that are too old and not replaced yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, key: &SessionKey) -> MutexGuard<'_, HashMap<SessionKey, Slot>> {
        // Any byte of a digest will do.
        lock(&self.shards[usize::from(key.as_bytes()[0]) % SHARDS])
    }
}

fn lock<T>(shard: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every section under this lock only moves values; a panic in one leaves nothing half done.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for MemoryCache {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryCache").field("max", &self.max).finish_non_exhaustive()
    }
}

#[async_trait]
impl SessionCache for MemoryCache {
    async fn look(&self, key: &SessionKey) -> Result<Cached, Error> {
        let now = Instant::now();
        let mut shard = self.shard(key);
        if let Some(slot) = shard.get(key).filter(|slot| now < slot.until) {
            return Ok(slot.held.clone());
        }
        let lease = Lease(self.leases.fetch_add(1, Relaxed).into());
        if shard.len() >= self.max.div_ceil(SHARDS) {
            shard.retain(|_, slot| now < slot.until);
        }
        // A lease that nobody notes is good for nothing, which is what a full cache has to give.
        if shard.len() < self.max.div_ceil(SHARDS) {
            shard.insert(*key, Slot { held: Cached::Missing(lease), until: now + LEASE });
        }
        Ok(Cached::Missing(lease))
    }

    async fn fill(
        &self,
        key: &SessionKey,
        lease: Lease,
        record: Arc<SessionRecord>,
        life: Duration,
    ) -> Result<(), Error> {
        let now = Instant::now();
        if let Some(slot) = self.shard(key).get_mut(key)
            && now < slot.until
            && matches!(slot.held, Cached::Missing(noted) if noted == lease)
        {
            *slot = Slot { held: Cached::Copy(record), until: now + life };
        }
        Ok(())
    }

    async fn invalidate(&self, keys: &[SessionKey]) -> Result<(), Error> {
        for key in keys {
            self.shard(key).remove(key);
        }
        Ok(())
    }
}
