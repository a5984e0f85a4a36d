//! Finding sessions in memory: by key, and by user.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{secret::SessionKey, user::UserKey};

/// Takes eight bytes of a [`SessionKey`] for its hash.
///
/// The key is a SHA-256, so any of its bytes are as evenly spread as a hash makes them. Nor can
/// anybody pile up keys in one bucket: only keys of tokens that the framework drew at random are
/// ever inserted; what a client presents is looked up, and lengthens nothing.
#[derive(Default)]
pub(super) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        // An array announces its length first, which is the same for all: the bytes come last.
        if let [_, _, _, _, _, _, _, _, taken @ ..] = bytes
            && let Some(taken) = taken.first_chunk()
        {
            self.0 = u64::from_le_bytes(*taken);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Which sessions belong to which user.
///
/// Whoever changes a session changes its entry here while he holds the session's lock. Readers hold
/// no two locks: they copy the keys and look at each session, which may have changed meanwhile.
#[derive(Default)]
pub(super) struct UserIndex {
    shards: [Mutex<Users>; 16],
    turns: [Mutex<()>; 16],
    /// Users choose names; only a keyed hash keeps them from choosing colliding ones.
    hasher: RandomState,
}

type Users = HashMap<UserKey, HashSet<SessionKey, BuildHasherDefault<KeyHasher>>>;

impl UserIndex {
    pub(super) fn insert(&self, user: &UserKey, key: &SessionKey) {
        let mut users = self.shard(user);
        match users.get_mut(user) {
            Some(keys) => {
                keys.insert(*key);
            }
            None => {
                users.insert(user.clone(), HashSet::from_iter([*key]));
            }
        }
    }

    pub(super) fn remove(&self, user: &UserKey, key: &SessionKey) {
        let mut users = self.shard(user);
        if let Some(keys) = users.get_mut(user) {
            keys.remove(key);
            if keys.is_empty() {
                users.remove(user);
            }
        }
    }

    pub(super) fn keys(&self, user: &UserKey) -> Vec<SessionKey> {
        self.shard(user).get(user).map_or_else(Vec::new, |keys| keys.iter().copied().collect())
    }

    /// Waits for this user's turn: one at a time may count his sessions and add to them. Who takes it
    /// holds no other lock yet.
    pub(super) fn turn(&self, user: &UserKey) -> MutexGuard<'_, ()> {
        let turn = &self.turns[self.hasher.hash_one(user) as usize % self.turns.len()];
        turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many users have sessions.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap().len()).sum()
    }

    fn shard(&self, user: &UserKey) -> MutexGuard<'_, Users> {
        let hash = self.hasher.hash_one(user);
        let shard = &self.shards[hash as usize % self.shards.len()];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
