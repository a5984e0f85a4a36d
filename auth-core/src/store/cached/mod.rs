//! Sessions in a database with a cache before it: [`CachedSessions`].

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Create, SessionLimit, SessionStore, Update, WhenFull};
use crate::{
    error::Error,
    secret::SessionKey,
    session::record::{SessionColumn, SessionRecord},
    user::UserKey,
};

mod memory;
mod port;
#[cfg(feature = "redis")]
mod redis;

#[cfg(feature = "redis")]
pub use self::redis::RedisCache;
pub use self::{
    memory::MemoryCache,
    port::{Cached, Lease, SessionCache},
};

/// How old a copy may be. Long enough for the dozen requests of one page, short enough that nobody
/// finds out.
const MAX_AGE: Duration = Duration::from_secs(5);

/// The oldest that a copy may be allowed to be.
const OLDEST: Duration = Duration::from_secs(60);

/// How long a cache that has failed is not asked for copies, so that not every request waits for it.
const PAUSE: Duration = Duration::from_secs(1);

/// Keeps sessions in a database and copies of them in a cache.
///
/// The database decides everything; a copy only saves a read. Reads take the copy, else the
/// database, and leave a copy. Writes go to the database first and drop the copy then; the next
/// read makes a new one. The cache is [`RedisCache`], which processes share, or [`MemoryCache`],
/// which each has for itself; or one of your own, by [`SessionCache`].
///
/// # How old a copy can be
///
/// What a copy says was in the database at most [`max_age`](Self::max_age) ago, whatever happens: a
/// copy is never prolonged and never made from another one. Five seconds by default. Within them:
///
/// | a session ends or changes | the others see it |
/// |---|---|
/// | `RedisCache`, which can be reached | at once, before the call returns |
/// | `RedisCache`, which cannot be reached at that moment, same process | at once: it reads no copies for `max_age` |
/// | `RedisCache`, which cannot be reached at that moment, another process | when its copy is too old |
/// | `MemoryCache`, same process | at once |
/// | `MemoryCache`, another process | when its copy is too old |
/// | a new password, or a raised epoch | at once: the user's row is read in each request |
///
/// A read that was under way while the session ended does not put it back: a copy is stored only if
/// nothing was dropped since the cache was asked for it, which its [`Lease`] tells. So a logout can
/// take `max_age` to arrive, and is never undone. It is not refused over a cache that is away, or
/// nobody could log out for as long.
///
/// Where a user's requests go to several processes in turn, take `RedisCache`: with a cache in each,
/// what one has just written the other reads only later.
///
/// A change of session data is never made to an old copy: the database compares versions, and a
/// conflict drops the copy before the change is tried again.
///
/// # When one of them is away
///
/// Without the cache everything goes on, slower: it is given up on after its own, short timeout and
/// not asked again for a second, or for `max_age` where a copy could not be dropped. Without the
/// database, reads are answered from copies that are not too old; all else is a fault.
/// `max_age(Duration::ZERO)` makes every read one too.
///
#[cfg_attr(feature = "redis", doc = include_str!("faults.md"))]
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # async fn start() -> Result<(), auth_core::error::Error> {
/// use auth_core::{
///     sql::open_sqlite,
///     store::{CachedSessions, MemoryCache, SqlSessions},
/// };
///
/// let database = SqlSessions::new(open_sqlite("sqlite::memory:").await?);
/// let sessions = CachedSessions::new(MemoryCache::new(), database);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct CachedSessions<C, D> {
    cache: C,
    database: D,
    max_age: Duration,
    /// Until when the cache is not asked for copies.
    pause: Mutex<Option<Instant>>,
}

impl<C: SessionCache, D: SessionStore> CachedSessions<C, D> {
    /// A store in this database, with copies in this cache.
    #[must_use]
    pub fn new(cache: C, database: D) -> Self {
        Self { cache, database, max_age: MAX_AGE, pause: Mutex::default() }
    }

    /// How old a copy may be; by default five seconds.
    ///
    /// # Errors
    ///
    /// - it is more than a minute: [`Error::Misconfigured`]
    pub fn max_age(mut self, max_age: Duration) -> Result<Self, Error> {
        if max_age > OLDEST {
            return Err(Error::Misconfigured(format!(
                "cached sessions may not be older than {OLDEST:?}, and {max_age:?} is: for as \
                 long, a logout might not reach other processes"
            )));
        }
        self.max_age = max_age;
        Ok(self)
    }

    /// Asks the cache. `None` where it is not to be asked, or does not answer.
    async fn look(&self, key: &SessionKey) -> Option<Cached> {
        if self.max_age.is_zero() || self.is_paused() {
            return None;
        }
        match self.cache.look(key).await {
            Ok(cached) => Some(cached),
            Err(error) => {
                self.failed(PAUSE, &error, "the session cache does not answer");
                None
            }
        }
    }

    /// Keeps a copy of what the database said after the cache was `asked`.
    async fn fill(
        &self,
        key: &SessionKey,
        lease: Lease,
        record: &Arc<SessionRecord>,
        asked: Instant,
    ) {
        let Some(life) = self.max_age.checked_sub(asked.elapsed()).filter(|life| !life.is_zero())
        else {
            return;
        };
        if let Err(error) = self.cache.fill(key, lease, Arc::clone(record), life).await {
            self.failed(PAUSE, &error, "a session could not be cached");
        }
    }

