//! Logging out.
//!
//! - Needs: nothing.
//! - Refuses: `cross_site`.
//!
//! The session is deleted from its store before the answer is written; a request that was under
//! way at that moment cannot bring it back.

use super::AuthHandle;
use crate::{error::Failure, user::AuthUser};

impl<U: AuthUser> AuthHandle<U> {
    /// Whether the request presents a session, alive or not: whether there is anything to log out
    /// of, as the client sees it.
    #[must_use]
    pub fn presents_session(&self) -> bool {
        self.context.session.way().is_some()
    }

    /// Ends the session that the request presents, if it presents one, and has the cookie removed.
    ///
    /// # Errors
    ///
    /// - a page of another site sends the request with the cookie:
    ///   [`CrossSite`](crate::rejection::Rejection::CrossSite)
    /// - the store cannot answer: [`Failure::Fault`]; the session is alive then
    pub async fn logout(&self) -> Result<(), Failure> {
        let Some(service) = &self.context.auth().inner.sessions else {
            return Ok(());
        };
        if self.context.session.way().is_some() {
            self.context.refuse_other_sites(service)?;
        }
        Ok(self.context.flush_session().await?)
    }
}
