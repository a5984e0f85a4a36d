//! What a session remembers of its user, and how a session looks to a client.

use auth_poem::{Error, features::SessionInfo, prelude::*};
use poem_openapi::{Object, payload::Json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    rules::Rules,
    services::{Services, sites::SiteName},
    user::{Grant, User},
};

/// What a session remembers of its user, so that a client need not ask for it. Nobody is let in by
/// it: guards ask for the roles anew.
#[derive(SessionSchema, Debug, Clone, Default, Object, Serialize, Deserialize)]
#[oai(rename = "SessionUser", skip_serializing_if_is_none)]
pub struct UserSnapshot {
    pub(crate) id: String,
    login: String,
    pub(crate) name: String,
    create_time: DateTime<Utc>,
    time_zone: Option<String>,
    language: Option<String>,
    theme: Option<String>,
    pub(crate) roles: Vec<String>,
    change_pwd_time: DateTime<Utc>,
    pub(crate) sites: Vec<SiteName>,
    settings: Option<Value>,
    custom_hdr: Option<Value>,
    custom_dat: Option<Value>,
}

/// A session.
#[derive(Debug, Object)]
#[oai(rename = "Session", skip_serializing_if_is_none)]
pub struct SessionView {
    /// Its public name. Nobody can sign in with it.
    pub(crate) id: String,
    user_id: String,
    user_name: String,
    pub(crate) active: bool,
    open_time: DateTime<Utc>,
    pub(crate) close_time: Option<DateTime<Utc>>,
    request_time: DateTime<Utc>,
    address: Option<String>,
    client: Option<String>,
    user: UserSnapshot,
}

/// A session that was just opened.
#[derive(Debug, Object)]
pub struct OpenedSession {
    #[oai(flatten)]
    pub(crate) session: SessionView,
    /// The value for the header `x-session-id`. It is shown this once.
    pub(crate) token: String,
}

impl SessionView {
    /// A session that is open.
    pub(crate) fn open(info: &SessionInfo, user: UserSnapshot) -> Self {
        Self {
            id: public_id(info.handle),
            user_id: user.id.clone(),
            user_name: user.name.clone(),
            active: true,
            open_time: info.created_at,
            close_time: None,
            request_time: info.last_active_at,
            address: info.ip.map(|ip| ip.to_string()),
            client: info.user_agent.as_deref().map(|agent| browser(agent).to_owned()),
            user,
        }
    }

    /// The session of this request.
    pub(crate) fn current(
        auth: &Auth<User>,
        session: &Session<UserSnapshot>,
    ) -> Result<Self, Rejection> {
        let current = auth.session().ok_or(Rejection::InvalidSession)?;
        Ok(Self::open(&current, (***session).clone()))
    }

    /// The same session, which has just been closed.
    pub(crate) fn closed(self) -> Self {
        Self { active: false, close_time: Some(Utc::now()), ..self }
    }
}

/// The public name of a session, as the originals write ids.
pub(crate) fn public_id(handle: Uuid) -> String {
    handle.simple().to_string()
}

/// The family of a browser, or what another client says of itself.
fn browser(agent: &str) -> &str {
    // What a later one says too, an earlier one says alone.
    let families = [
        ("Edg", "edge"),
        ("OPR", "opera"),
        ("Firefox", "firefox"),
        ("Chrome", "chrome"),
        ("Safari", "safari"),
    ];
    let family = families.iter().find(|(mark, _)| agent.contains(mark));
    family.map_or(agent, |(_, family)| family)
}

/// Roles as clients know them.
pub(crate) fn texts(grants: &[Grant]) -> Vec<String> {
    grants.iter().map(Grant::to_string).collect()
}

impl Services {
    /// Opens a session for a user who has proved who he is. One that the request presents is
    /// closed.
    pub(crate) async fn open_session(
        &self,
        auth: &Auth<User>,
        mut session: Session<UserSnapshot>,
        user: &User,
        rules: Rules,
    ) -> auth_poem::Result<Json<OpenedSession>> {
        // First, because it asks other services: who is not told his token should have none.
        let snapshot = self.snapshot(&user.id, &user.roles).await?;
        let login = auth.login_user(user).await?;
        session.update(|data| *data = snapshot.clone()).await?;
        let token = login.session.and_then(|session| session.token);
        let token = token.ok_or_else(|| Error::fault("no header carries sessions"))?.expose();
        let mut session = SessionView::current(auth, &session)?;
        if rules.token_as_id {
            session.id.clone_from(&token);
        }
        Ok(Json(OpenedSession { session, token }))
    }

    /// Brings up to date what a session remembers, if the user's roles have changed since.
    pub(crate) async fn refresh(
        &self,
        session: &mut Session<UserSnapshot>,
        grants: &[Grant],
    ) -> auth_poem::Result<()> {
        let roles = texts(grants);
        if session.roles != roles {
            session.sites = self.sites.names(&scopes(grants)).await?;
            session.roles = roles;
        }
        Ok(())
    }

    /// What is to be remembered of a user now.
    pub(crate) async fn snapshot(
        &self,
        id: &str,
        grants: &[Grant],
    ) -> auth_poem::Result<UserSnapshot> {
        let account = self.accounts.by_id_or_login(id).await?;
        let account = account.ok_or_else(|| Error::fault("an account is gone"))?;
        Ok(UserSnapshot {
            id: account.id,
            login: account.login,
            name: account.name,
            create_time: account.create_time,
            time_zone: account.time_zone,
            language: account.language,
            theme: account.theme,
            roles: texts(grants),
            change_pwd_time: account.password_time,
            sites: self.sites.names(&scopes(grants)).await?,
            settings: self.settings.section(id).await?,
            custom_hdr: account.custom_hdr,
            custom_dat: account.custom_dat,
        })
    }
}

/// The sites that roles are about.
fn scopes(grants: &[Grant]) -> Vec<&str> {
    grants.iter().filter_map(|grant| grant.scope.as_deref()).collect()
}
