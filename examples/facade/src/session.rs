//! What a session remembers of its user, and how a session looks to a client.

use auth_poem::{Error, features::SessionInfo, prelude::*};
use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    services::{Services, sites::SiteName},
    user::{Grant, User},
};

/// What a session remembers of its user, so that a client need not ask for it. Nobody is let in by
/// it: guards ask for the roles anew.
#[derive(SessionSchema, Debug, Clone, Default, Object, Serialize, Deserialize)]
#[oai(rename = "SessionUser", skip_serializing_if_is_none)]
pub struct UserSnapshot {
    id: String,
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

impl UserSnapshot {
    /// Takes over the roles that the user has by now, and says whether they are others.
    pub(crate) fn set_roles(&mut self, grants: &[Grant]) -> bool {
        let roles: Vec<_> = grants.iter().map(Grant::to_string).collect();
        let changed = self.roles != roles;
        self.roles = roles;
        changed
    }
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

impl Services {
    /// What is to be remembered of a user now.
    pub(crate) async fn snapshot(&self, user: &User) -> auth_poem::Result<UserSnapshot> {
        let account = self.accounts.by_id_or_login(&user.id).await?;
        let account = account.ok_or_else(|| Error::fault("an account is gone"))?;
        let sites: Vec<_> = user.sites().collect();
        let mut snapshot = UserSnapshot {
            id: account.id,
            login: account.login,
            name: account.name,
            create_time: account.create_time,
            time_zone: account.time_zone,
            language: account.language,
            theme: account.theme,
            roles: Vec::new(),
            change_pwd_time: account.password_time,
            sites: self.sites.names(&sites).await?,
            settings: self.settings.section(&user.id).await?,
            custom_hdr: account.custom_hdr,
            custom_dat: account.custom_dat,
        };
        snapshot.set_roles(&user.roles);
        Ok(snapshot)
    }
}
