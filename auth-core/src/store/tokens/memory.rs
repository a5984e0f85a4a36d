//! Refresh tokens in the memory of the process: [`MemoryTokens`].

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{FoundFamily, Presented, TokenFamily, TokenStore};
use crate::{error::Error, secret::RefreshKey, user::UserKey};

/// From how many families on the store looks for dead ones when it grows.
const SWEEP_FROM: usize = 64;

/// Keeps refresh tokens in the memory of the process: for tests, for development, and for a service
/// of one process whose users may be asked to log in again when it restarts.
///
/// A family is touched once in the life of an access token, so one lock is enough. Expired families
/// do not pile up: the store looks through them when it has grown to twice what was alive last time.
#[derive(Default)]
pub struct MemoryTokens(Mutex<Families>);

#[derive(Default)]
struct Families {
    by_key: HashMap<[u8; 32], Entry>,
    sweep_at: usize,
}

struct Entry {
    family: Arc<TokenFamily>,
    current: [u8; 32],
    previous: Option<([u8; 32], DateTime<Utc>)>,
    ends_at: DateTime<Utc>,
}

impl MemoryTokens {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn families(&self) -> MutexGuard<'_, Families> {
        // Every section under this lock only moves values; a panic in one leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Families {
    fn remove_if(&mut self, dies: impl Fn(&Entry) -> bool) -> u64 {
        let before = self.by_key.len();
        self.by_key.retain(|_, entry| !dies(entry));
        (before - self.by_key.len()) as u64
    }

    fn live(&mut self, key: &RefreshKey, now: DateTime<Utc>) -> Option<&mut Entry> {
        self.by_key.get_mut(key.family()).filter(|entry| entry.ends_at > now)
    }
}

impl fmt::Debug for MemoryTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = self.families().by_key.len();
        f.debug_struct("MemoryTokens").field("families", &len).finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenStore for MemoryTokens {
    async fn create(&self, key: &RefreshKey, family: Arc<TokenFamily>) -> Result<bool, Error> {
        let mut families = self.families();
        if families.by_key.len() >= families.sweep_at.max(SWEEP_FROM) {
            let now = family.last_used_at;
            families.remove_if(|entry| entry.ends_at <= now);
            families.sweep_at = 2 * families.by_key.len();
        }
        if families.by_key.contains_key(key.family()) {
            return Ok(false);
        }
        let ends_at = family.ends_at(family.last_used_at);
        let entry = Entry { family, current: *key.token(), previous: None, ends_at };
        families.by_key.insert(*key.family(), entry);
        Ok(true)
    }

    async fn find(
        &self,
        key: &RefreshKey,
        now: DateTime<Utc>,
    ) -> Result<Option<FoundFamily>, Error> {
        Ok(self.families().live(key, now).map(|entry| {
            let previous = entry.previous.as_ref().map(|(token, at)| (&token[..], *at));
            FoundFamily {
                family: entry.family.clone(),
                presented: Presented::of(key, &entry.current, previous),
            }
        }))
    }

    async fn rotate(
        &self,
        key: &RefreshKey,
        next: &RefreshKey,
        now: DateTime<Utc>,
        ends_at: DateTime<Utc>,
    ) -> Result<bool, Error> {
        let mut families = self.families();
        let Some(entry) = families.live(key, now).filter(|entry| entry.current == *key.token())
        else {
            return Ok(false);
        };
        entry.previous = Some((entry.current, now));
        entry.current = *next.token();
        entry.ends_at = ends_at;
        Arc::make_mut(&mut entry.family).last_used_at = now;
        Ok(true)
    }

    async fn delete(&self, key: &RefreshKey) -> Result<bool, Error> {
        Ok(self.families().by_key.remove(key.family()).is_some())
    }

    async fn list_by_user(
        &self,
        user: &UserKey,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<TokenFamily>>, Error> {
        let families = self.families();
        let own = families.by_key.values().filter(|entry| entry.ends_at > now);
        let own = own.map(|entry| &entry.family).filter(|family| family.user == *user);
        let mut own: Vec<_> = own.cloned().collect();
        own.sort_by_key(|family| (family.created_at, family.handle));
        Ok(own)
    }

    async fn delete_by_handle(&self, user: &UserKey, handle: Uuid) -> Result<bool, Error> {
        let is_it = |entry: &Entry| entry.family.handle == handle && entry.family.user == *user;
        Ok(self.families().remove_if(is_it) > 0)
    }

    async fn delete_by_user(&self, user: &UserKey) -> Result<u64, Error> {
        Ok(self.families().remove_if(|entry| entry.family.user == *user))
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        Ok(self.families().remove_if(|entry| entry.ends_at <= now))
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;

    async fn store() -> Arc<dyn TokenStore> {
        Arc::new(MemoryTokens::new())
    }

    crate::token_store_conformance!(memory_tokens, store);

    async fn lists() -> Arc<dyn crate::store::DenyList> {
        Arc::new(crate::store::MemoryDenyList::new())
    }

    crate::deny_list_conformance!(memory_deny_list, lists);
}
