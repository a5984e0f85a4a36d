//! What one request knows of its session, and what it has changed.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;
use uuid::Uuid;

use super::{
    columns::ColumnChange,
    patch::Patch,
    record::{SessionLogin, SessionRecord},
    service::{Lifetime, SessionService},
    token::{Presented, Way, Ways},
};
use crate::{
    error::Error,
    http::Client,
    secret::{SessionKey, SessionToken},
};

/// The session of one request. Nothing is parsed or loaded before somebody asks.
#[derive(Debug, Default)]
pub(crate) struct SessionState {
    presented: OnceLock<Presented>,
    loaded: OnceLock<Option<Loaded>>,
    /// Few requests change anything, and this is large.
    work: OnceLock<Box<Mutex<Work>>>,
}

/// The session that was presented, as the store had it.
#[derive(Debug)]
struct Loaded {
    stored: Stored,
    /// Whether the use of the session is to be noted.
    touch: bool,
}

/// A session that is in the store.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) key: SessionKey,
    pub(crate) record: Arc<SessionRecord>,
}

/// What the request has done so far.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) current: Current,
    /// Sessions to end, once the current one is stored.
    pub(crate) ended: Vec<SessionKey>,
    /// Changed parts of the data.
    pub(crate) patches: BTreeMap<&'static str, Patch>,
    /// Columns of the application's own that were given values.
    pub(super) columns: Vec<ColumnChange>,
    /// A change of the session's own end.
    pub(crate) expiry: Option<ExpiryChange>,
    /// Raised when the data changes hands; a handle from before writes nothing any more.
    pub(crate) generation: u32,
    /// Whether the cookie is to be removed if no other is set.
    pub(crate) remove_cookie: bool,
    /// A token whose session is stored already and that the client is still to be told.
    pub(super) announce: Option<(SessionToken, Stored, Ways)>,
    /// A change that could not be written down; the commit reports it.
    pub(crate) fault: Option<Error>,
}

/// Which session the request works on.
#[derive(Debug, Default)]
pub(crate) enum Current {
    /// The one that was presented, as it was loaded.
    #[default]
    Presented,
    /// The one that was presented or made, as this request has stored it since.
    Stored(Stored),
    /// One that is not in the store yet.
    Fresh {
        token: SessionToken,
        record: Arc<SessionRecord>,
        /// The session that goes on under the new key. If somebody has ended it meanwhile, it must
        /// not go on.
        replaces: Option<SessionKey>,
        /// The session that the data is taken over from.
        source: Option<Stored>,
    },
    /// None: it was flushed, or nothing was presented.
    None,
}

/// A session that a login begins.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) token: SessionToken,
    pub(crate) record: Arc<SessionRecord>,
    /// The stored session whose place it takes.
    pub(super) ends: Option<SessionKey>,
    /// The session that the data is taken over from.
    pub(super) source: Option<Stored>,
    /// Whether the request's changes so far are to the data of another user.
    pub(super) drops_data: bool,
}

/// A change of a session's end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExpiryChange {
    pub(crate) lifetime: Option<TimeDelta>,
    pub(crate) persistent: Option<bool>,
}

impl SessionState {
    /// The key that the request presents.
    pub(crate) fn presented_key(
        &self,
        service: &SessionService,
        headers: &HeaderMap,
    ) -> Option<SessionKey> {
        match self.presented.get_or_init(|| service.carriers.presented(headers)) {
            Presented::Token { key, .. } => Some(*key),
            Presented::Unusable(way) => {
                self.work().remove_cookie = *way == Way::Cookie;
                None
            }
            Presented::Nothing => None,
        }
    }

    /// How the request presents a session, usable or not.
    pub(crate) fn way(&self) -> Option<Way> {
        self.presented.get()?.way()
    }

    /// Whether anybody asked for the session at all.
    pub(crate) fn was_asked(&self) -> bool {
        self.presented.get().is_some()
    }

