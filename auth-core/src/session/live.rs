//! The session as an operation sees it: [`LiveSession`].

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{
    commit::change,
    patch::{self, Patch},
    record::{SessionData, SessionRecord},
    schema::SessionSchema,
    state::{Current, ExpiryChange},
    untyped::Untyped,
};
use crate::{context::Context, error::Error};

/// A session's data of one kind, and the session behind it.
///
/// Fields are read and assigned directly; what was assigned is written when the request ends, field
/// by field, so that a request that changes other fields at the same time loses nothing. For
/// read-modify-write (counters, one-time codes) use [`update`](Self::update). Without a session,
/// the data is `Default`, and the first change starts an anonymous session.
pub struct LiveSession<T: SessionSchema = Untyped> {
    context: Arc<Context>,
    value: T,
    /// What `value` was read from; `None` without a session.
    base: Option<Arc<SessionRecord>>,
    generation: u32,
    modified: bool,
    expires_at: Option<Option<DateTime<Utc>>>,
}

impl<T: SessionSchema> LiveSession<T> {
    /// The data of the session that the request works on now. The session is loaded already.
    pub(crate) fn open(context: Arc<Context>) -> Result<Self, Error> {
        let (value, base, generation) = Self::read(&context)?;
        Ok(Self { context, value, base, generation, modified: false, expires_at: None })
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    fn read(context: &Context) -> Result<(T, Option<Arc<SessionRecord>>, u32), Error> {
        let service = context.sessions()?;
        let work = context.session.work();
        let mut base = context.session.current(&work);
        if let Some(pending) = work.patches.get(T::NAME) {
            let mut data = base.as_ref().map(|record| record.data.clone()).unwrap_or_default();
            pending.apply(T::NAME, &mut data, service.now())?;
            let value = patch::read(&data, service.now())?;
            if let Some(record) = &mut base {
                Arc::make_mut(record).data = data;
            }
            return Ok((value, base, work.generation));
        }
        let empty = SessionData::default();
        let data = base.as_ref().map_or(&empty, |record| &record.data);
        Ok((patch::read(data, service.now())?, base, work.generation))
    }

    /// Whether the data was assigned to since it was read.
    #[must_use]
    pub fn modified(&self) -> bool {
        self.modified
    }

    /// Whether there is a session behind the data.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.context.session.current(&self.context.session.work()).is_some()
    }

    /// The public name of the session: safe to show, useless as a credential. `None` without a
    /// session.
    #[must_use]
    pub fn handle(&self) -> Option<Uuid> {
        let state = &self.context.session;
        state.current(&state.work()).map(|record| record.handle)
    }

    /// Changes the data in one atomic step, now: `edit` runs against what the store has at this
    /// moment, again if another request was faster, and its result comes back when the change is
    /// stored.
    ///
    /// # Errors
    ///
    /// - the store cannot answer, or the data does not convert: [`Error`]
    pub async fn update<R>(&mut self, mut edit: impl FnMut(&mut T) -> R) -> Result<R, Error> {
        let context = self.context.clone();
        let service = context.sessions()?;
        self.refresh()?;
        let local = self.take_changes()?;
        let stored = context.session.stored(&context.session.work());
        if let Some(stored) = stored {
            let mut outcome = None;
            let live = change(service, stored, |record| {
                let now = service.now();
                if let Some(local) = &local {
                    local.apply(T::NAME, &mut record.data, now)?;
                }
                let mut value = patch::read::<T>(&record.data, now)?;
                let result = edit(&mut value);
                let patch = Patch::between(&record.data, &value, None, now)?;
                if let Some(patch) = &patch {
                    patch.apply(T::NAME, &mut record.data, now)?;
                }
                outcome = Some((value, result));
                Ok(local.is_some() || patch.is_some())
            })
            .await?;
            match (live, outcome) {
                (Some(live), Some((value, result))) => {
                    self.base = Some(live.record.clone());
                    self.value = value;
                    context.session.work().current = Current::Stored(live);
                    return Ok(result);
                }
                // The session was ended meanwhile: what follows happens to a new, anonymous one.
                _ => {
                    context.session.work().current = Current::None;
                    self.value = T::default();
                    self.base = None;
                }
            }
        } else if let Some(local) = local {
            context.session.work().patch(T::NAME, local);
        }
        let result = edit(&mut self.value);
        let patch = Patch::between(self.data(), &self.value, None, service.now())?;
        if let Some(patch) = patch {
            context.session.work().patch(T::NAME, patch);
        }
        let pending = context.session.work().patches.contains_key(T::NAME);
        if pending {
            context.session.persist(service, context.client()?).await?;
            self.base = context.session.current(&context.session.work());
        }
        Ok(result)
    }

