//! A user's sessions: where he is logged in, and ending one of them. The same of any user, for
//! administrators.
//!
//! - Needs: sessions.
//! - Refuses: `missing_credentials`, for one's own.
//!
//! OWASP ASVS 7.5.2 asks for the first, 7.4.5 for the second. Sessions are named by their public
//! handles, which are no credentials.

use std::{net::IpAddr, sync::Arc};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::AuthHandle;
use crate::{
    error::{Error, Failure},
    rejection::Rejection,
    scheme::stamp_of,
    session::{
        patch,
        record::{SessionColumns, SessionRecord},
        schema::SessionSchema,
    },
    user::{AuthUser, UserKey},
};

/// One of a user's sessions, as a list shows it.
#[derive(Debug, Clone)]
pub struct SessionInfo {
    /// The name to end it by.
    pub handle: Uuid,
    /// Who is logged in.
    pub user: Option<UserKey>,
    /// Whether it is the session of this request.
    pub current: bool,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_active_at: DateTime<Utc>,
    /// The client's address when it began.
    pub ip: Option<IpAddr>,
    /// The client's `User-Agent` when it began.
    pub user_agent: Option<String>,
    /// The application's own columns.
    pub columns: SessionColumns,
    record: Arc<SessionRecord>,
    now: DateTime<Utc>,
}

impl SessionInfo {
    fn of(record: &Arc<SessionRecord>, current: Option<Uuid>, now: DateTime<Utc>) -> Self {
        Self {
            handle: record.handle,
            user: record.login.as_ref().map(|login| login.user.clone()),
            current: current == Some(record.handle),
            created_at: record.created_at,
            last_active_at: record.last_active_at,
            ip: record.ip,
            user_agent: record.user_agent.clone(),
            columns: record.columns.clone(),
            record: record.clone(),
            now,
        }
    }

    /// The session's data of one kind, as it was stored when the list was made.
    ///
    /// # Errors
    ///
    /// - it does not convert: [`Error::SessionData`]
    pub fn data<T: SessionSchema>(&self) -> Result<T, Error> {
        patch::read(&self.record.data, self.now)
    }
}

impl<U: AuthUser> AuthHandle<U> {
    /// The session of this request, also one that a login has just begun and nobody has stored yet.
    /// `None` without one, or if the operation asked for neither a user nor a session.
    #[must_use]
    pub fn session(&self) -> Option<SessionInfo> {
        let state = &self.context.session;
        let record = state.current(&state.work())?;
        Some(SessionInfo::of(&record, Some(record.handle), self.context.now()))
    }

    /// The live sessions of the request's user, oldest first.
    ///
    /// # Errors
    ///
    /// - the operation has no user: [`Rejection::MissingCredentials`]
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn sessions(&self) -> Result<Vec<SessionInfo>, Failure> {
        let identity = self.identity().ok_or(Rejection::MissingCredentials)?;
        self.live_sessions(&*identity.user).await
    }

    /// Ends one session of the request's user, and says whether it was there. Another user's
    /// handle ends nothing.
    ///
    /// # Errors
    ///
    /// - the operation has no user: [`Rejection::MissingCredentials`]
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn revoke_session(&self, handle: Uuid) -> Result<bool, Failure> {
        let identity = self.identity().ok_or(Rejection::MissingCredentials)?;
        self.revoke_session_of(identity.user.id(), handle).await
    }

    /// Everybody's live sessions, of every type of user, oldest first: `take` of them at most,
    /// without the first `skip`.
    ///
    /// Who may ask is the operation's to say: `#[require(…)]`.
    ///
    /// # Errors
    ///
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn all_sessions(&self, skip: u32, take: u32) -> Result<Vec<SessionInfo>, Failure> {
        let service = self.context.sessions()?;
        let records = service.store.list(skip, take, service.now()).await?;
        Ok(self.infos(records.iter()))
    }

    /// The live sessions of any user, oldest first. None of a user who is not there or not active:
    /// his sessions are over.
    ///
    /// Who may ask is the operation's to say: `#[require(…)]`.
    ///
    /// # Errors
    ///
    /// - a store cannot answer: [`Failure::Fault`]
    pub async fn sessions_of(&self, user: &U::Id) -> Result<Vec<SessionInfo>, Failure> {
        match self.context.user_service::<U>()?.store.by_id(user).await? {
            Some(user) if user.is_active() => self.live_sessions(&*user).await,
            _ => Ok(Vec::new()),
        }
    }

    /// Ends one session of any user, and says whether it was there. The handle of another user's
    /// session ends nothing.
    ///
    /// Who may ask is the operation's to say: `#[require(…)]`.
    ///
    /// # Errors
    ///
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn revoke_session_of(&self, user: &U::Id, handle: Uuid) -> Result<bool, Failure> {
        let service = self.context.sessions()?;
        let key = UserKey::from_id::<U>(user);
        Ok(service.store.delete_by_handle(&key, handle, service.now()).await?)
    }

    /// Ends all sessions of any user, and says how many there were.
    ///
    /// Who may ask is the operation's to say: `#[require(…)]`.
    ///
    /// # Errors
    ///
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn revoke_sessions_of(&self, user: &U::Id) -> Result<u64, Failure> {
        let service = self.context.sessions()?;
        let key = UserKey::from_id::<U>(user);
        Ok(service.store.delete_by_user(&key, None, service.now()).await?)
    }

    async fn live_sessions(&self, user: &U) -> Result<Vec<SessionInfo>, Failure> {
        let service = self.context.sessions()?;
        let records = service.store.list_by_user(&UserKey::of(user), service.now()).await?;
        // A session whose stamp is old has ended, though its record may still be there.
        let stamp = stamp_of(user);
        let is_live = |record: &&Arc<SessionRecord>| {
            record.login.as_ref().is_some_and(|login| login.stamp == stamp)
        };
        Ok(self.infos(records.iter().filter(is_live)))
    }

    fn infos<'a>(&self, records: impl Iterator<Item = &'a Arc<SessionRecord>>) -> Vec<SessionInfo> {
        let (state, now) = (&self.context.session, self.context.now());
        let current = state.current(&state.work()).map(|record| record.handle);
        records.map(|record| SessionInfo::of(record, current, now)).collect()
    }
}
