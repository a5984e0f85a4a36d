//! Where sessions and tokens are kept: [`SessionStore`], [`TokenStore`], [`DenyList`], and their
//! implementations.

use std::{fmt::Debug, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    error::Error,
    secret::SessionKey,
    session::record::{SessionColumn, SessionRecord},
    user::UserKey,
};

mod cached;
#[cfg(feature = "testing")]
pub mod conformance;
mod deny;
#[cfg(feature = "sqlite")]
mod file;
mod limit;
mod memory;
mod purge;
#[cfg(feature = "redis")]
pub(crate) mod redis;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod sql;
mod tokens;

#[cfg(feature = "redis")]
pub use self::cached::RedisCache;
#[cfg(feature = "sqlite")]
pub use self::file::FileSessions;
#[cfg(feature = "redis")]
pub use self::redis::{Redis, RedisDenyList, RedisSessions};
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use self::sql::{EndedBy, EndedSession, SqlDenyList, SqlSessions, SqlTokens};
#[cfg(feature = "testing")]
pub use self::tokens::conformance as token_conformance;
pub use self::{
    cached::{Cached, CachedSessions, Lease, MemoryCache, SessionCache},
    deny::{DenyList, MemoryDenyList},
    limit::{Create, SessionLimit, WhenFull},
    memory::MemorySessions,
    purge::Purge,
    tokens::{FoundFamily, MemoryTokens, Presented, TokenFamily, TokenStore},
};

/// Keeps sessions.
///
/// The obligations, which the suite in `store::conformance` (feature `testing`) checks:
///
/// - an expired session is no session: `load`, `update`, `touch`, `list_by_user` and `list` do
///   not see it, whether or not it was purged;
/// - a deleted session never comes back: `update` and `touch` do not insert;
/// - `create`, `update` and `delete` are atomic against each other, from any number of processes;
/// - what was acknowledged is there.
///
/// The caller passes the time; a store has no clock of its own.
///
/// # Errors
///
/// Every method: the store cannot answer → [`Error::Store`], or has no room → [`Error::Overloaded`].
/// A fault is never reported as "no such session".
#[async_trait]
pub trait SessionStore: Debug + Send + Sync + 'static {
    /// Inserts a new session, unless its key is taken or a limit forbids it.
    ///
    /// A limit is about the record's user, and says nothing of a session in which nobody is logged
    /// in. It counts his live sessions but [`except`](SessionLimit::except), and is exact: of any
    /// number of logins at the same time, from any number of processes, no more get in than it
    /// allows. Sessions that end for it end as by [`delete`](Self::delete).
    ///
    /// Handles need not be unique: while the key of a session is changed, it is there twice.
    async fn create(
        &self,
        key: &SessionKey,
        record: Arc<SessionRecord>,
        limit: Option<SessionLimit>,
    ) -> Result<Create, Error>;

    /// The live session under this key.
    async fn load(
        &self,
        key: &SessionKey,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<SessionRecord>>, Error>;

    /// Answers [`load`](Self::load) without waiting, where that is possible: a store in memory
    /// saves a request an allocation that way. `None` means "ask `load`".
    fn load_now(
        &self,
        key: &SessionKey,
        now: DateTime<Utc>,
    ) -> Option<Result<Option<Arc<SessionRecord>>, Error>> {
        let _ = (key, now);
        None
    }

    /// The columns of the application's own that the store keeps; `None` where it keeps all of them,
    /// as a store does that has no tables. One that stands in front of another passes its answer on.
    fn columns(&self) -> Option<&[SessionColumn]> {
        None
    }

    /// Replaces a live session whose version is `record.version - 1`.
    ///
    /// `last_active_at` of the stored session never moves backwards by it.
    async fn update(
        &self,
        key: &SessionKey,
        record: Arc<SessionRecord>,
        now: DateTime<Utc>,
    ) -> Result<Update, Error>;

    /// Notes that a live session was used `now`; neither its version nor anything else changes.
    /// `false` if there is no such session. An older time than the stored one changes nothing.
    async fn touch(&self, key: &SessionKey, now: DateTime<Utc>) -> Result<bool, Error>;

    /// Ends a session. `false` if there was none.
    ///
    /// An expired session is removed too, though it counts as none: the clock of another process
    /// may be behind, and the session alive there. So do [`delete_by_user`](Self::delete_by_user)
    /// and [`delete_by_handle`](Self::delete_by_handle).
    async fn delete(&self, key: &SessionKey, now: DateTime<Utc>) -> Result<bool, Error>;

    /// The live sessions in which this user is logged in, oldest first.
    async fn list_by_user(
        &self,
        user: &UserKey,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error>;

    /// The keys of the stored sessions in which this user is logged in, expired ones included,
    /// each with its handle. For [`CachedSessions`], which drops the copies of what it ends.
    async fn keys_by_user(&self, user: &UserKey) -> Result<Vec<(SessionKey, Uuid)>, Error>;

    /// The live sessions in which somebody is logged in, oldest first: `take` of them at most,
    /// without the first `skip`. For administrators; no request of a user needs it.
    async fn list(
        &self,
        skip: u32,
        take: u32,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error>;

    /// Ends the sessions of this handle in which this user is logged in, and says whether there was
    /// a live one. The handle of another user's session ends nothing.
    async fn delete_by_handle(
        &self,
        user: &UserKey,
        handle: Uuid,
        now: DateTime<Utc>,
    ) -> Result<bool, Error>;

    /// Ends the sessions in which this user is logged in, all or all but one, and says how many.
    async fn delete_by_user(
        &self,
        user: &UserKey,
        except: Option<&SessionKey>,
        now: DateTime<Utc>,
    ) -> Result<u64, Error>;

    /// Removes what has expired, and says how many sessions that was. Run it now and then: expired
    /// sessions are dead without it but take up room.
    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error>;
}

/// What became of an [`update`](SessionStore::update).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// The record is stored.
    Done,
    /// Somebody else changed the session meanwhile; nothing was stored.
    Conflict,
    /// The session was deleted or has expired; nothing was stored.
    Gone,
}
