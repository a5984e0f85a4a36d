//! The copies themselves: [`Copies`].

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::user::AuthUser;

const SHARDS: usize = 16;

/// The users who are kept, a bounded number of them.
pub(super) struct Copies<U: AuthUser> {
    hasher: RandomState,
    shards: [Mutex<Shard<U>>; SHARDS],
    per_shard: usize,
}

struct Shard<U: AuthUser> {
    copies: HashMap<U::Id, Copied<U>>,
    /// How many writes there were: what was loaded before one is not kept after it.
    writes: u64,
}

struct Copied<U> {
    user: Arc<U>,
    asked: DateTime<Utc>,
}

impl<U: AuthUser> Copies<U> {
    pub(super) fn new(users: usize) -> Self {
        let shard = |_| Mutex::new(Shard { copies: HashMap::new(), writes: 0 });
        Self {
            hasher: RandomState::new(),
            shards: std::array::from_fn(shard),
            per_shard: users.div_ceil(SHARDS),
        }
    }

    pub(super) fn get(&self, id: &U::Id, now: DateTime<Utc>, life: TimeDelta) -> Option<Arc<U>> {
        let shard = self.shard(id);
        let copy = shard.copies.get(id)?;
        // A clock that was set back makes no copy live longer.
        let age = now - copy.asked;
        (age >= TimeDelta::zero() && age < life).then(|| copy.user.clone())
    }

    pub(super) fn writes(&self, id: &U::Id) -> u64 {
        self.shard(id).writes
    }

    /// Keeps a user who was asked for then, after so many writes.
    pub(super) fn keep(&self, user: &Arc<U>, asked: DateTime<Utc>, writes: u64) {
        let id = user.id();
        let mut shard = self.shard(id);
        if shard.writes != writes {
            return;
        }
        match shard.copies.get(id) {
            Some(known) if known.asked > asked => return,
            Some(_) => {}
            None if shard.copies.len() < self.per_shard => {}
            None => {
                let oldest = shard.copies.iter().min_by_key(|(_, copy)| copy.asked);
                let Some(oldest) = oldest.map(|(id, _)| id.clone()) else { return };
                shard.copies.remove(&oldest);
            }
        }
        shard.copies.insert(id.clone(), Copied { user: user.clone(), asked });
    }

    pub(super) fn forget(&self, id: &U::Id) {
        let mut shard = self.shard(id);
        shard.copies.remove(id);
        shard.writes += 1;
    }

    fn shard(&self, id: &U::Id) -> MutexGuard<'_, Shard<U>> {
        let hash = self.hasher.hash_one(id).to_le_bytes();
        let shard = &self.shards[usize::from(hash[0]) % SHARDS];
        // Nothing in here panics half way.
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
