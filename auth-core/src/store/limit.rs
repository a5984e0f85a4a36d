//! How many sessions a user may have at once: [`SessionLimit`].

use chrono::{DateTime, Utc};

use crate::secret::SessionKey;

/// A limit that a new session must keep: how many live sessions its user may have, this one
/// included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimit {
    /// How many there may be, at least one.
    pub max: u32,
    /// What happens where there are as many already.
    pub full: WhenFull,
    /// A session that does not count: the one that the new one replaces.
    pub except: Option<SessionKey>,
    /// The time by which sessions are alive.
    pub now: DateTime<Utc>,
}

/// What happens to a login of a user who has as many sessions as he may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// The sessions that began first end, as many as it takes.
    EndOldest,
    /// The login is refused.
    Refuse,
}

/// What became of a [`create`](super::SessionStore::create).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Create {
    /// The session is stored.
    Done,
    /// The key is taken; nothing was stored, and nothing ended.
    Taken,
    /// The user has as many sessions as he may; nothing was stored.
    LimitReached,
}
