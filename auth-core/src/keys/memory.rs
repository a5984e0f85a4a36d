//! Keys in memory: [`MemoryKeys`].

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{KeyRecord, KeyStore, Verifier};
use crate::{error::Error, user::UserKey};

type Keys<V> = HashMap<String, Arc<KeyRecord<V>>>;

/// Keeps keys in the memory of this process: for tests, and for keys that need not outlive it.
///
/// Clones share the keys.
pub struct MemoryKeys<V> {
    keys: Arc<Mutex<Keys<V>>>,
}

impl<V> MemoryKeys<V> {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self { keys: Arc::default() }
    }

    fn keys(&self) -> MutexGuard<'_, Keys<V>> {
        // Every section under this lock makes one change; a panic in one leaves nothing half done.
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes all keys but these, and says how many that were.
    fn keep(&self, is_kept: impl Fn(&KeyRecord<V>) -> bool) -> u64 {
        let mut keys = self.keys();
        let before = keys.len();
        keys.retain(|_, record| is_kept(record));
        (before - keys.len()) as u64
    }
}

impl<V> Clone for MemoryKeys<V> {
    fn clone(&self) -> Self {
        Self { keys: Arc::clone(&self.keys) }
    }
}

impl<V> Default for MemoryKeys<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V> fmt::Debug for MemoryKeys<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryKeys").field("keys", &self.keys().len()).finish()
    }
}

#[async_trait]
impl<V: Verifier> KeyStore<V> for MemoryKeys<V> {
    async fn create(&self, record: &KeyRecord<V>) -> Result<bool, Error> {
        let mut keys = self.keys();
        if keys.contains_key(&record.id) {
            return Ok(false);
        }
        keys.insert(record.id.clone(), Arc::new(record.clone()));
        Ok(true)
    }

    async fn load(&self, id: &str) -> Result<Option<Arc<KeyRecord<V>>>, Error> {
        Ok(self.keys().get(id).cloned())
    }

    async fn list_by_user(&self, user: &UserKey) -> Result<Vec<Arc<KeyRecord<V>>>, Error> {
        let mut own: Vec<_> =
            self.keys().values().filter(|record| record.user == *user).cloned().collect();
        own.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(own)
    }

    async fn rotate(
        &self,
        user: &UserKey,
        id: &str,
        verifier: &V,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        let mut keys = self.keys();
        let is_own = |record: &&mut Arc<KeyRecord<V>>| record.user == *user && record.is_live(now);
        let Some(record) = keys.get_mut(id).filter(is_own) else { return Ok(false) };
        Arc::make_mut(record).verifier = verifier.clone();
        Ok(true)
    }

    async fn touch(&self, id: &str, now: DateTime<Utc>) -> Result<(), Error> {
        if let Some(record) = self.keys().get_mut(id) {
            let record = Arc::make_mut(record);
            record.last_used_at = record.last_used_at.max(Some(now));
        }
        Ok(())
    }

    async fn delete(&self, user: &UserKey, id: &str) -> Result<bool, Error> {
        let mut keys = self.keys();
        let is_own = keys.get(id).is_some_and(|record| record.user == *user);
        Ok(is_own && keys.remove(id).is_some())
    }

    async fn delete_by_user(&self, user: &UserKey) -> Result<u64, Error> {
        Ok(self.keep(|record| record.user != *user))
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        Ok(self.keep(|record| record.is_live(now)))
    }
}
