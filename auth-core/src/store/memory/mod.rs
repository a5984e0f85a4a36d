//! Sessions in the memory of the process: [`MemorySessions`].

use std::{
    collections::hash_map::Entry,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use self::{
    index::UserIndex,
    shard::{SWEEP_FROM, Sessions, Shard, Slot},
};
use super::{Create, SessionLimit, SessionStore, Update};
use crate::{error::Error, secret::SessionKey, session::record::SessionRecord, user::UserKey};

mod index;
mod limit;
mod shard;
#[cfg(test)]
mod tests;

/// Among how many locks the sessions are divided. With 64, two requests at the same time want the
/// same one in one case of 64, and wait only if one of them writes; and an empty store takes 4 KB.
const SHARDS: usize = 64;

/// When a client may try again after the store was full. Sessions end all the time.
const RETRY_WHEN_FULL: Duration = Duration::from_secs(60);

/// Keeps sessions in the memory of the process.
///
/// For tests, for development, and for a service of one process whose users may be asked to log in
/// again when it restarts. It is the fastest store: a request that loads a session takes a read
/// lock that it shares with other readers, looks up one key, and allocates nothing.
///
/// Expired sessions do not pile up: the store has 64 parts, and one that has grown to twice what
/// was alive when it was last looked through (and to 64 sessions at least) is looked through again.
/// That costs each new session a small and constant amount of work.
/// [`purge_expired`](SessionStore::purge_expired) removes what has expired at once.
///
/// # Security
///
/// Where strangers can start sessions (say, by filling in a form), they can fill the memory with
/// live ones. [`max_sessions`](Self::max_sessions) sets a limit to that.
///
/// # Examples
///
/// ```
/// use auth_core::store::MemorySessions;
///
/// let sessions = MemorySessions::new().max_sessions(100_000);
/// assert!(sessions.is_empty());
/// ```
pub struct MemorySessions {
    shards: Box<[Shard; SHARDS]>,
    users: UserIndex,
    len: AtomicUsize,
    max: usize,
}

impl MemorySessions {
    /// An empty store without a limit.
    #[must_use]
    pub fn new() -> Self {
        Self {
            shards: Box::new(std::array::from_fn(|_| Shard::default())),
            users: UserIndex::default(),
            len: AtomicUsize::new(0),
            max: usize::MAX,
        }
    }

    /// Limits how many sessions the store holds; by default only memory does.
    ///
    /// A session takes about 500 bytes and its data. When the store is full, `create` fails with
    /// [`Error::Overloaded`] and every session that exists goes on: the store never ends one to
    /// make room, or a stranger could log users out by starting sessions.
    #[must_use]
    pub fn max_sessions(mut self, max: usize) -> Self {
        self.max = max;
        self
    }

    /// How many sessions are held, expired ones that were not removed yet included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len.load(Relaxed)
    }

    /// Whether no session is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Who holds the lock of a shard may take that of the user index, never the other way round.
    fn shard(&self, key: &SessionKey) -> &Shard {
        // The hasher uses other bytes of the key, so that keys of one shard still spread in its map.
        &self.shards[usize::from(key.as_bytes()[0]) % SHARDS]
    }

    fn find(&self, key: &SessionKey, now: DateTime<Utc>) -> Option<Arc<SessionRecord>> {
        let sessions = self.shard(key).read();
        sessions.map.get(key).filter(|slot| slot.is_live(now)).map(|slot| Arc::clone(&slot.record))
    }

    /// Counts one session more, unless the store is full.
    fn reserve(&self) -> bool {
        self.len.fetch_update(Relaxed, Relaxed, |len| (len < self.max).then_some(len + 1)).is_ok()
    }

    /// Stores a session, unless its key is taken.
    fn insert(&self, key: &SessionKey, record: Arc<SessionRecord>) -> Result<Create, Error> {
        let mut sessions = self.shard(key).write();
        if sessions.map.len() >= sessions.sweep_at || self.len() >= self.max {
            // Nobody was active in the future, so what had expired by then has expired.
            self.sweep(&mut sessions, record.last_active_at);
        }
        let Entry::Vacant(place) = sessions.map.entry(*key) else { return Ok(Create::Taken) };
        if !self.reserve() {
            let resource = "the session store in memory";
            return Err(Error::Overloaded { resource, retry_after: RETRY_WHEN_FULL });
        }
        let slot = place.insert(Slot::new(record));
        if let Some(user) = slot.user() {
            self.users.insert(user, key);
        }
        Ok(Create::Done)
    }

    /// Removes a session, with its place in the user index and in the count.
    fn remove(&self, sessions: &mut Sessions, key: &SessionKey) -> Option<Slot> {
        let slot = sessions.map.remove(key)?;
        self.forget(key, &slot);
        Some(slot)
    }

    fn forget(&self, key: &SessionKey, slot: &Slot) {
        self.len.fetch_sub(1, Relaxed);
        if let Some(user) = slot.user() {
            self.users.remove(user, key);
        }
    }

    /// Removes what has expired from one shard.
    fn sweep(&self, sessions: &mut Sessions, now: DateTime<Utc>) -> usize {
        let before = sessions.map.len();
        sessions.map.retain(|key, slot| {
            let live = slot.is_live(now);
            if !live {
                self.forget(key, slot);
            }
            live
        });
        let live = sessions.map.len();
        sessions.sweep_at = (2 * live).max(SWEEP_FROM);
        // Gives back the room of a peak, but does not shrink and grow by turns.
        if sessions.map.capacity() > 4 * sessions.sweep_at {
            sessions.map.shrink_to(sessions.sweep_at);
        }
        before - live
    }
}

