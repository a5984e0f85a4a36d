//! Sessions in one file: [`FileSessions`].

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqlitePoolOptions,
    SqliteSynchronous,
};
use uuid::Uuid;

use super::{Create, SessionLimit, SessionStore, SqlSessions, Update};
use crate::{
    error::Error,
    secret::SessionKey,
    session::record::{ColumnType, SessionColumn, SessionRecord},
    sql::is_busy,
    user::UserKey,
};

/// How long a process waits for the one before it to end.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// Keeps sessions in a file, for a service of one process that has no database.
///
/// What was acknowledged is there after a restart, and after `kill -9`. The file is an SQLite
/// database of its own, which nobody has to set up: [`open`](Self::open) makes it and brings it up
/// to date. While the process runs there is a log beside it, named like it with `-wal`.
///
/// The file belongs to one process, which holds a lock on it; another one is refused. Where several
/// processes share sessions, or there is a database anyway, take [`SqlSessions`].
///
/// # Security
///
/// Keys are digests of the tokens: who reads the file cannot take over a session. It does hold what
/// the application puts into sessions, addresses, and user agents.
///
/// When the machine loses power, the changes of the last moments may be lost, a logout included;
/// see [`sqlite_options`](crate::sql::sqlite_options).
///
/// # Examples
///
/// ```
/// # async fn start() -> Result<(), auth_core::error::Error> {
/// use auth_core::store::FileSessions;
///
/// let sessions = FileSessions::open("sessions.db").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct FileSessions(SqlSessions);

impl FileSessions {
    /// Opens the file, or makes it, and locks it.
    ///
    /// # Errors
    ///
    /// - another process has it open: [`Error::Misconfigured`]
    /// - it cannot be opened or made, or is no such file: [`Error::Store`]
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .locking_mode(SqliteLockingMode::Exclusive)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY_TIMEOUT);
        // One connection, which stays: it is the one that holds the lock.
        let pool = SqlitePoolOptions::new()
            .min_connections(1)
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .acquire_timeout(2 * BUSY_TIMEOUT);
        let fault = |error: sqlx::Error| {
            if is_busy(&error) {
                return Error::Misconfigured(format!(
                    "{} is open in another process, and `FileSessions` is for one: use \
                     `SqlSessions`",
                    path.display()
                ));
            }
            Error::session_store(error)
        };
        let pool = pool.connect_with(options).await.map_err(fault)?;
        // The lock is taken by the first write.
        sqlx::query("PRAGMA user_version = 1").execute(&pool).await.map_err(fault)?;
        let sessions = SqlSessions::new(pool);
        sessions.migrate().await?;
        Ok(Self(sessions))
    }

    /// Adds a column of the application's own, as [`SqlSessions::column`] does, and makes it where
    /// the file does not have it yet.
    ///
    /// # Errors
    ///
    /// - the name cannot be that of a column: [`Error::Misconfigured`]
    /// - the file does not take it: [`Error::Store`]
    pub async fn column(self, name: &'static str, kind: ColumnType) -> Result<Self, Error> {
        let sessions = self.0.column(name, kind)?;
        sessions.migrate().await?;
        Ok(Self(sessions))
    }
}

#[async_trait]
impl SessionStore for FileSessions {
    async fn create(
        &self,
        key: &SessionKey,
        record: Arc<SessionRecord>,
        limit: Option<SessionLimit>,
    ) -> Result<Create, Error> {
        self.0.create(key, record, limit).await
    }

    fn columns(&self) -> Option<&[SessionColumn]> {
        SessionStore::columns(&self.0)
    }

    async fn load(
        &self,
        key: &SessionKey,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<SessionRecord>>, Error> {
        self.0.load(key, now).await
    }

    async fn update(
        &self,
        key: &SessionKey,
        record: Arc<SessionRecord>,
        now: DateTime<Utc>,
    ) -> Result<Update, Error> {
        self.0.update(key, record, now).await
    }

    async fn touch(&self, key: &SessionKey, now: DateTime<Utc>) -> Result<bool, Error> {
        self.0.touch(key, now).await
    }

    async fn delete(&self, key: &SessionKey, now: DateTime<Utc>) -> Result<bool, Error> {
        self.0.delete(key, now).await
    }

    async fn list_by_user(
        &self,
        user: &UserKey,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error> {
        self.0.list_by_user(user, now).await
    }

    async fn keys_by_user(&self, user: &UserKey) -> Result<Vec<(SessionKey, Uuid)>, Error> {
        self.0.keys_by_user(user).await
    }

    async fn list(
        &self,
        skip: u32,
        take: u32,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error> {
        self.0.list(skip, take, now).await
    }

    async fn delete_by_handle(
        &self,
        user: &UserKey,
        handle: Uuid,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        self.0.delete_by_handle(user, handle, now).await
    }

    async fn delete_by_user(
        &self,
        user: &UserKey,
        except: Option<&SessionKey>,
        now: DateTime<Utc>,
    ) -> Result<u64, Error> {
        self.0.delete_by_user(user, except, now).await
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        self.0.purge_expired(now).await
    }
}
