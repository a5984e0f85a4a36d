//! Inserting sessions, within a limit or without.

use sqlx::{AssertSqlSafe, Connection};

use super::{
    SqlSessions,
    columns::{Columns, millis},
    ended::{ENDED, ending},
    own_columns::{bind_own, bound},
};
use crate::{
    error::Error,
    secret::{SessionKey, sha256},
    session::record::SessionRecord,
    sql::{dialect::Dialect, on_engine},
    store::{Create, SessionLimit, WhenFull},
    user::UserKey,
};

/// Among how many rows users are divided where rows are locked. Two users on one row merely wait for
/// each other.
pub(super) const LOCK_ROWS: i64 = 64;

/// Executes the INSERT of a record.
macro_rules! insert {
    ($sql:expr, $key:expr, $row:expr, $own:expr, $connection:expr) => {{
        let row = $row;
        let query = sqlx::query($sql.clone())
            .bind(&$key.as_bytes()[..])
            .bind(row.handle)
            .bind(row.user_key)
            .bind(row.stamp)
            .bind(row.login_at)
            .bind(row.data.as_str())
            .bind(row.created_at)
            .bind(row.last_active_at)
            .bind(row.idle_timeout)
            .bind(row.idle_expires_at)
            .bind(row.expires_at)
            .bind(row.persistent)
            .bind(row.ip)
            .bind(row.user_agent)
            .bind(row.version);
        let done = bind_own!(query, $own).execute($connection).await;
        match done {
            Ok(_) => Ok(Create::Done),
            // The key is the only unique column.
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(Create::Taken),
            Err(error) => Err(error),
        }
    }};
}

impl SqlSessions {
    /// Stores a session, unless its key is taken.
    pub(super) async fn insert(
        &self,
        key: &SessionKey,
        record: &SessionRecord,
    ) -> Result<Create, Error> {
        let (row, own) = (&Columns::of(record)?, &bound(&self.columns, &record.columns)?);
        on_engine!(&self.pool, connection => insert!(self.sql.create, key, row, own, connection))
            .map_err(Error::session_store)
    }

    /// Stores a session of this user within a limit.
    ///
    /// The transaction begins with a lock that everybody takes who adds to this user's sessions
    /// within a limit; who only ends or touches one does not wait.
    pub(super) async fn insert_within(
        &self,
        limit: &SessionLimit,
        user: &UserKey,
        key: &SessionKey,
        record: &SessionRecord,
    ) -> Result<Create, Error> {
        let (row, own) = (&Columns::of(record)?, &bound(&self.columns, &record.columns)?);
        // No key is empty, so the empty one excepts nothing.
        let except = limit.except.as_ref().map_or(&[][..], |key| key.as_bytes());
        let now = millis(limit.now);
        let kept = i64::from(limit.max.saturating_sub(1));
        let lock = self.lock_of(user);
        let begin = Dialect::of(&self.pool).begin_with_lock(lock);
        let created = on_engine!(&self.pool, connection => {
            let begin = AssertSqlSafe(begin.as_str());
            let mut work = connection.begin_with(begin).await?;
            if let Some(row) = &self.sql.lock_row {
                let slot = lock.rem_euclid(LOCK_ROWS);
                sqlx::query(row.clone()).bind(slot).fetch_one(&mut *work).await?;
            }
            let beyond: Vec<Vec<u8>> = sqlx::query_scalar(self.sql.beyond.clone())
                .bind(user.as_str())
                .bind(except)
                .bind(now)
                .bind(kept)
                .fetch_all(&mut *work)
                .await?;
            // Without a commit, all is undone.
            if limit.full == WhenFull::Refuse && !beyond.is_empty() {
                return Ok(Create::LimitReached);
            }
            if insert!(self.sql.create, key, row, own, &mut *work)? == Create::Taken {
                return Ok(Create::Taken);
            }
            for ended in beyond {
                ending!(self, self.sql.delete_for_limit, now)
                    .bind(ended)
                    .bind(ENDED)
                    .execute(&mut *work)
                    .await?;
            }
            work.commit().await.map(|()| Create::Done)
        });
        created.map_err(Error::session_store)
    }

    /// A number for a user of this table. Two that share one merely wait for each other.
    fn lock_of(&self, user: &UserKey) -> i64 {
        let digest = sha256(format!("{}\0{}", self.table, user.as_str()).as_bytes());
        let [a, b, c, d, e, f, g, h, ..] = digest;
        i64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}
