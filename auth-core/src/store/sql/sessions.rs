//! What the store does: [`SessionStore`] for [`SqlSessions`].

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    SqlSessions,
    columns::{Columns, found, millis, record},
    ended::{ENDED, ending},
    own_columns::{bind_own, bound},
};
use crate::{
    error::Error,
    secret::SessionKey,
    session::record::{SessionColumn, SessionRecord},
    sql::on_engine,
    store::{Create, SessionLimit, SessionStore, Update},
    user::UserKey,
};

/// Ends those of a user's sessions that a statement finds by one more value, and says how many.
macro_rules! end {
    ($self:expr, $sql:expr, $user:expr, $value:expr, $now:expr) => {
        on_engine!(&$self.pool, connection => ending!($self, $sql, $now)
            .bind($user.as_str())
            .bind($value)
            .bind($now)
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
        .map_err(Error::session_store)
    };
}

#[async_trait]
impl SessionStore for SqlSessions {
    async fn create(
        &self,
        key: &SessionKey,
        record: Arc<SessionRecord>,
        limit: Option<SessionLimit>,
    ) -> Result<Create, Error> {
        match (limit, &record.login) {
            (Some(limit), Some(login)) => {
                self.insert_within(&limit, &login.user, key, &record).await
            }
            _ => self.insert(key, &record).await,
        }
    }

    fn columns(&self) -> Option<&[SessionColumn]> {
        Some(&self.columns)
    }

    async fn load(
        &self,
        key: &SessionKey,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<SessionRecord>>, Error> {
        let sql = &self.sql.load;
        let row = on_engine!(&self.pool, connection => {
            let row = sqlx::query(sql.clone())
                .bind(&key.as_bytes()[..])
                .bind(millis(now))
                .fetch_optional(connection)
                .await?;
            row.map(|row| found(&row, &self.columns)).transpose()
        });
        row.map_err(Error::session_store)?.map(record).transpose()
    }

    async fn update(
        &self,
        key: &SessionKey,
        record: Arc<SessionRecord>,
        now: DateTime<Utc>,
    ) -> Result<Update, Error> {
        let sql = &self.sql.update;
        let row = Columns::of(&record)?;
        let own = bound(&self.columns, &record.columns)?;
        let now = millis(now);
        let rows = on_engine!(&self.pool, connection => {
            let query = sqlx::query(sql.clone())
                .bind(row.handle)
                .bind(row.user_key)
                .bind(row.stamp)
                .bind(row.login_at)
                .bind(row.data.as_str())
                .bind(row.created_at)
                .bind(row.last_active_at)
                .bind(row.idle_timeout)
                .bind(row.last_active_at)
                .bind(row.idle_timeout)
                .bind(row.expires_at)
                .bind(row.expires_at)
                .bind(row.persistent)
                .bind(row.ip)
                .bind(row.user_agent)
                .bind(row.version);
            bind_own!(query, &own)
                .bind(&key.as_bytes()[..])
                .bind(row.version - 1)
                .bind(now)
                .execute(connection)
                .await
                .map(|done| done.rows_affected())
        })
        .map_err(Error::session_store)?;
        if rows == 1 {
            return Ok(Update::Done);
        }
        let sql = &self.sql.version;
        let version: Option<i64> =
            on_engine!(&self.pool, connection => sqlx::query_scalar(sql.clone())
            .bind(&key.as_bytes()[..])
            .bind(now)
            .fetch_optional(connection)
            .await)
            .map_err(Error::session_store)?;
        Ok(if version.is_some() { Update::Conflict } else { Update::Gone })
    }

    async fn touch(&self, key: &SessionKey, now: DateTime<Utc>) -> Result<bool, Error> {
        let sql = &self.sql.touch;
        let now = millis(now);
        let rows = on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(now)
            .bind(now)
            .bind(&key.as_bytes()[..])
            .bind(now)
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
        .map_err(Error::session_store)?;
        Ok(rows == 1)
    }

    async fn delete(&self, key: &SessionKey, now: DateTime<Utc>) -> Result<bool, Error> {
        let (sql, now) = (&self.sql.delete, millis(now));
        // What is alive, or else what is dead by our clock and perhaps alive by that of another
        // process.
        for since in [now, ENDED] {
            let rows = on_engine!(&self.pool, connection => ending!(self, sql, now)
                .bind(&key.as_bytes()[..])
                .bind(since)
                .execute(connection)
                .await
                .map(|done| done.rows_affected()))
            .map_err(Error::session_store)?;
            if rows == 1 {
                return Ok(since.0 == now.0);
            }
        }
        Ok(false)
    }

    async fn list_by_user(
        &self,
        user: &UserKey,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error> {
        let sql = &self.sql.list_by_user;
        let rows = on_engine!(&self.pool, connection => {
            let rows = sqlx::query(sql.clone())
                .bind(user.as_str())
                .bind(millis(now))
                .fetch_all(connection)
                .await?;
            rows.iter().map(|row| found(row, &self.columns)).collect::<Result<Vec<_>, _>>()
        });
        rows.map_err(Error::session_store)?.into_iter().map(record).collect()
    }

    async fn keys_by_user(&self, user: &UserKey) -> Result<Vec<(SessionKey, Uuid)>, Error> {
        let sql = &self.sql.keys_by_user;
        let rows: Vec<(Vec<u8>, Uuid)> = on_engine!(&self.pool, connection => {
            sqlx::query_as(sql.clone()).bind(user.as_str()).fetch_all(connection).await
        })
        .map_err(Error::session_store)?;
        let key = |(key, handle): (Vec<u8>, Uuid)| {
            let key = key.try_into().map_err(|_| "the key of a session is not 32 bytes long");
            Ok((SessionKey::from_bytes(key.map_err(Error::session_store)?), handle))
        };
        rows.into_iter().map(key).collect()
    }

    async fn list(
        &self,
        skip: u32,
        take: u32,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error> {
        let sql = &self.sql.list;
        let rows = on_engine!(&self.pool, connection => {
            let rows = sqlx::query(sql.clone())
                .bind(millis(now))
                .bind(i64::from(take))
                .bind(i64::from(skip))
                .fetch_all(connection)
                .await?;
            rows.iter().map(|row| found(row, &self.columns)).collect::<Result<Vec<_>, _>>()
        });
        rows.map_err(Error::session_store)?.into_iter().map(record).collect()
    }

    async fn delete_by_handle(
        &self,
        user: &UserKey,
        handle: Uuid,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        let now = millis(now);
        // As in `delete_by_user`.
        end!(self, self.sql.delete_dead_by_handle, user, handle, now)?;
        Ok(end!(self, self.sql.delete_live_by_handle, user, handle, now)? > 0)
    }

    async fn delete_by_user(
        &self,
        user: &UserKey,
        except: Option<&SessionKey>,
        now: DateTime<Utc>,
    ) -> Result<u64, Error> {
        // No key is empty, so the empty one spares nothing.
        let except = except.map_or(&[][..], |key| key.as_bytes());
        let now = millis(now);
        // The dead ones first, because another process's clock may be behind and a touch there can
        // make a dead one live but never a live one dead. They are not counted.
        end!(self, self.sql.delete_dead_by_user, user, except, now)?;
        end!(self, self.sql.delete_live_by_user, user, except, now)
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        self.purge_ended(now).await?;
        let now = millis(now);
        let sql = &self.sql.purge;
        let mut purged = self
            .in_parts(|| async {
                on_engine!(&self.pool, connection => sqlx::query(sql.clone())
                    .bind(ENDED)
                    .bind(now)
                    .execute(connection)
                    .await
                    .map(|done| done.rows_affected()))
            })
            .await?;
        if self.keep.is_some() {
            let sql = &self.sql.note_expiry;
            purged += self
                .in_parts(|| async {
                    on_engine!(&self.pool, connection => sqlx::query(sql.clone())
                        .bind(ENDED)
                        .bind(ENDED)
                        .bind(now)
                        .execute(connection)
                        .await
                        .map(|done| done.rows_affected()))
                })
                .await?;
        }
        Ok(purged)
    }
}