    /// The session that the request presented, loaded once.
    pub(crate) async fn presented_session(
        &self,
        service: &SessionService,
        headers: &HeaderMap,
    ) -> Result<Option<&Stored>, Error> {
        match self.presented_key(service, headers) {
            Some(_) => self.load(service).await,
            None => Ok(None),
        }
    }

    /// [`presented_session`](Self::presented_session), if the store can answer without waiting;
    /// says whether it could.
    pub(crate) fn load_now(
        &self,
        service: &SessionService,
        headers: &HeaderMap,
    ) -> Result<bool, Error> {
        let Some(key) = self.presented_key(service, headers) else {
            return Ok(true);
        };
        if self.loaded.get().is_some() {
            return Ok(true);
        }
        let now = service.now();
        let Some(answer) = service.store.load_now(&key, now) else {
            return Ok(false);
        };
        self.note_loaded(service, key, answer?, now);
        Ok(true)
    }

    /// The presented session, for those who come after the cookie was read.
    pub(crate) async fn load(&self, service: &SessionService) -> Result<Option<&Stored>, Error> {
        let Some(&Presented::Token { key, .. }) = self.presented.get() else {
            return Ok(None);
        };
        if self.loaded.get().is_none() {
            let now = service.now();
            let record = service.store.load(&key, now).await?;
            self.note_loaded(service, key, record, now);
        }
        Ok(self.loaded())
    }

    /// Notes what the store answered. Of two answers that were waited for at once, the first stays.
    fn note_loaded(
        &self,
        service: &SessionService,
        key: SessionKey,
        record: Option<Arc<SessionRecord>>,
        now: DateTime<Utc>,
    ) {
        self.loaded.get_or_init(|| match record {
            Some(record) => {
                let touch = now - record.last_active_at >= service.expiry.touch;
                Some(Loaded { stored: Stored { key, record }, touch })
            }
            None => {
                self.work().remove_cookie = self.way() == Some(Way::Cookie);
                None
            }
        });
    }

    /// What was loaded, if something was.
    pub(crate) fn loaded(&self) -> Option<&Stored> {
        self.loaded.get()?.as_ref().map(|loaded| &loaded.stored)
    }

    /// Whether the use of the presented session is to be noted.
    pub(crate) fn is_touch_due(&self) -> bool {
        matches!(self.loaded.get(), Some(Some(Loaded { touch: true, .. })))
    }

