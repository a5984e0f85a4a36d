//! Who is signed in, from where, since when.
#![allow(clippy::too_many_arguments, reason = "a list has many filters")]

use std::collections::HashMap;

use auth_poem::{features::SessionInfo, prelude::*};
use example_kit::Nullable;
use poem_openapi::{
    param::{Path, Query},
    payload::Json,
};

use super::{Found, Tag};
use crate::{
    errors::not_found,
    paging::{DataPage, Paging},
    services::Services,
    session::{SessionView, UserSnapshot, public_id, texts},
    user::User,
};

/// How many sessions are looked at in one go.
const AT_ONCE: u32 = 500;

/// The operations.
#[derive(Debug)]
pub struct SessionsApi {
    pub(super) services: Services,
}

/// Which sessions. Those that are closed are not kept.
struct Filter {
    id: Option<String>,
    user_id: Option<String>,
    active: Option<bool>,
    from_time: Option<DateTime<Utc>>,
    to_time: Option<DateTime<Utc>>,
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
        active: Query<Option<bool>>,
        /// Used then or later.
        from_time: Query<Option<DateTime<Utc>>>,
        /// Last used before then.
        to_time: Query<Option<DateTime<Utc>>>,
        skip: Query<Option<i64>>,
        take: Query<Option<i64>>,
        total: Query<Option<bool>>,
    ) -> auth_poem::Result<Json<DataPage<SessionView>>> {
        let filter = Filter {
            id: id.0,
            user_id: user_id.0,
            active: active.0,
            from_time: from_time.0,
            to_time: to_time.0,
        };
        self.list(&auth, &filter, Paging::new(skip.0, take.0, total.0)).await
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
        Ok(Json(SessionView::current(&auth, &session)?))
    }

    /// One of the user's own sessions, if it is open.
    #[oai(path = "/restore", method = "post")]
    async fn restore(
        &self,
        user: User,
        auth: Auth<User>,
        session_id: Query<String>,
    ) -> auth_poem::Result<Found<SessionView>> {
        match find(&auth, &user.id, &session_id).await? {
            Some(info) => Ok(Some(self.view(&info, &mut HashMap::new()).await?).into()),
            None => Ok(None.into()),
        }
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
        active: Query<Option<bool>>,
        /// Used then or later.
        from_time: Query<Option<DateTime<Utc>>>,
        /// Last used before then.
        to_time: Query<Option<DateTime<Utc>>>,
        skip: Query<Option<i64>>,
        take: Query<Option<i64>>,
        total: Query<Option<bool>>,
    ) -> auth_poem::Result<Json<DataPage<SessionView>>> {
        let filter = Filter {
            id: id.0,
            user_id: Some(user_id.0),
            active: active.0,
            from_time: from_time.0,
            to_time: to_time.0,
        };
        self.list(&auth, &filter, Paging::new(skip.0, take.0, total.0)).await
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
        let gone = || not_found("SESSION_NOT_FOUND", "The account has no such session.");
        let info = find(&auth, &user_id, &session_id).await?.ok_or_else(gone)?;
        let view = self.view(&info, &mut HashMap::new()).await?;
        if !auth.revoke_session_of(&user_id, info.handle).await? {
            return Err(gone().into());
        }
        Ok(Json(view.closed()))
    }
}

/// The session of an account that has this public name. Another account's has none.
async fn find(
    auth: &Auth<User>,
    user_id: &String,
    session_id: &str,
) -> auth_poem::Result<Option<SessionInfo>> {
    let sessions = auth.sessions_of(user_id).await?;
    Ok(sessions.into_iter().find(|info| public_id(info.handle) == session_id))
}

impl Filter {
    fn matches(&self, info: &SessionInfo) -> bool {
        self.id.as_ref().is_none_or(|id| public_id(info.handle) == *id)
            && self.active.unwrap_or(true)
            && self.from_time.is_none_or(|time| info.last_active_at >= time)
            && self.to_time.is_none_or(|time| info.last_active_at < time)
    }
}

impl SessionsApi {
    /// A page of the sessions that a filter lets through.
    async fn list(
        &self,
        auth: &Auth<User>,
        filter: &Filter,
        paging: Paging,
    ) -> auth_poem::Result<Json<DataPage<SessionView>>> {
        let (mut page, mut count, mut seen) = (Vec::new(), 0, 0);
        loop {
            let sessions = match &filter.user_id {
                Some(user) => auth.sessions_of(user).await?,
                None => auth.all_sessions(seen, AT_ONCE).await?,
            };
            let is_last = filter.user_id.is_some() || sessions.len() < AT_ONCE as usize;
            for info in sessions.into_iter().filter(|info| filter.matches(info)) {
                if (paging.skip..paging.skip + paging.take).contains(&count) {
                    page.push(info);
                }
                count += 1;
            }
            if is_last || !paging.total && count >= paging.skip + paging.take {
                break;
            }
            seen += AT_ONCE;
        }
        let (mut data, mut roles) = (Vec::new(), HashMap::new());
        for info in &page {
            data.push(self.view(info, &mut roles).await?);
        }
        Ok(Json(DataPage { data, total: Nullable(paging.total.then_some(count)) }))
    }

    /// How a session looks to a client: with the roles that its user has by now, each user's asked
    /// for once.
    async fn view(
        &self,
        info: &SessionInfo,
        roles: &mut HashMap<String, Vec<String>>,
    ) -> auth_poem::Result<SessionView> {
        let mut user = info.data::<UserSnapshot>()?;
        if !roles.contains_key(&user.id) {
            let grants = self.services.roles.of(&user.id).await?;
            roles.insert(user.id.clone(), texts(&grants));
        }
        user.roles = roles.get(&user.id).cloned().unwrap_or_default();
        Ok(SessionView::open(info, user))
    }
}
