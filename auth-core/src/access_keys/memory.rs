//! Access keys in memory.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{AccessKeyRecord, AccessKeyStore};
use crate::{error::Error, user::UserKey};

/// Keeps access keys in the memory of this process: for tests, and for keys that need not outlive it.
///
/// Clones share the keys.
#[derive(Clone, Default)]
pub struct MemoryAccessKeys {
    keys: Arc<Mutex<HashMap<String, Arc<AccessKeyRecord>>>>,
}

impl MemoryAccessKeys {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<String, Arc<AccessKeyRecord>>> {
        // Every section under this lock makes one change; a panic in one leaves nothing half done.
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryAccessKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryAccessKeys").field("keys", &self.keys().len()).finish()
    }
}

#[async_trait]
impl AccessKeyStore for MemoryAccessKeys {
    async fn create(&self, record: &AccessKeyRecord) -> Result<bool, Error> {
        let mut keys = self.keys();
        if keys.contains_key(&record.id) {
            return Ok(false);
        }
        keys.insert(record.id.clone(), Arc::new(record.clone()));
        Ok(true)
    }

    async fn load(&self, id: &str) -> Result<Option<Arc<AccessKeyRecord>>, Error> {
        Ok(self.keys().get(id).cloned())
    }

    async fn list_by_user(&self, user: &UserKey) -> Result<Vec<Arc<AccessKeyRecord>>, Error> {
        let mut own: Vec<_> =
            self.keys().values().filter(|record| record.user == *user).cloned().collect();
        own.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(own)
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
        let mut keys = self.keys();
        let before = keys.len();
        keys.retain(|_, record| record.user != *user);
        Ok((before - keys.len()) as u64)
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        let mut keys = self.keys();
        let before = keys.len();
        keys.retain(|_, record| record.is_live(now));
        Ok((before - keys.len()) as u64)
    }
}