    /// The changes so far.
    pub(crate) fn work(&self) -> MutexGuard<'_, Work> {
        // Every section under this lock only moves values; a panic in one leaves nothing half done.
        self.work.get_or_init(Box::default).lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The changes, if there ever were any.
    pub(super) fn work_so_far(&self) -> Option<MutexGuard<'_, Work>> {
        self.work.get().map(|_| self.work())
    }

    /// The token that the request's cookie presented, if it is the one of this key.
    pub(super) fn cookie_token(&self, wanted: &SessionKey) -> Option<&SessionToken> {
        match self.presented.get() {
            Some(Presented::Token { way: Way::Cookie, token, key }) if key == wanted => Some(token),
            _ => None,
        }
    }

    /// The session that the request works on now.
    pub(crate) fn current(&self, work: &Work) -> Option<Arc<SessionRecord>> {
        match &work.current {
            Current::Presented => self.loaded().map(|stored| stored.record.clone()),
            Current::Stored(stored) => Some(stored.record.clone()),
            Current::Fresh { record, .. } => Some(record.clone()),
            Current::None => None,
        }
    }

    /// The key under which the store has the current session.
    pub(crate) fn stored(&self, work: &Work) -> Option<Stored> {
        match &work.current {
            Current::Presented => self.loaded().cloned(),
            Current::Stored(stored) => Some(stored.clone()),
            Current::Fresh { .. } | Current::None => None,
        }
    }

    /// Prepares a session under a new key, as every login begins one. Nothing changes yet.
    ///
    /// Data of an anonymous session and of the same user go with it; another user's are dropped.
    pub(crate) fn prepare(
        &self,
        service: &SessionService,
        client: &Client,
        login: SessionLogin,
        lifetime: Lifetime,
    ) -> Result<Begun, Error> {
        let token = SessionToken::generate()?;
        let mut record = service.new_record(client, lifetime);
        let work = self.work();
        let (ends, old, source) = match &work.current {
            Current::Fresh { record, replaces, source, .. } => {
                (*replaces, Some(record.clone()), source.clone())
            }
            _ => {
                let stored = self.stored(&work);
                let record = stored.as_ref().map(|stored| stored.record.clone());
                (stored.as_ref().map(|stored| stored.key), record, stored)
            }
        };
        let is_theirs =
            |old: &SessionRecord| old.login.as_ref().is_none_or(|before| before.user == login.user);
        let drops_data = old.as_ref().is_some_and(|old| !is_theirs(old));
        let source = source.filter(|_| !drops_data);
        if let Some(old) = old.filter(|_| !drops_data) {
            record.data = old.data.clone();
            record.columns = old.columns.clone();
        }
        record.login = Some(login);
        Ok(Begun { token, record: Arc::new(record), ends, source, drops_data })
    }

    /// Goes on with the session that a login has prepared; it is stored when the request ends.
    pub(crate) fn begin(&self, begun: Begun) {
        let Begun { token, record, ends, source, drops_data } = begun;
        let mut work = self.work();
        work.ended.extend(ends);
        work.log_in(drops_data);
        work.current = Current::Fresh { token, record, replaces: None, source };
    }

    /// Gives the current session a new key, and a new login where one is given. Without a session,
    /// nothing happens.
    pub(crate) fn cycle(&self, login: Option<SessionLogin>) -> Result<(), Error> {
        let token = SessionToken::generate()?;
        let mut work = self.work();
        let fresh = std::mem::replace(&mut work.current, Current::None);
        let (mut record, replaces, source) = match fresh {
            Current::Fresh { record, replaces, source, .. } => {
                ((*record).clone(), replaces, source)
            }
            other => {
                work.current = other;
                let Some(stored) = self.stored(&work) else {
                    return Ok(());
                };
                let record = SessionRecord {
                    handle: Uuid::new_v4(),
                    version: 1,
                    ..(*stored.record).clone()
                };
                (record, Some(stored.key), Some(stored))
            }
        };
        if login.is_some() {
            record.login = login;
        }
        work.announce = None;
        work.current = Current::Fresh { token, record: Arc::new(record), replaces, source };
        Ok(())
    }

    /// Forgets the session: what it held is dropped, its record is to be deleted, the cookie to be
    /// removed. Returns what the store still has of it.
    pub(crate) fn forget(&self) -> Option<SessionKey> {
        let mut work = self.work();
        let stored = match (&work.current, self.presented.get()) {
            // Ending a session needs no look at it.
            (Current::Presented, Some(Presented::Token { key, .. })) => Some(*key),
            (Current::Fresh { replaces, .. }, _) => *replaces,
            _ => self.stored(&work).map(|stored| stored.key),
        };
        work.ended.extend(stored);
        work.current = Current::None;
        work.expiry = None;
        work.announce = None;
        work.remove_cookie = self.way() == Some(Way::Cookie);
        work.drop_data();
        stored
    }
}

impl Work {
    /// Adds changes to one part of the data.
    pub(crate) fn patch(&mut self, name: &'static str, patch: Patch) {
        match self.patches.get_mut(name) {
            Some(earlier) => earlier.merge(patch),
            None => {
                self.patches.insert(name, patch);
            }
        }
    }

    /// Leaves behind what was about the session before a login.
    pub(super) fn log_in(&mut self, drops_data: bool) {
        if drops_data {
            self.drop_data();
        }
        self.expiry = None;
        self.announce = None;
    }

    /// Drops pending changes, and those of handles that are still held.
    fn drop_data(&mut self) {
        self.patches.clear();
        self.columns.clear();
        self.generation += 1;
    }
}