    /// Limits how long the data lives: typed data dies after this time and the session goes on;
    /// for untyped data it is the session that ends, at the latest at its absolute limit.
    pub fn set_expiry(&mut self, after: TimeDelta) {
        if T::NAME.is_empty() {
            self.change_expiry(ExpiryChange { lifetime: Some(after), persistent: None });
        } else {
            let now = self.context.now();
            self.expires_at = Some(now.checked_add_signed(after));
        }
    }

    /// Lifts a limit that [`set_expiry`](Self::set_expiry) put on typed data.
    pub fn clear_expiry(&mut self) {
        self.expires_at = Some(None);
    }

    /// Whether the cookie ends with the browser.
    pub fn expire_at_browser_close(&mut self, yes: bool) {
        self.change_expiry(ExpiryChange { lifetime: None, persistent: Some(!yes) });
    }

    fn change_expiry(&self, change: ExpiryChange) {
        let mut work = self.context.session.work();
        let before = work.expiry.unwrap_or(ExpiryChange { lifetime: None, persistent: None });
        work.expiry = Some(ExpiryChange {
            lifetime: change.lifetime.or(before.lifetime),
            persistent: change.persistent.or(before.persistent),
        });
    }

    /// How long the data has to live if the session is not used again, `None` without a session.
    #[must_use]
    pub fn expiry_age(&self) -> Option<TimeDelta> {
        let record = self.base.as_ref()?;
        let slot = record.data.0.get(T::NAME).and_then(|slot| slot.expires_at);
        let own = self.expires_at.unwrap_or(slot);
        let end = own.map_or(record.idle_expires_at(), |own| own.min(record.idle_expires_at()));
        Some((end - self.context.now()).max(TimeDelta::zero()))
    }

    /// Puts the data back to `Default`.
    pub fn clear(&mut self) {
        **self = T::default();
    }

    /// Ends the session, now: the record is deleted, all data is gone, the cookie is removed, and
    /// nobody is logged in to it any more.
    ///
    /// # Errors
    ///
    /// - the store cannot answer: [`Error::Store`]; the session is alive then, and the answer to
    ///   the client must not say otherwise
    pub async fn flush(&mut self) -> Result<(), Error> {
        self.context.flush_session().await?;
        self.refresh()
    }

    /// Gives the session a new key and keeps its data, as is right after every change of
    /// privileges. Login does it by itself. The old key dies when the request ends.
    ///
    /// # Errors
    ///
    /// - the operating system has no random numbers to give: [`Error::Crypto`]
    pub fn cycle_key(&mut self) -> Result<(), Error> {
        self.context.session.cycle(None)
    }

    /// Reads again if the session changed hands since this handle was made.
    fn refresh(&mut self) -> Result<(), Error> {
        if self.context.session.work().generation != self.generation {
            (self.value, self.base, self.generation) = Self::read(&self.context)?;
            self.modified = false;
            self.expires_at = None;
        }
        Ok(())
    }

    fn data(&self) -> &SessionData {
        static EMPTY: SessionData = SessionData(std::collections::BTreeMap::new());
        self.base.as_ref().map_or(&EMPTY, |record| &record.data)
    }

    fn take_changes(&mut self) -> Result<Option<Patch>, Error> {
        let expires_at = self.expires_at.take();
        if !std::mem::take(&mut self.modified) && expires_at.is_none() {
            return Ok(None);
        }
        Patch::between(self.data(), &self.value, expires_at, self.context.now())
    }
}

impl<T: SessionSchema> Deref for LiveSession<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: SessionSchema> DerefMut for LiveSession<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.modified = true;
        &mut self.value
    }
}

impl<T: SessionSchema> Drop for LiveSession<T> {
    /// Leaves the changes with the request, which writes them when it ends.
    fn drop(&mut self) {
        let changes = self.take_changes();
        let mut work = self.context.session.work();
        if work.generation != self.generation {
            return;
        }
        match changes {
            Ok(Some(patch)) => work.patch(T::NAME, patch),
            Ok(None) => {}
            Err(error) => work.fault = Some(error),
        }
    }
}

impl<T: SessionSchema> fmt::Debug for LiveSession<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveSession")
            .field("schema", &T::NAME)
            .field("modified", &self.modified)
            .finish_non_exhaustive()
    }
}
