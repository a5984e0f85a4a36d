//! Sessions in Redis: [`RedisSessions`].

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::future::try_join_all;
use uuid::Uuid;

use self::{
    call::{Call, Effect},
    index::{Entered, Entry, Index},
    keys::GRACE,
    record::user_name,
    script::{END_SESSION, TOUCH_SESSION, UPDATE_SESSION},
};
use super::{Create, SessionLimit, SessionStore, Update};
use crate::{error::Error, secret::SessionKey, session::record::SessionRecord, user::UserKey};

mod address;
pub(super) mod call;
mod deny;
mod index;
mod keys;
mod link;
mod nonces;
mod record;
mod scan;
pub(super) mod script;
mod server;
mod until;

pub(super) use self::keys::Keys;
pub(super) use self::record::{Parts, record};
pub use self::{deny::RedisDenyList, nonces::RedisNonces, server::Redis};

/// How many sessions are ended at once.
const AT_ONCE: usize = 100;

/// Keeps sessions in Redis or Valkey, on one server or a cluster, for any number of processes.
///
/// | call | commands |
/// |---|---|
/// | `load` | one `GET` |
/// | `update`, `touch`, `delete` | one script |
/// | `create` | one `SET`; where somebody is logged in, one script more for the user's index |
/// | `list_by_user` | two |
/// | `delete_by_user`, `delete_by_handle` | two, and one for each session |
///
/// A session is one key, `<prefix>s:<digest of the token>`; the sessions of a user are the fields of
/// one more, `<prefix>u:<user>`. Each step happens on one key, so a cluster needs no hash tags. The
/// steps come in an order in which a process may die at any moment: at worst a session is left of
/// which nobody was told, or an entry of an index that leads nowhere. Those are dropped when they
/// are seen, and the server removes everything a minute after its session has expired.
///
/// [`list`](SessionStore::list) and [`purge_expired`](SessionStore::purge_expired) walk through the
/// database with `SCAN`; the timeout is for each of its steps.
///
#[doc = include_str!("faults.md")]
///
/// # Security
///
/// Keys are digests of the tokens: who reads the database cannot take over a session. It does hold
/// what the application puts into sessions, addresses, and user agents.
///
/// What was acknowledged is as durable as the server is. With its usual settings the last second
/// may be lost when the machine dies, a logout included; `appendonly yes` and `appendfsync always`
/// keep it. A server that may evict (`maxmemory-policy` other than `noeviction`) logs users out, and
/// one that fails over to a replica may lose what the replica had not heard of: a logout may come
/// undone that way until the session expires. A new password never does, because the user's stamp is
/// looked at in each request.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), auth_core::error::Error> {
/// use auth_core::store::{Redis, RedisSessions};
///
/// let sessions = RedisSessions::new(Redis::open("redis://localhost")?).prefix("shop:")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisSessions {
    redis: Redis,
    keys: Keys,
}

impl RedisSessions {
    /// A store whose keys begin with `auth:`.
    #[must_use]
    pub fn new(redis: Redis) -> Self {
        Self { redis, keys: Keys::default() }
    }

    /// Chooses what the keys begin with.
    ///
    /// # Errors
    ///
    /// - it is not made of ASCII letters, digits and `_-.:`: [`Error::Misconfigured`]
    pub fn prefix(self, prefix: &str) -> Result<Self, Error> {
        Ok(Self { keys: Keys::new(prefix)?, ..self })
    }

    /// Ends a session if it is this user's (or anybody's) and says whether it was alive; `None` if
    /// there is none.
    async fn end(
        &self,
        call: &Call<'_>,
        key: &str,
        user: &str,
        handle: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<bool>, Error> {
        let now = now.timestamp_millis().to_string();
        let arguments = [now.as_bytes(), user.as_bytes(), handle.as_bytes()];
        let ended: i64 = END_SESSION.run(call, key, &arguments, Effect::Once).await?;
        Ok((ended >= 0).then_some(ended == 1))
    }

    /// Ends the sessions of some entries as far as they are the user's, and says how many lived.
    async fn end_entries(
        &self,
        call: &Call<'_>,
        user: &UserKey,
        handle: &str,
        entries: &[Entry],
        now: DateTime<Utc>,
    ) -> Result<u64, Error> {
        let name = user_name(user);
        let mut alive = 0;
        let mut dead: Vec<&Entry> = Vec::new();
        for some in entries.chunks(AT_ONCE) {
            let ends = some.iter().map(async |entry| {
                self.end(call, &self.keys.session_of(&entry.member), &name, handle, now).await
            });
            for (entry, ended) in some.iter().zip(try_join_all(ends).await?) {
                alive += u64::from(ended == Some(true));
                dead.extend(ended.map(|_| entry));
            }
        }
        if !dead.is_empty() {
            Index::of(&self.keys, call, user).drop(dead).await?;
        }
        Ok(alive)
    }
}

impl fmt::Debug for RedisSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSessions")
            .field("redis", &self.redis)
            .field("prefix", &self.keys)
            .finish()
    }
}

