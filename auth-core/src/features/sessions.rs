//! A user's sessions: where he is logged in, and ending one of them.
//!
//! - Needs: sessions.
//! - Refuses: `missing_credentials`.
//!
//! OWASP ASVS 7.5.2 asks for both. Sessions are named by their public handles, which are no
//! credentials.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::AuthHandle;
use crate::{
    error::Failure,
    rejection::Rejection,
    scheme::stamp_of,
    session::record::SessionRecord,
    user::{AuthUser, UserKey},
};

/// One of a user's sessions, as a list shows it.
#[derive(Debug, Clone)]
pub struct SessionInfo {
    /// The name to end it by.
    pub handle: Uuid,
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
}

impl SessionInfo {
    fn of(record: &SessionRecord, current: Option<Uuid>) -> Self {
        Self {
            handle: record.handle,
            current: current == Some(record.handle),
            created_at: record.created_at,
            last_active_at: record.last_active_at,
            ip: record.ip,
            user_agent: record.user_agent.clone(),
        }
    }
}

impl<U: AuthUser> AuthHandle<U> {
    /// The live sessions of the request's user, oldest first.
    ///
    /// # Errors
    ///
    /// - the operation has no user: [`Rejection::MissingCredentials`]
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn sessions(&self) -> Result<Vec<SessionInfo>, Failure> {
        let identity = self.identity().ok_or(Rejection::MissingCredentials)?;
        let service = self.context.sessions()?;
        let key = UserKey::of(&*identity.user);
        let stamp = stamp_of(&*identity.user);
        let records = service.store.list_by_user(&key, service.now()).await?;
        let state = &self.context.session;
        let current = state.current(&state.work()).map(|record| record.handle);
        // A session whose stamp is old has ended, though its record may still be there.
        let live = records
            .iter()
            .filter(|record| record.login.as_ref().is_some_and(|login| login.stamp == stamp));
        Ok(live.map(|record| SessionInfo::of(record, current)).collect())
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
        let service = self.context.sessions()?;
        let key = UserKey::of(&*identity.user);
        Ok(service.store.delete_by_handle(&key, handle, service.now()).await?)
    }
}
