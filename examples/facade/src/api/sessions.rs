//! Who is signed in, from where, since when.
#![allow(clippy::too_many_arguments, reason = "a list has many filters")]

use auth_poem::{prelude::*, store::SessionFilter};
use poem_openapi::{
    param::{Path, Query},
    payload::Json,
};

use super::{Found, Tag};
use crate::{
    errors::not_found,
    paging::{DataPage, Paging},
    services::Services,
    session::{SessionView, UserSnapshot},
    user::User,
};

/// The operations.
#[derive(Debug)]
pub struct SessionsApi {
    pub(super) services: Services,
}

#[auth_api(prefix_path = "/sessions", tag = "Tag::Session")]
impl SessionsApi {
    /// Everybody's sessions.
    #[require(role = "admin")]
    #[oai(path = "/", method = "get")]
    async fn all(
        &self,
        _user: User,
        auth: Auth<User>,
        id: Query<Option<String>>,
        user_id: Query<Option<String>>,
        /// Whether they are open. Closed ones are not kept.
        active: Query<Option<bool>>,
        /// Used then or later.
        from_time: Query<Option<DateTime<Utc>>>,
        /// Last used before then.
        to_time: Query<Option<DateTime<Utc>>>,
        skip: Query<Option<i64>>,
        take: Query<Option<i64>>,
        total: Query<Option<bool>>,
    ) -> auth_poem::Result<Json<DataPage<SessionView>>> {
        let filter = SessionFilter {
            user: user_id.0.as_ref().map(UserKey::from_id::<User>),
            active_from: from_time.0,
            active_to: to_time.0,
            ..SessionFilter::default()
        };
        self.list(&auth, filter, id.0, active.0, Paging::new(skip.0, take.0, total.0)).await
    }

    /// The session of this request.
    #[oai(path = "/current", method = "get")]
    async fn current(
        &self,
        user: User,
        auth: Auth<User>,
        mut session: Session<UserSnapshot>,
    ) -> auth_poem::Result<Json<SessionView>> {
        self.services.refresh(&mut session, &user.roles).await?;
        Ok(Json(self.services.current_session(&auth, &session).await?))
    }

    /// One of the user's own sessions, if it is open.
    #[oai(path = "/restore", method = "post")]
    async fn restore(
        &self,
        user: User,
        auth: Auth<User>,
        session_id: Query<String>,
    ) -> auth_poem::Result<Found<SessionView>> {
        Ok(self.session_of(&auth, &user.id, &session_id).await?.into())
    }

    /// The sessions of an account.
    #[require(any(owner = "{user_id}", role = "admin"))]
    #[oai(path = "/:user_id", method = "get")]
    async fn of_user(
        &self,
        _user: User,
        auth: Auth<User>,
        user_id: Path<String>,
        id: Query<Option<String>>,
        /// Whether they are open. Closed ones are not kept.
        active: Query<Option<bool>>,
        /// Used then or later.
        from_time: Query<Option<DateTime<Utc>>>,
        /// Last used before then.
        to_time: Query<Option<DateTime<Utc>>>,
        skip: Query<Option<i64>>,
        take: Query<Option<i64>>,
        total: Query<Option<bool>>,
    ) -> auth_poem::Result<Json<DataPage<SessionView>>> {
        let filter = SessionFilter {
            user: Some(UserKey::from_id::<User>(&user_id)),
            active_from: from_time.0,
            active_to: to_time.0,
            ..SessionFilter::default()
        };
        self.list(&auth, filter, id.0, active.0, Paging::new(skip.0, take.0, total.0)).await
    }

    /// Closes a session of an account.
    #[require(any(owner = "{user_id}", role = "admin"))]
    #[rejects(SESSION_NOT_FOUND = 404)]
    #[oai(path = "/:user_id/:session_id", method = "delete")]
    async fn close(
        &self,
        _user: User,
        auth: Auth<User>,
        user_id: Path<String>,
        session_id: Path<String>,
    ) -> auth_poem::Result<Json<SessionView>> {
        // A session of somebody else is as good as none: its id is looked up among the user's own.
        let Some(session) = self.one(&auth, &user_id, &session_id).await? else {
            return Err(no_such_session().into());
        };
        if !auth.end_session_of(&user_id, session.handle).await? {
            return Err(no_such_session().into());
        }
        Ok(Json(self.view(session).await?.closed()))
    }
}

impl SessionsApi {
    /// The sessions that a filter lets through. No name of a session, or only that of another
    /// user's, lets none through.
    async fn list(
        &self,
        auth: &Auth<User>,
        mut filter: SessionFilter,
        id: Option<String>,
        active: Option<bool>,
        paging: Paging,
    ) -> auth_poem::Result<Json<DataPage<SessionView>>> {
        if let Some(id) = id {
            filter.handle = id.parse().ok()
        }
        todo!()
    }
}

fn no_such_session() -> Rejection {
    not_found("SESSION_NOT_FOUND", "The account has no such session.")
}