    /// Drops copies, and keeps those from being stored that are on their way.
    async fn invalidate(&self, keys: &[SessionKey]) {
        if keys.is_empty() {
            return;
        }
        // Also while reads pause: others may reach the cache.
        if let Err(error) = self.cache.invalidate(keys).await {
            // Whoever is answered that a session has ended here finds it ended, also when the cache
            // can be read again: by then the copy is too old.
            let pause = self.max_age.max(PAUSE);
            self.failed(pause, &error, "copies of sessions live until they are too old");
        }
    }

    fn is_paused(&self) -> bool {
        let pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        pause.is_some_and(|until| Instant::now() < until)
    }

    /// Does not ask the cache for so long.
    fn failed(&self, pause: Duration, error: &Error, consequence: &str) {
        let until = Some(Instant::now() + pause);
        let mut pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        *pause = until.max(*pause);
        drop(pause);
        tracing::warn!(%error, "{consequence}");
    }

    /// Ends sessions one by one, so that it is known whose copies are to be dropped, and says how
    /// many were alive.
    async fn end(&self, keys: &[SessionKey], now: DateTime<Utc>) -> Result<u64, Error> {
        let mut alive = 0;
        let mut result = Ok(());
        for key in keys {
            match self.database.delete(key, now).await {
                Ok(lived) => alive += u64::from(lived),
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        self.invalidate(keys).await;
        result.map(|()| alive)
    }

    async fn keys(&self, user: &UserKey) -> Result<Vec<SessionKey>, Error> {
        let keys = self.database.keys_by_user(user).await?;
        Ok(keys.into_iter().map(|(key, _)| key).collect())
    }
}

#[async_trait]
impl<C: SessionCache, D: SessionStore> SessionStore for CachedSessions<C, D> {
    async fn create(
        &self,
        key: &SessionKey,
        record: Arc<SessionRecord>,
        limit: Option<SessionLimit>,
    ) -> Result<Create, Error> {
        let ends_others = limit.is_some_and(|limit| limit.full == WhenFull::EndOldest);
        let Some(login) = record.login.clone().filter(|_| ends_others) else {
            return self.database.create(key, record, limit).await;
        };
        let mut ended = self.keys(&login.user).await?;
        let created = self.database.create(key, record, limit).await;
        if matches!(created, Ok(Create::Done)) {
            let left = self.keys(&login.user).await?;
            ended.retain(|key| !left.contains(key));
        }
        self.invalidate(&ended).await;
        created
    }

    fn columns(&self) -> Option<&[SessionColumn]> {
        self.database.columns()
    }

    async fn load(
        &self,
        key: &SessionKey,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<SessionRecord>>, Error> {
        let asked = Instant::now();
        let cached = self.look(key).await;
        if let Some(Cached::Copy(record)) = &cached
            && record.is_live(now)
        {
            return Ok(Some(Arc::clone(record)));
        }
        let found = self.database.load(key, now).await?;
        match (cached, &found) {
            (Some(Cached::Missing(lease)), Some(record)) => {
                self.fill(key, lease, record, asked).await;
            }
            // The session has gone, or was used by another process since the copy was made.
            (Some(_), _) => self.invalidate(&[*key]).await,
            (None, _) => {}
        }
        Ok(found)
    }

    async fn update(
        &self,
        key: &SessionKey,
        record: Arc<SessionRecord>,
        now: DateTime<Utc>,
    ) -> Result<Update, Error> {
        let update = self.database.update(key, record, now).await;
        // Whatever it says: after a fault the change may be there, and after a conflict the copy is
        // known to be old.
        self.invalidate(&[*key]).await;
        update
    }

    async fn touch(&self, key: &SessionKey, now: DateTime<Utc>) -> Result<bool, Error> {
        let touched = self.database.touch(key, now).await;
        self.invalidate(&[*key]).await;
        touched
    }

    async fn delete(&self, key: &SessionKey, now: DateTime<Utc>) -> Result<bool, Error> {
        Ok(self.end(&[*key], now).await? > 0)
    }

    async fn list_by_user(
        &self,
        user: &UserKey,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error> {
        self.database.list_by_user(user, now).await
    }

    async fn list(
        &self,
        skip: u32,
        take: u32,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error> {
        self.database.list(skip, take, now).await
    }

    async fn keys_by_user(&self, user: &UserKey) -> Result<Vec<(SessionKey, Uuid)>, Error> {
        self.database.keys_by_user(user).await
    }

    async fn delete_by_handle(
        &self,
        user: &UserKey,
        handle: Uuid,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        let mut keys = self.database.keys_by_user(user).await?;
        keys.retain(|(_, named)| *named == handle);
        let keys: Vec<_> = keys.into_iter().map(|(key, _)| key).collect();
        Ok(self.end(&keys, now).await? > 0)
    }

    async fn delete_by_user(
        &self,
        user: &UserKey,
        except: Option<&SessionKey>,
        now: DateTime<Utc>,
    ) -> Result<u64, Error> {
        let mut keys = self.keys(user).await?;
        keys.retain(|key| Some(key) != except);
        self.end(&keys, now).await
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        self.database.purge_expired(now).await
    }
}
