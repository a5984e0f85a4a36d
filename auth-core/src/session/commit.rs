//! How a request's changes reach the store: once, when the request ends, whether or not it failed.
//!
//! A write never brings back a session that somebody else ended meanwhile: `update` does not
//! insert, and a new session always has a new key.

use std::sync::Arc;

use chrono::TimeDelta;

use super::{
    record::{SessionData, SessionRecord},
    service::{Lifetime, SessionService},
    state::{Begun, Current, ExpiryChange, SessionState, Stored, Work},
    token::{TokenHeaders, Ways},
};
use crate::{
    error::Error,
    http::Client,
    secret::{SessionKey, SessionToken},
    store::{Create, Update},
};

/// How often a change is tried again when others change the same session. Each conflict means that
/// somebody else got through, so only that many writers at once can exhaust it.
const ATTEMPTS: usize = 1000;

/// How often a new key is drawn. Two equal keys of 256 bits mean a broken random number generator.
const DRAWS: usize = 3;

impl SessionState {
    /// Whether there is nothing to commit, as after most requests.
    pub(crate) fn is_untouched(&self, service: &SessionService) -> bool {
        let due =
            self.is_touch_due() || service.expiry.save_every_request && self.loaded().is_some();
        let is_nothing = |work: &Work| {
            matches!(work.current, Current::Presented)
                && work.patches.is_empty()
                && work.columns.is_empty()
                && work.expiry.is_none()
                && !work.remove_cookie
                && work.fault.is_none()
        };
        !due && self.work_so_far().is_none_or(|work| is_nothing(&work))
    }

    /// Writes what the request changed, and says what the client is to be told.
    pub(crate) async fn commit(
        &self,
        service: &SessionService,
        client: &Client,
        failed: bool,
    ) -> Result<TokenHeaders, Error> {
        let mut work = std::mem::take(&mut *self.work());
        if let Some(fault) = work.fault.take() {
            return Err(fault);
        }
        if failed {
            work.patches.retain(|_, patch| patch.keep_on_error);
            work.columns.retain(|change| change.keep_on_error);
        }
        let stored = self.stored(&work);
        let headers = match (stored, std::mem::take(&mut work.current)) {
            (Some(stored), _) => self.save(service, stored, &mut work).await?,
            (None, Current::Fresh { token, record, replaces, source }) => {
                let ways = Ways::of(self.way(), replaces.is_some());
                let record = take_over(service, record, source).await?;
                let kind = Kind::of(replaces, work.ended.last());
                let new = insert(service, client, token, record, &work, kind).await?.allowed()?;
                let new = hand_over(service, new, replaces).await?;
                new.map(|new| new.headers(service, ways)).unwrap_or_default()
            }
            (None, _) if !work.patches.is_empty() || !work.columns.is_empty() => {
                let record = Arc::new(service.new_record(client, Lifetime::Default));
                let token = SessionToken::generate()?;
                let kind = Kind::New(None);
                let new = insert(service, client, token, record, &work, kind).await?.allowed()?;
                new.headers(service, Ways::of(self.way(), false))
            }
            (None, _) if work.remove_cookie => service.carriers.removal(),
            (None, _) => TokenHeaders::default(),
        };
        for key in &work.ended {
            service.store.delete(key, service.now()).await?;
        }
        Ok(headers)
    }

    /// Brings the changes to a session that is in the store.
    async fn save(
        &self,
        service: &SessionService,
        stored: Stored,
        work: &mut Work,
    ) -> Result<TokenHeaders, Error> {
        let now = service.now();
        let every = service.expiry.save_every_request;
        let mut live = Some(stored.clone());
        let changed = !work.patches.is_empty() || !work.columns.is_empty();
        if changed || work.expiry.is_some() || every {
            live = change(service, stored, |record| {
                apply(service, record, work)?;
                Ok(true)
            })
            .await?;
        } else if now - stored.record.last_active_at >= service.expiry.touch {
            // The answer does not depend on this note, so it is not lost over it.
            if let Err(error) = service.store.touch(&stored.key, now).await {
                tracing::error!(%error, "the last use of a session could not be noted");
            }
        }
        // A session that is gone was ended by another request, whose answer dealt with the cookie;
        // the browser may have a new one by now.
        let Some(live) = live else { return Ok(TokenHeaders::default()) };
        if let Some((token, announced, ways)) = work.announce.take()
            && announced.key == live.key
        {
            return Ok(service.hand_out(&token, &live.record, ways));
        }
        // The cookie has an age of its own, which follows the session's.
        let prolonged = work.expiry.is_some() || every;
        Ok(match self.cookie_token(&live.key).filter(|_| prolonged) {
            Some(token) => service.hand_out(token, &live.record, Ways::COOKIE),
            None => TokenHeaders::default(),
        })
    }

