//! Sessions that have ended, kept for audits: [`EndedSession`].

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::{
    SqlSessions,
    columns::{millis, time},
    own_columns,
};
use crate::{
    error::{BoxError, Error},
    session::record::SessionColumns,
    sql::{
        on_engine,
        value::{Address, TextColumn, Time},
    },
    user::UserKey,
};

/// What `idle_expires_at` is in a row whose session has ended: no clock takes it for alive, and no
/// statement that looks for expired ones finds it again.
pub(super) const ENDED: Time = Time(0);

/// Binds what a statement that ends sessions writes into their rows, where those are kept.
macro_rules! ending {
    ($sessions:expr, $sql:expr, $now:expr) => {{
        let mut query = sqlx::query($sql.clone());
        if $sessions.keep.is_some() {
            query = query.bind($now).bind($crate::store::sql::ended::ENDED);
        }
        query
    }};
}
pub(super) use ending;

/// A session that has ended, as it is kept for audits.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EndedSession {
    /// The name that it had in lists.
    pub handle: Uuid,
    /// Who was logged in.
    pub user: UserKey,
    /// When he had logged in.
    pub login_at: Option<DateTime<Utc>>,
    /// When the session began.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_active_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// By what it ended.
    pub ended_by: EndedBy,
    /// The client's address when it began.
    pub ip: Option<IpAddr>,
    /// The client's `User-Agent` when it began.
    pub user_agent: Option<String>,
    /// The application's own columns.
    pub columns: SessionColumns,
}

/// By what a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndedBy {
    /// By a request of the session itself: a logout, a new login in its place, a new key.
    Key,
    /// By its name: it was picked from a list.
    Handle,
    /// With other sessions of the user: "log out everywhere", a new password.
    User,
    /// By a login beyond [`AuthConfig::session_limit`](crate::config::AuthConfig::session_limit).
    Limit,
    /// By itself. Noted when expired sessions are purged.
    Expiry,
}

impl EndedBy {
    /// As the table has it.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Handle => "handle",
            Self::User => "user",
            Self::Limit => "limit",
            Self::Expiry => "expiry",
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        let all = [Self::Key, Self::Handle, Self::User, Self::Limit, Self::Expiry];
        all.into_iter().find(|by| by.text() == text)
    }
}

/// An ended session as it is selected, before the application's own columns.
type Row =
    (Uuid, TextColumn, Option<Time>, Time, Time, Option<Address>, Option<String>, Time, TextColumn);

/// How many columns a [`Row`] has.
const ROW: usize = 9;

impl SqlSessions {
    /// Keeps the rows of sessions that have ended for so long, for audits: who was logged in, from
    /// when to when, from where, by what it ended. Default: they are deleted.
    ///
    /// No query of the framework finds them any more. [`ended`](Self::ended) lists them, and
    /// [`purge_expired`](crate::store::SessionStore::purge_expired) deletes them when their time is
    /// over; it also notes the end of sessions that have expired. Anonymous sessions that expire are
    /// deleted.
    ///
    /// # Security
    ///
    /// Session data and the security stamp are dropped when a session ends. What stays identifies
    /// persons; how long it may be kept, the law says.
    ///
    /// # Examples
    ///
    /// ```
    /// # async fn start() -> Result<(), auth_core::error::Error> {
    /// use auth_core::{sql::SqlPool, store::SqlSessions};
    /// use chrono::TimeDelta;
    ///
    /// let pool = SqlPool::connect("sqlite::memory:").await?;
    /// let sessions = SqlSessions::new(pool).keep_ended(TimeDelta::days(90));
    /// sessions.migrate().await?;
    /// # Ok(())
    /// # }
    /// # #[cfg(feature = "sqlite")]
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(start()).unwrap();
    /// ```
    #[must_use]
    pub fn keep_ended(mut self, time: TimeDelta) -> Self {
        self.keep = Some(time.max(TimeDelta::zero()));
        self.prepared()
    }

    /// The sessions of a user that have ended and are kept, the latest end first: `take` of them at
    /// most, without the first `skip`.
    ///
    /// # Errors
    ///
    /// - the database cannot answer, or a row cannot be read: [`Error::Store`]
    pub async fn ended(
        &self,
        user: &UserKey,
        skip: u32,
        take: u32,
    ) -> Result<Vec<EndedSession>, Error> {
        let sql = &self.sql.ended;
        let rows = on_engine!(&self.pool, connection => {
            let rows = sqlx::query(sql.clone())
                .bind(user.as_str())
                .bind(i64::from(take))
                .bind(i64::from(skip))
                .fetch_all(connection)
                .await?;
            let read = |row| Ok((Row::from_row(row)?, own_columns::read(row, ROW, &self.columns)?));
            rows.iter().map(read).collect::<Result<Vec<_>, sqlx::Error>>()
        });
        let rows = rows.map_err(Error::session_store)?.into_iter();
        rows.map(|(row, columns)| ended(row, columns).map_err(Error::session_store)).collect()
    }

    /// Deletes the rows of ended sessions whose time is over.
    pub(super) async fn purge_ended(&self, now: DateTime<Utc>) -> Result<(), Error> {
        let oldest = now.checked_sub_signed(self.keep.unwrap_or_default());
        let Some(oldest) = oldest.map(millis) else { return Ok(()) };
        let sql = &self.sql.purge_ended;
        let purged = self.in_parts(|| async {
            on_engine!(&self.pool, connection => sqlx::query(sql.clone())
                .bind(oldest)
                .execute(connection)
                .await
                .map(|done| done.rows_affected()))
        });
        purged.await.map(drop)
    }
}

fn ended(row: Row, columns: SessionColumns) -> Result<EndedSession, BoxError> {
    let (handle, user, login_at, created_at, last_active_at, ip, user_agent, ended_at, by) = row;
    Ok(EndedSession {
        handle,
        user: UserKey::from(user.0),
        login_at: login_at.map(time).transpose()?,
        created_at: time(created_at)?,
        last_active_at: time(last_active_at)?,
        ended_at: time(ended_at)?,
        ended_by: EndedBy::from_text(&by.0).ok_or("nobody knows by what it ended")?,
        ip: ip.map(|ip| ip.0),
        user_agent,
        columns,
    })
}
