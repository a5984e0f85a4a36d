//! Logging out.
//!
//! - Needs: nothing.
//! - Refuses: `cross_site`.
//!
//! The session is deleted from its store before the answer is written; a request that was under
//! way at that moment cannot bring it back. A bearer token goes onto the deny list, where there is
//! one, and its refresh tokens end.

use super::AuthHandle;
use crate::{error::Failure, jwt::Verified, user::AuthUser};

impl<U: AuthUser> AuthHandle<U> {
    /// Whether the request presents a session, alive or not: whether there is anything to log out
    /// of, as the client sees it.
    #[must_use]
    pub fn presents_session(&self) -> bool {
        self.context.session.way().is_some()
    }

    /// Ends what the request presents: the session, and has the cookie removed; the bearer token, as
    /// far as there is a [`deny_list`](crate::config::AuthConfig::deny_list), and its refresh tokens.
    ///
    /// A token that does not hold has ended already. Without a deny list, an access token lives until
    /// it expires.
    ///
    /// # Errors
    ///
    /// - a page of another site sends the request with the cookie:
    ///   [`CrossSite`](crate::rejection::Rejection::CrossSite)
    /// - a store cannot answer: [`Failure::Fault`]; what is kept there is alive then
    pub async fn logout(&self) -> Result<(), Failure> {
        let sessions = self.context.auth().inner.sessions.as_ref();
        if let Some(service) = sessions
            && self.context.session.way().is_some()
        {
            self.context.refuse_other_sites(service)?;
        }
        self.end_presented_token().await?;
        if sessions.is_some() {
            self.context.flush_session().await?;
        }
        Ok(())
    }

    async fn end_presented_token(&self) -> Result<(), Failure> {
        let Some(token) = &self.presented else { return Ok(()) };
        let Some(jwt) = &self.context.bearer()?.jwt else { return Ok(()) };
        if let Verified::Valid(claims) = jwt.verify(token.expose(), self.context.now())
            && claims.user().is_of::<U>()
        {
            self.end_token(&claims).await?;
            self.context.forget_outcomes();
        }
        Ok(())
    }
}
