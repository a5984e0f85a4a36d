//! Walking through all keys of a kind: listing sessions, and removing what has expired.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use futures_util::future::try_join_all;
use redis::{
    Cmd,
    cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo},
};

use super::{
    Keys, Redis, RedisSessions, address,
    call::Effect,
    index::Index,
    record::record,
    script::{PURGE_SESSION, Script},
};
use crate::{error::Error, session::record::SessionRecord, user::UserKey};

/// How many keys a step looks at.
const STEP: usize = 500;

/// A walk through all names of one kind, a step at a time: `s:` for sessions, `u:` for indexes, and
/// what else is a digest.
pub(super) struct Walk<'a> {
    redis: &'a Redis,
    keys: &'a Keys,
    kind: &'static str,
    /// The nodes that are left, `None` for the one server, and how far the walk is there.
    places: Vec<(Option<RoutingInfo>, String)>,
}

impl<'a> Walk<'a> {
    /// Begins at each primary of a cluster, or at the server.
    pub(super) async fn begin(
        redis: &'a Redis,
        keys: &'a Keys,
        kind: &'static str,
    ) -> Result<Self, Error> {
        let call = redis.call();
        let start = || "0".to_owned();
        let places = if call.is_cluster() {
            let all = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
            let answers: Vec<(String, redis::Value)> =
                call.ask_node(&redis::cmd("PING"), Some(all)).await?;
            let place = |(node, _): (String, _)| {
                let route = address::route(&node).map_err(Error::session_store)?;
                Ok((Some(RoutingInfo::SingleNode(route)), start()))
            };
            answers.into_iter().map(place).collect::<Result<_, Error>>()?
        } else {
            vec![(None, start())]
        };
        Ok(Self { redis, keys, kind, places })
    }

    /// The next names, without what stands before them; perhaps none. `None` at the end.
    pub(super) async fn step(&mut self) -> Result<Option<Vec<String>>, Error> {
        let Some((node, cursor)) = self.places.last_mut() else { return Ok(None) };
        let before = self.keys.of(self.kind, "");
        let mut command: Cmd = redis::cmd("SCAN");
        command.arg(&*cursor).arg("MATCH").arg(format!("{before}*")).arg("COUNT").arg(STEP);
        let (next, keys): (String, Vec<Vec<u8>>) =
            self.redis.call().ask_node(&command, node.clone()).await?;
        // The walk ends where it began.
        if next == "0" {
            self.places.pop();
        } else {
            *cursor = next;
        }
        let name = |key: Vec<u8>| -> Option<String> {
            Some(String::from_utf8(key).ok()?.strip_prefix(&before)?.to_owned())
        };
        let ours = |name: &String| is_ours(self.kind, name);
        Ok(Some(keys.into_iter().filter_map(name).filter(ours).collect()))
    }
}

/// Whether a name is one of this kind, and not of a store whose prefix begins with ours.
fn is_ours(kind: &str, name: &str) -> bool {
    match kind {
        "u:" => user(name).is_some(),
        _ => Keys::key_of(name).is_some(),
    }
}

fn user(name: &str) -> Option<UserKey> {
    let user = URL_SAFE_NO_PAD.decode(name.strip_prefix('=')?).ok()?;
    Some(UserKey::from(String::from_utf8(user).ok()?))
}

impl RedisSessions {
    /// Sorts all sessions for it.
    pub(super) async fn list_all(
        &self,
        skip: u32,
        take: u32,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error> {
        let mut sessions = Vec::new();
        let mut walk = Walk::begin(&self.redis, &self.keys, "s:").await?;
        while let Some(names) = walk.step().await? {
            // No keys are no command.
            if names.is_empty() {
                continue;
            }
            let keys = names.iter().map(|member| self.keys.session_of(member));
            let values = self.redis.call().values(keys).await?;
            for value in values.into_iter().flatten() {
                sessions.push(record(&value)?);
            }
        }
        sessions.retain(|session| session.login.is_some() && session.is_live(now));
        sessions.sort_by_key(|session| (session.created_at, session.handle));
        // A walk may meet a key twice.
        sessions.dedup_by_key(|session| (session.created_at, session.handle, session.version));
        Ok(sessions.into_iter().skip(skip as usize).take(take as usize).collect())
    }

    /// Removes what has expired, also from the indexes.
    pub(super) async fn purge_all(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        let purged = purge(&self.redis, &self.keys, "s:", &PURGE_SESSION, now).await?;
        let mut walk = Walk::begin(&self.redis, &self.keys, "u:").await?;
        while let Some(names) = walk.step().await? {
            for user in names.iter().filter_map(|name| user(name)) {
                Index::of(&self.keys, &self.redis.call(), &user).sweep(now).await?;
            }
        }
        Ok(purged)
    }
}

/// Runs a script on every key of a kind that removes it if it has ended, and says how many that were.
pub(super) async fn purge(
    redis: &Redis,
    keys: &Keys,
    kind: &'static str,
    script: &Script,
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    let millis = now.timestamp_millis().to_string();
    let mut purged = 0;
    let mut walk = Walk::begin(redis, keys, kind).await?;
    while let Some(names) = walk.step().await? {
        let call = &redis.call();
        let purges = names.iter().map(async |name| {
            // A second time finds nothing, and counts less than there was.
            let (key, arguments) = (keys.of(kind, name), [millis.as_bytes()]);
            script.run::<u64>(call, &key, &arguments, Effect::Repeatable).await
        });
        purged += try_join_all(purges).await?.iter().sum::<u64>();
    }
    Ok(purged)
}
