//! One of the parts in which sessions lie in memory: [`Shard`].

use std::{
    collections::HashMap,
    hash::BuildHasherDefault,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use chrono::{DateTime, Utc};

use super::index::KeyHasher;
use crate::{secret::SessionKey, session::record::SessionRecord, user::UserKey};

/// How many sessions a shard holds before it looks for expired ones.
pub(super) const SWEEP_FROM: usize = 64;

/// A lock on a cache line of its own, or else writers would slow down readers of the next shard.
#[repr(align(64))]
#[derive(Default)]
pub(super) struct Shard(RwLock<Sessions>);

// A panic cannot leave a map half changed (no code of others runs under the locks), so a poisoned
// lock is as good as any.
impl Shard {
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Sessions> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Sessions> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sessions of a shard.
pub(super) struct Sessions {
    pub(super) map: HashMap<SessionKey, Slot, BuildHasherDefault<KeyHasher>>,
    /// The number of sessions from which on the next `create` sweeps.
    pub(super) sweep_at: usize,
}

impl Default for Sessions {
    fn default() -> Self {
        Self { map: HashMap::default(), sweep_at: SWEEP_FROM }
    }
}

/// One session.
pub(super) struct Slot {
    /// Shared with the requests that loaded it, so it never changes under them: a change replaces
    /// it. `touch` would rather change one field in place, but it must show in what `load` returns,
    /// and it comes once a minute and session where loads come with every request.
    pub(super) record: Arc<SessionRecord>,
    /// What `record.idle_expires_at()` says, so that a load compares and does not calculate.
    pub(super) dies_at: DateTime<Utc>,
}

impl Slot {
    pub(super) fn new(record: Arc<SessionRecord>) -> Self {
        Self { dies_at: record.idle_expires_at(), record }
    }

    pub(super) fn is_live(&self, now: DateTime<Utc>) -> bool {
        now < self.dies_at
    }

    pub(super) fn user(&self) -> Option<&UserKey> {
        self.record.login.as_ref().map(|login| &login.user)
    }
}
