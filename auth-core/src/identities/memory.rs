//! Identities in memory: [`MemoryIdentities`].

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{ExternalId, IdentityStore, LinkedIdentity};
use crate::{error::Error, user::AuthUser};

/// Keeps identities in memory: for tests and first tries. Clones share them.
pub struct MemoryIdentities<U: AuthUser>(Arc<Mutex<Links<U>>>);

type Links<U> = HashMap<ExternalId, (<U as AuthUser>::Id, DateTime<Utc>)>;

impl<U: AuthUser> MemoryIdentities<U> {
    /// A store without identities.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::default())
    }

    fn links(&self) -> MutexGuard<'_, Links<U>> {
        // Every section under this lock changes the map in one step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl<U: AuthUser> IdentityStore<U> for MemoryIdentities<U> {
    async fn owner(&self, id: &ExternalId) -> Result<Option<U::Id>, Error> {
        Ok(self.links().get(id).map(|(user, _)| user.clone()))
    }

    async fn link(&self, id: &ExternalId, user: &U::Id, at: DateTime<Utc>) -> Result<bool, Error> {
        let mut links = self.links();
        let (owner, _) = links.entry(id.clone()).or_insert_with(|| (user.clone(), at));
        Ok(owner == user)
    }

    async fn unlink(&self, id: &ExternalId, user: &U::Id) -> Result<bool, Error> {
        let mut links = self.links();
        if links.get(id).is_none_or(|(owner, _)| owner != user) {
            return Ok(false);
        }
        Ok(links.remove(id).is_some())
    }

    async fn of(&self, user: &U::Id) -> Result<Vec<LinkedIdentity>, Error> {
        let links = self.links();
        let mut own: Vec<LinkedIdentity> = links
            .iter()
            .filter(|(_, (owner, _))| owner == user)
            .map(|(id, (_, at))| LinkedIdentity { id: id.clone(), linked_at: *at })
            .collect();
        own.sort_by(|a, b| a.linked_at.cmp(&b.linked_at).then_with(|| a.id.cmp(&b.id)));
        Ok(own)
    }

    async fn unlink_all(&self, user: &U::Id) -> Result<u64, Error> {
        let mut links = self.links();
        let before = links.len();
        links.retain(|_, (owner, _)| owner != user);
        Ok((before - links.len()) as u64)
    }
}

impl<U: AuthUser> Clone for MemoryIdentities<U> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<U: AuthUser> Default for MemoryIdentities<U> {
    fn default() -> Self {
        Self::new()
    }
}

impl<U: AuthUser> fmt::Debug for MemoryIdentities<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryIdentities").field("links", &self.links().len()).finish()
    }
}