    /// Stores the session that a login has prepared, now, and goes on with it. `false`, and nothing
    /// has changed, if the user has as many sessions as he may.
    ///
    /// The session whose place it takes keeps its data until the new one is stored, and ends last.
    pub(crate) async fn begin_stored(
        &self,
        service: &SessionService,
        client: &Client,
        begun: Begun,
    ) -> Result<bool, Error> {
        let Begun { token, record, ends, source, drops_data } = begun;
        let kind = Kind::New(ends);
        let new = match insert(service, client, token, record, &Work::default(), kind).await? {
            Inserted::Done(new) => new,
            Inserted::LimitReached => return Ok(false),
        };
        let key = new.stored.key;
        let New { token, stored } = match settle(service, new, source, ends).await {
            Ok(new) => new,
            Err(error) => {
                // Nobody will know its token, but it would count.
                if let Err(error) = service.store.delete(&key, service.now()).await {
                    tracing::error!(%error, "the session of a login that failed stays until it expires");
                }
                return Err(error);
            }
        };
        let ways = Ways::of(self.way(), false);
        let mut work = self.work();
        work.log_in(drops_data);
        work.current = Current::Stored(stored.clone());
        work.announce = Some((token, stored, ways));
        Ok(true)
    }

    /// Stores a session that is not in the store yet, with all changes so far, now.
    pub(crate) async fn persist(
        &self,
        service: &SessionService,
        client: &Client,
    ) -> Result<(), Error> {
        let (work, token, record, replaces, source) = {
            let mut work = self.work();
            let (token, record, replaces, source) = match std::mem::take(&mut work.current) {
                Current::Fresh { token, record, replaces, source } => {
                    (token, record, replaces, source)
                }
                _ => {
                    let record = service.new_record(client, Lifetime::Default);
                    (SessionToken::generate()?, Arc::new(record), None, None)
                }
            };
            work.current = Current::None;
            let taken = Work {
                patches: std::mem::take(&mut work.patches),
                columns: std::mem::take(&mut work.columns),
                expiry: work.expiry.take(),
                ended: work.ended.clone(),
                ..Work::default()
            };
            (taken, token, record, replaces, source)
        };
        let ways = Ways::of(self.way(), replaces.is_some());
        let record = take_over(service, record, source).await?;
        let kind = Kind::of(replaces, work.ended.last());
        let new = insert(service, client, token, record, &work, kind).await?.allowed()?;
        let new = hand_over(service, new, replaces).await?;
        // At once, so that there is never more than one session whose place another one takes.
        for key in &work.ended {
            service.store.delete(key, service.now()).await?;
        }
        self.work().ended.retain(|key| !work.ended.contains(key));
        if let Some(New { token, stored }) = new {
            let mut work = self.work();
            work.current = Current::Stored(stored.clone());
            work.announce = Some((token, stored, ways));
        }
        Ok(())
    }
}

/// What a session is that is being stored.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A new one, which takes the place of another one or of none.
    New(Option<SessionKey>),
    /// One that goes on under a new key.
    GoesOn,
}

impl Kind {
    fn of(replaces: Option<SessionKey>, ended: Option<&SessionKey>) -> Self {
        if replaces.is_some() { Self::GoesOn } else { Self::New(ended.copied()) }
    }
}

/// What became of a session that was to be stored.
enum Inserted {
    Done(New),
    /// The user has as many as he may.
    LimitReached,
}

impl Inserted {
    /// The session, where a login is not refused any more: it was stored when it began.
    fn allowed(self) -> Result<New, Error> {
        match self {
            Self::Done(new) => Ok(new),
            Self::LimitReached => {
                Err(Error::session_store("a limit that ends sessions has refused one"))
            }
        }
    }
}

/// A session that was just stored.
struct New {
    token: SessionToken,
    stored: Stored,
}

impl New {
    fn headers(&self, service: &SessionService, ways: Ways) -> TokenHeaders {
        service.hand_out(&self.token, &self.stored.record, ways)
    }
}

/// Moves the data out of the session that it comes from, as it is there by now.
///
/// What an earlier request counts in it (guesses of a one-time code, say) is not lost, and of
/// several requests that start a session from the same one, only the first finds anything.
async fn take_over(
    service: &SessionService,
    mut record: Arc<SessionRecord>,
    source: Option<Stored>,
) -> Result<Arc<SessionRecord>, Error> {
    let Some(source) = source.filter(|source| !source.record.data.0.is_empty()) else {
        return Ok(record);
    };
    let mut data = SessionData::default();
    let live = change(service, source, |source| {
        data = std::mem::take(&mut source.data);
        Ok(true)
    })
    .await?;
    Arc::make_mut(&mut record).data = if live.is_some() { data } else { SessionData::default() };
    Ok(record)
}