#[async_trait]
impl SessionStore for RedisSessions {
    async fn create(
        &self,
        key: &SessionKey,
        record: Arc<SessionRecord>,
        limit: Option<SessionLimit>,
    ) -> Result<Create, Error> {
        let call = &self.redis.call();
        let name = self.keys.session(key);
        let parts = Parts::of(&record)?;
        let kept_until = Keys::kept_until(parts.ends_at());
        let mut command = redis::cmd("SET");
        command.arg(&name).arg(parts.value()).arg("NX").arg("PXAT").arg(kept_until);
        if !call.ask::<bool>(&command, Effect::Once).await? {
            return Ok(Create::Taken);
        }
        let Some(login) = &record.login else { return Ok(Create::Done) };
        let now = limit.map_or(record.last_active_at, |limit| limit.now);
        let index = Index::of(&self.keys, call, &login.user);
        match index.enter(&Keys::member(key), &record, limit.as_ref()).await? {
            Entered::Done(victims) => {
                self.end_entries(call, &login.user, "", &victims, now).await?;
                Ok(Create::Done)
            }
            Entered::LimitReached => {
                self.end(call, &name, "", "", now).await?;
                Ok(Create::LimitReached)
            }
        }
    }

    async fn load(
        &self,
        key: &SessionKey,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<SessionRecord>>, Error> {
        let mut command = redis::cmd("GET");
        command.arg(self.keys.session(key));
        let value: Option<Vec<u8>> = self.redis.call().ask(&command, Effect::Repeatable).await?;
        let session = value.map(|value| record(&value)).transpose()?;
        Ok(session.filter(|session| session.is_live(now)))
    }

    async fn update(
        &self,
        key: &SessionKey,
        record: Arc<SessionRecord>,
        now: DateTime<Utc>,
    ) -> Result<Update, Error> {
        let call = &self.redis.call();
        let parts = Parts::of(&record)?;
        let Some(before) = record.version.checked_sub(1) else {
            // No version precedes it, so it replaces nothing; but is there anything?
            let there = self.load(key, now).await?;
            return Ok(there.map_or(Update::Gone, |_| Update::Conflict));
        };
        let mut indexed = "0";
        loop {
            let arguments = [
                now.timestamp_millis().to_string(),
                GRACE.to_string(),
                before.to_string(),
                indexed.to_owned(),
                parts.version.to_string(),
                parts.last_active_at.to_string(),
                parts.idle_timeout.to_string(),
                parts.expires_at.to_string(),
                parts.handle.to_string(),
                parts.user.clone(),
            ];
            let mut arguments: Vec<&[u8]> = arguments.iter().map(String::as_bytes).collect();
            arguments.push(&parts.rest);
            let name = self.keys.session(key);
            let done: String = UPDATE_SESSION.run(call, &name, &arguments, Effect::Once).await?;
            match (&*done, &record.login) {
                ("D", _) => return Ok(Update::Done),
                ("C", _) => return Ok(Update::Conflict),
                ("G", _) => return Ok(Update::Gone),
                ("I", Some(login)) if indexed == "0" => {
                    let index = Index::of(&self.keys, call, &login.user);
                    index.enter(&Keys::member(key), &record, None).await?;
                    indexed = "1";
                }
                _ => return Err(Error::session_store("a session answers strangely")),
            }
        }
    }

    async fn touch(&self, key: &SessionKey, now: DateTime<Utc>) -> Result<bool, Error> {
        let (now, grace) = (now.timestamp_millis().to_string(), GRACE.to_string());
        let arguments = [now.as_bytes(), grace.as_bytes()];
        let name = self.keys.session(key);
        TOUCH_SESSION.run(&self.redis.call(), &name, &arguments, Effect::Repeatable).await
    }

    async fn delete(&self, key: &SessionKey, now: DateTime<Utc>) -> Result<bool, Error> {
        let ended = self.end(&self.redis.call(), &self.keys.session(key), "", "", now).await?;
        Ok(ended == Some(true))
    }

    async fn list_by_user(
        &self,
        user: &UserKey,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error> {
        let call = self.redis.call();
        let index = Index::of(&self.keys, &call, user);
        let found = index.sessions(index.entries().await?, now).await?;
        let mut sessions: Vec<_> = found.live.into_iter().map(|(_, session)| session).collect();
        sessions.sort_by_key(|session| (session.created_at, session.handle));
        Ok(sessions)
    }

    async fn keys_by_user(&self, user: &UserKey) -> Result<Vec<(SessionKey, Uuid)>, Error> {
        let call = self.redis.call();
        let index = Index::of(&self.keys, &call, user);
        // No session is alive for ever, so all are among the expired.
        let found = index.sessions(index.entries().await?, DateTime::<Utc>::MAX_UTC).await?;
        let key = |(entry, session): (Entry, Arc<SessionRecord>)| {
            Some((Keys::key_of(&entry.member)?, session.handle))
        };
        Ok(found.live.into_iter().chain(found.expired).filter_map(key).collect())
    }

    async fn list(
        &self,
        skip: u32,
        take: u32,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error> {
        self.list_all(skip, take, now).await
    }

    async fn delete_by_handle(
        &self,
        user: &UserKey,
        handle: Uuid,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        let call = &self.redis.call();
        let entries = Index::of(&self.keys, call, user).entries().await?;
        let alive = self.end_entries(call, user, &handle.to_string(), &entries, now).await?;
        Ok(alive > 0)
    }

    async fn delete_by_user(
        &self,
        user: &UserKey,
        except: Option<&SessionKey>,
        now: DateTime<Utc>,
    ) -> Result<u64, Error> {
        let call = &self.redis.call();
        let except = except.map(Keys::member);
        let mut entries = Index::of(&self.keys, call, user).entries().await?;
        entries.retain(|entry| Some(&entry.member) != except.as_ref());
        self.end_entries(call, user, "", &entries, now).await
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        self.purge_all(now).await
    }
}
