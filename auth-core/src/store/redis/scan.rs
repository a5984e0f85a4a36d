//! Walking through all sessions: listing them, and removing what has expired.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use futures_util::future::try_join_all;
use redis::{
    Cmd,
    cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo},
};

use super::{
    Keys, RedisSessions, address, call::Effect, index::Index, record::record, script::PURGE_SESSION,
};
use crate::{error::Error, session::record::SessionRecord, user::UserKey};

/// How many keys a step looks at.
const STEP: usize = 500;

/// Where a walk is: at which node, and how far there. `None` is the one server.
type Place = (Option<RoutingInfo>, String);

impl RedisSessions {
    /// Sorts all sessions for it.
    pub(super) async fn list_all(
        &self,
        skip: u32,
        take: u32,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<SessionRecord>>, Error> {
        let mut sessions = Vec::new();
        for (node, _) in self.nodes().await? {
            let mut place = (node, "0".to_owned());
            while let Some(keys) = self.step(&mut place, "s:").await? {
                // No keys are no command.
                if keys.is_empty() {
                    continue;
                }
                let keys = keys.iter().map(|member| self.keys.session_of(member));
                let values = self.redis.call().values(keys).await?;
                for value in values.into_iter().flatten() {
                    sessions.push(record(&value)?);
                }
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
        let millis = now.timestamp_millis().to_string();
        let mut purged = 0;
        for (node, _) in self.nodes().await? {
            let mut place = (node, "0".to_owned());
            while let Some(keys) = self.step(&mut place, "s:").await? {
                let call = &self.redis.call();
                let purges = keys.iter().map(async |member| {
                    let key = self.keys.session_of(member);
                    // A second time finds nothing, and counts less than there was.
                    let arguments = [millis.as_bytes()];
                    PURGE_SESSION.run::<u64>(call, &key, &arguments, Effect::Repeatable).await
                });
                purged += try_join_all(purges).await?.iter().sum::<u64>();
            }
        }
        for (node, _) in self.nodes().await? {
            let mut place = (node, "0".to_owned());
            while let Some(keys) = self.step(&mut place, "u:").await? {
                for user in keys.iter().filter_map(|name| user(name)) {
                    Index::of(&self.keys, &self.redis.call(), &user).sweep(now).await?;
                }
            }
        }
        Ok(purged)
    }

    /// Where walks begin: at each primary of a cluster, or at the server.
    async fn nodes(&self) -> Result<Vec<Place>, Error> {
        let call = self.redis.call();
        if !call.is_cluster() {
            return Ok(vec![(None, "0".to_owned())]);
        }
        let all = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
        let answers: Vec<(String, redis::Value)> =
            call.ask_node(&redis::cmd("PING"), Some(all)).await?;
        let place = |(node, _): (String, _)| {
            let route = address::route(&node).map_err(Error::session_store)?;
            Ok((Some(RoutingInfo::SingleNode(route)), "0".to_owned()))
        };
        answers.into_iter().map(place).collect()
    }

    /// The next names of one kind, without what stands before them; `None` at the end.
    async fn step(&self, place: &mut Place, kind: &str) -> Result<Option<Vec<String>>, Error> {
        let (node, cursor) = place;
        if cursor.is_empty() {
            return Ok(None);
        }
        let before = self.keys.of(kind, "");
        let mut command: Cmd = redis::cmd("SCAN");
        command.arg(&*cursor).arg("MATCH").arg(format!("{before}*")).arg("COUNT").arg(STEP);
        let (next, keys): (String, Vec<Vec<u8>>) =
            self.redis.call().ask_node(&command, node.clone()).await?;
        // The walk ends where it began.
        *cursor = if next == "0" { String::new() } else { next };
        let name = |key: Vec<u8>| -> Option<String> {
            Some(String::from_utf8(key).ok()?.strip_prefix(&before)?.to_owned())
        };
        Ok(Some(keys.into_iter().filter_map(name).filter(|name| is_ours(kind, name)).collect()))
    }
}

/// Whether a name is one of this kind, and not of a store whose prefix begins with ours.
fn is_ours(kind: &str, name: &str) -> bool {
    match kind {
        "s:" => Keys::key_of(name).is_some(),
        _ => user(name).is_some(),
    }
}

fn user(name: &str) -> Option<UserKey> {
    let user = URL_SAFE_NO_PAD.decode(name.strip_prefix('=')?).ok()?;
    Some(UserKey::from(String::from_utf8(user).ok()?))
}
