//! Which sessions a user has: a hash per user, of their keys and of what they were when noted.
//!
//! A session and the index of its user are in different slots of a cluster, so that no script can
//! change both. What holds all the same, wherever a process dies:
//!
//! - a session in which somebody is logged in is in his index before anybody is told of it. A new
//!   session is stored first and noted then; one that changes hands or lives longer is noted first;
//! - an entry proves nothing. Whoever reads the index looks at each session as well, and drops
//!   entries of sessions that are gone: the index heals itself;
//! - an entry is not dropped while the change that it was made for may still come, which its
//!   version tells, nor if it is another entry by now.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};

use super::{
    Keys,
    call::{Call, Effect},
    record::{record, user_name},
    script::{ENTER_INDEX, HEAL_INDEX},
};
use crate::{
    error::Error,
    session::record::SessionRecord,
    store::{SessionLimit, WhenFull},
    user::UserKey,
};

/// How many sessions are asked for at once.
const AT_ONCE: usize = 200;

/// An entry of an index: the name of a session, and what was noted of it.
pub(super) struct Entry {
    pub(super) member: String,
    pub(super) noted: String,
}

/// What became of noting a session.
pub(super) enum Entered {
    /// It is noted; these have to end for it.
    Done(Vec<Entry>),
    /// The limit forbids it.
    LimitReached,
}

/// The sessions of a user, one by one.
#[derive(Default)]
pub(super) struct Sessions {
    /// The live ones.
    pub(super) live: Vec<(Entry, Arc<SessionRecord>)>,
    /// Those that have expired by this clock.
    pub(super) expired: Vec<(Entry, Arc<SessionRecord>)>,
    /// Those that are about to become the user's, perhaps.
    pub(super) pending: Vec<Entry>,
}

/// The index of one user, in one call.
pub(super) struct Index<'a> {
    keys: &'a Keys,
    call: &'a Call<'a>,
    user: &'a UserKey,
    key: String,
}

impl<'a> Index<'a> {
    pub(super) fn of(keys: &'a Keys, call: &'a Call<'a>, user: &'a UserKey) -> Self {
        Self { keys, call, user, key: keys.index(&user_name(user)) }
    }

    /// All that is noted.
    pub(super) async fn entries(&self) -> Result<Vec<Entry>, Error> {
        let mut command = redis::cmd("HGETALL");
        command.arg(&self.key);
        let all: HashMap<String, String> = self.call.ask(&command, Effect::Repeatable).await?;
        Ok(entries(all))
    }

    /// The sessions to which entries lead. Entries that lead nowhere are dropped.
    pub(super) async fn sessions(
        &self,
        entries: Vec<Entry>,
        now: DateTime<Utc>,
    ) -> Result<Sessions, Error> {
        let mut found = Sessions::default();
        let mut dead = Vec::new();
        let mut entries = entries.into_iter();
        loop {
            let some: Vec<Entry> = entries.by_ref().take(AT_ONCE).collect();
            if some.is_empty() {
                break;
            }
            let keys = some.iter().map(|entry| self.keys.session_of(&entry.member));
            let values = self.call.values(keys).await?;
            for (entry, value) in some.into_iter().zip(values) {
                let Some(value) = value else {
                    dead.push(entry);
                    continue;
                };
                let session = record(&value)?;
                let is_theirs =
                    session.login.as_ref().is_some_and(|login| login.user == *self.user);
                if is_theirs && session.is_live(now) {
                    found.live.push((entry, session));
                } else if is_theirs {
                    found.expired.push((entry, session));
                } else if session.version < entry.version() {
                    found.pending.push(entry);
                } else {
                    dead.push(entry);
                }
            }
        }
        if !dead.is_empty() {
            self.drop(&dead).await?;
        }
        Ok(found)
    }

    /// Drops entries, unless they are others by now.
    pub(super) async fn drop(&self, dead: impl IntoIterator<Item = &Entry>) -> Result<(), Error> {
        let mut arguments: Vec<&[u8]> = Vec::new();
        for entry in dead {
            arguments.extend([entry.member.as_bytes(), entry.noted.as_bytes()]);
        }
        let _length: u64 =
            HEAL_INDEX.run(self.call, &self.key, &arguments, Effect::Repeatable).await?;
        Ok(())
    }

    /// Notes a session, if the limit allows it.
    pub(super) async fn enter(
        &self,
        member: &str,
        session: &SessionRecord,
        limit: Option<&SessionLimit>,
    ) -> Result<Entered, Error> {
        let entry = Entry::new(member, session);
        let except = limit.and_then(|limit| limit.except.as_ref()).map(Keys::member);
        let mut ignored: Vec<Entry> = Vec::new();
        let mut decide = false;
        loop {
            let ends_at = Keys::kept_until(session.expires_at.timestamp_millis()).to_string();
            let full = match limit.map(|limit| limit.full) {
                None => "",
                Some(WhenFull::EndOldest) => "E",
                Some(WhenFull::Refuse) => "R",
            };
            let max = limit.map_or(0, |limit| limit.max).to_string();
            let decide_now = if decide { "1" } else { "0" };
            let mut arguments = vec![member, &entry.noted, &ends_at, full, &max, decide_now];
            arguments.extend(except.as_deref());
            arguments.extend(ignored.iter().map(|entry| &*entry.member));
            let arguments: Vec<&[u8]> = arguments.into_iter().map(str::as_bytes).collect();
            // A second time it finds its own entry, and decides as if it were not there.
            let (done, listed): (String, Vec<String>) =
                ENTER_INDEX.run(self.call, &self.key, &arguments, Effect::Repeatable).await?;
            let listed = pairs(listed);
            match (&*done, limit) {
                ("D", _) => return Ok(Entered::Done(listed)),
                ("R", _) => return Ok(Entered::LimitReached),
                ("S", _) => {
                    self.sweep(session.last_active_at).await?;
                    return Ok(Entered::Done(Vec::new()));
                }
                // Perhaps not all of them live.
                ("F", Some(limit)) if !decide => {
                    let Sessions { expired, pending, .. } =
                        self.sessions(listed, limit.now).await?;
                    ignored = expired.into_iter().map(|(entry, _)| entry).collect();
                    ignored.extend(pending);
                    decide = true;
                }
                _ => return Err(Error::session_store("the index of a user answers strangely")),
            }
        }
    }

    /// Drops every entry that leads nowhere, and takes note of the size.
    pub(super) async fn sweep(&self, now: DateTime<Utc>) -> Result<(), Error> {
        let entries = self.entries().await?;
        self.sessions(entries, now).await?;
        self.drop(&[]).await
    }
}

impl Entry {
    fn new(member: &str, session: &SessionRecord) -> Self {
        let noted = format!("{} {}", session.created_at.timestamp_millis(), session.version);
        Self { member: member.to_owned(), noted }
    }

    /// The version that the session had, or was to have, when it was noted.
    fn version(&self) -> u64 {
        // An entry that somebody else wrote waits for nothing.
        self.noted.split_once(' ').and_then(|(_, version)| version.parse().ok()).unwrap_or(0)
    }
}

fn entries(all: impl IntoIterator<Item = (String, String)>) -> Vec<Entry> {
    all.into_iter()
        // Fields about the index itself.
        .filter(|(member, _)| member != "@" && member != "#")
        .map(|(member, noted)| Entry { member, noted })
        .collect()
}

fn pairs(flat: Vec<String>) -> Vec<Entry> {
    let mut flat = flat.into_iter();
    entries(std::iter::from_fn(|| Some((flat.next()?, flat.next()?))))
}
