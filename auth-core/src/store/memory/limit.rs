//! A limit on how many sessions a user has.

use std::sync::Arc;

use super::{MemorySessions, shard::Slot};
use crate::{
    error::Error,
    secret::SessionKey,
    session::record::SessionRecord,
    store::{Create, SessionLimit, WhenFull},
    user::UserKey,
};

impl MemorySessions {
    /// Stores a session of this user within a limit.
    pub(super) fn insert_within(
        &self,
        limit: &SessionLimit,
        user: &UserKey,
        key: &SessionKey,
        record: Arc<SessionRecord>,
    ) -> Result<Create, Error> {
        let _turn = self.users.turn(user);
        let beyond = self.beyond(limit, user);
        if limit.full == WhenFull::Refuse && !beyond.is_empty() {
            return Ok(Create::LimitReached);
        }
        let created = self.insert(key, record)?;
        if created == Create::Done {
            for key in &beyond {
                let mut sessions = self.shard(key).write();
                if sessions.map.get(key).and_then(Slot::user) == Some(user) {
                    self.remove(&mut sessions, key);
                }
            }
        }
        Ok(created)
    }

    /// The sessions of a user that would be too many if he got one more: all but the newest.
    fn beyond(&self, limit: &SessionLimit, user: &UserKey) -> Vec<SessionKey> {
        let keys = self.users.keys(user).into_iter().filter(|key| Some(*key) != limit.except);
        let mut live: Vec<_> = keys
            .filter_map(|key| Some((self.find(&key, limit.now)?, key)))
            .filter(|(record, _)| record.login.as_ref().is_some_and(|login| login.user == *user))
            .map(|(record, key)| (record.created_at, record.handle, key))
            .collect();
        live.sort_by_key(|(created_at, handle, _)| (*created_at, *handle));
        let kept = limit.max.saturating_sub(1) as usize;
        live.truncate(live.len().saturating_sub(kept));
        live.into_iter().map(|(_, _, key)| key).collect()
    }
}