/// Takes the data over into a session that was stored with a copy of it, and ends the session whose
/// place it takes.
async fn settle(
    service: &SessionService,
    mut new: New,
    source: Option<Stored>,
    ends: Option<SessionKey>,
) -> Result<New, Error> {
    let record = take_over(service, new.stored.record.clone(), source).await?;
    if record.data.to_json()? != new.stored.record.data.to_json()? {
        let live = change(service, new.stored.clone(), |stored| {
            stored.data = record.data.clone();
            Ok(true)
        });
        // Where it has ended meanwhile, it is as if it ended in a moment.
        new.stored = live.await?.unwrap_or(new.stored);
    }
    if let Some(old) = ends {
        service.store.delete(&old, service.now()).await?;
    }
    Ok(new)
}

/// Ends the session that goes on under a new key. If there is nothing to end, somebody has logged
/// out meanwhile: then the new key, which nobody has seen yet, ends as well.
async fn hand_over(
    service: &SessionService,
    new: New,
    replaces: Option<SessionKey>,
) -> Result<Option<New>, Error> {
    let Some(old) = replaces else { return Ok(Some(new)) };
    if service.store.delete(&old, service.now()).await? {
        return Ok(Some(new));
    }
    service.store.delete(&new.stored.key, service.now()).await?;
    Ok(None)
}

/// Inserts a session with the changes applied; draws another key if this one is taken.
async fn insert(
    service: &SessionService,
    client: &Client,
    mut token: SessionToken,
    record: Arc<SessionRecord>,
    work: &Work,
    kind: Kind,
) -> Result<Inserted, Error> {
    let mut record = Arc::unwrap_or_clone(record);
    if matches!(kind, Kind::New(_)) {
        service.fill(client, &mut record);
    }
    apply(service, &mut record, work)?;
    let limit = match kind {
        Kind::New(replaced) if record.login.is_some() => service.limit(replaced),
        Kind::New(_) | Kind::GoesOn => None,
    };
    let record = Arc::new(record);
    for _ in 0..DRAWS {
        let key = token.key();
        match service.store.create(&key, record.clone(), limit).await? {
            Create::Done => {
                return Ok(Inserted::Done(New { token, stored: Stored { key, record } }));
            }
            Create::LimitReached => return Ok(Inserted::LimitReached),
            Create::Taken => token = SessionToken::generate()?,
        }
    }
    Err(Error::Crypto("new session keys are taken again and again".into()))
}

/// Changes a stored session, against a fresh record as often as it takes. `None` if it is gone.
///
/// `edit` says whether it changed anything; if not, nothing is written.
pub(super) async fn change(
    service: &SessionService,
    mut stored: Stored,
    mut edit: impl FnMut(&mut SessionRecord) -> Result<bool, Error>,
) -> Result<Option<Stored>, Error> {
    for _ in 0..ATTEMPTS {
        let now = service.now();
        let mut record = (*stored.record).clone();
        record.version += 1;
        record.last_active_at = record.last_active_at.max(now);
        if !edit(&mut record)? {
            return Ok(Some(stored));
        }
        let record = Arc::new(record);
        match service.store.update(&stored.key, record.clone(), now).await? {
            Update::Done => return Ok(Some(Stored { key: stored.key, record })),
            Update::Gone => return Ok(None),
            Update::Conflict => match service.store.load(&stored.key, now).await? {
                Some(record) => stored.record = record,
                None => return Ok(None),
            },
        }
    }
    Err(Error::session_store("a session changed under every attempt to write it"))
}

/// Applies the request's changes to a record.
fn apply(service: &SessionService, record: &mut SessionRecord, work: &Work) -> Result<(), Error> {
    let now = service.now();
    for (name, patch) in &work.patches {
        patch.apply(name, &mut record.data, now)?;
    }
    for change in &work.columns {
        record.columns.set(change.name.clone(), change.value.clone());
    }
    if let Some(ExpiryChange { lifetime, persistent }) = work.expiry {
        record.persistent = persistent.unwrap_or(record.persistent);
        if let Some(lifetime) = lifetime {
            let expiry = &service.expiry;
            let limit = if record.persistent { expiry.remember_absolute } else { expiry.absolute };
            record.expires_at =
                (now + lifetime.clamp(TimeDelta::zero(), limit)).min(record.created_at + limit);
        }
    }
    Ok(())
}