impl Default for MemorySessions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemorySessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySessions").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[async_trait]
impl SessionStore for MemorySessions {
    /// Fails with [`Error::Overloaded`] when the store is full.
    async fn create(
        &self,
        key: &SessionKey,
        record: Arc<SessionRecord>,
        limit: Option<SessionLimit>,
    ) -> Result<Create, Error> {
        match (limit, &record.login) {
            (Some(limit), Some(login)) => {
                let user = login.user.clone();
                self.insert_within(&limit, &user, key, record)
            }
            _ => self.insert(key, record),
        }
    }

    async fn load(
        &self,
        key: &SessionKey,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<SessionRecord>>, Error> {
        Ok(self.find(key, now))
    }

    fn load_now(
        &self,
        key: &SessionKey,
        now: DateTime<Utc>,
    ) -> Option<Result<Option<Arc<SessionRecord>>, Error>> {
        Some(Ok(self.find(key, now)))
    }

    async fn update(
        &self,
        key: &SessionKey,
        mut record: Arc<SessionRecord>,
        now: DateTime<Utc>,
    ) -> Result<Update, Error> {
        let mut sessions = self.shard(key).write();
        let Some(slot) = sessions.map.get_mut(key).filter(|slot| slot.is_live(now)) else {
            return Ok(Update::Gone);
        };
        if record.version.checked_sub(1) != Some(slot.record.version) {
            return Ok(Update::Conflict);
        }
        if record.last_active_at < slot.record.last_active_at {
            Arc::make_mut(&mut record).last_active_at = slot.record.last_active_at;
        }
        let new = Slot::new(record);
        if slot.user() != new.user() {
            if let Some(user) = slot.user() {
                self.users.remove(user, key);
            }
            if let Some(user) = new.user() {
                self.users.insert(user, key);
            }
        }
        *slot = new;
        Ok(Update::Done)
    }

    async fn touch(&self, key: &SessionKey, now: DateTime<Utc>) -> Result<bool, Error> {
        let mut sessions = self.shard(key).write();
        let Some(slot) = sessions.map.get_mut(key).filter(|slot| slot.is_live(now)) else {
            return Ok(false);
        };
        if slot.record.last_active_at < now {
            // Copies the record only while a request holds it.
            Arc::make_mut(&mut slot.record).last_active_at = now;
            slot.dies_at = slot.record.idle_expires_at();
        }
        Ok(true)
    }

    async fn delete(&self, key: &SessionKey, now: DateTime<Utc>) -> Result<bool, Error> {
        let removed = self.remove(&mut self.shard(key).write(), key);
        Ok(removed.is_some_and(|slot| slot.is_live(now)))
    }

    async fn list_by_user(
        &self,
        user: &UserKey,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error> {
        let is_theirs = |record: &Arc<SessionRecord>| {
            // The session may have changed hands since the index was read.
            record.login.as_ref().is_some_and(|login| login.user == *user)
        };
        let mut records: Vec<_> = self
            .users
            .keys(user)
            .iter()
            .filter_map(|key| self.find(key, now))
            .filter(is_theirs)
            .collect();
        records.sort_by_key(|record| (record.created_at, record.handle));
        Ok(records)
    }

    async fn keys_by_user(&self, user: &UserKey) -> Result<Vec<(SessionKey, Uuid)>, Error> {
        let handle = |key: SessionKey| {
            let sessions = self.shard(&key).read();
            let slot = sessions.map.get(&key).filter(|slot| slot.user() == Some(user))?;
            Some((key, slot.record.handle))
        };
        Ok(self.users.keys(user).into_iter().filter_map(handle).collect())
    }

    /// Sorts all sessions for it.
    async fn list(
        &self,
        skip: u32,
        take: u32,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error> {
        let mut records = Vec::new();
        for shard in self.shards.iter() {
            let sessions = shard.read();
            let live = sessions.map.values().filter(|slot| slot.user().is_some());
            records.extend(live.filter(|slot| slot.is_live(now)).map(|slot| slot.record.clone()));
        }
        records.sort_by_key(|record| (record.created_at, record.handle));
        Ok(records.into_iter().skip(skip as usize).take(take as usize).collect())
    }

    async fn delete_by_handle(
        &self,
        user: &UserKey,
        handle: Uuid,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        let mut ended = false;
        for key in &self.users.keys(user) {
            let mut sessions = self.shard(key).write();
            let is_it = |slot: &Slot| slot.user() == Some(user) && slot.record.handle == handle;
            if sessions.map.get(key).is_some_and(is_it) {
                let removed = self.remove(&mut sessions, key);
                ended |= removed.is_some_and(|slot| slot.is_live(now));
            }
        }
        Ok(ended)
    }

    async fn delete_by_user(
        &self,
        user: &UserKey,
        except: Option<&SessionKey>,
        now: DateTime<Utc>,
    ) -> Result<u64, Error> {
        let mut ended = 0;
        for key in self.users.keys(user).iter().filter(|key| Some(*key) != except) {
            let mut sessions = self.shard(key).write();
            if sessions.map.get(key).and_then(Slot::user) == Some(user) {
                let removed = self.remove(&mut sessions, key);
                ended += u64::from(removed.is_some_and(|slot| slot.is_live(now)));
            }
        }
        Ok(ended)
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        let mut purged = 0;
        for shard in self.shards.iter() {
            let mut sessions = shard.write();
            purged += self.sweep(&mut sessions, now) as u64;
        }
        Ok(purged)
    }
}
