//! What a store keeps of a session: [`SessionRecord`].

use std::{collections::BTreeMap, fmt, net::IpAddr};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{secret::SecurityStamp, user::UserKey};

mod columns;

pub use self::columns::{ColumnType, ColumnValue, SessionColumn, SessionColumns};

/// One session as its store keeps it.
///
/// Records are immutable values; a change is a new record with the next [`version`](Self::version),
/// which the store takes only if the old one is still there.
#[derive(Debug, Clone)]
pub struct SessionRecord {
    /// The public name of the session, for lists and for revocation. Not a secret.
    pub handle: Uuid,
    /// Who is logged in; `None` for an anonymous session.
    pub login: Option<SessionLogin>,
    /// The data, one object per schema.
    pub data: SessionData,
    /// When the session began.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_active_at: DateTime<Utc>,
    /// How long it may go unused.
    pub idle_timeout: TimeDelta,
    /// When it ends however much it is used.
    pub expires_at: DateTime<Utc>,
    /// Whether the cookie outlives the browser (it then has a `Max-Age`).
    pub persistent: bool,
    /// The client's address when the session began.
    pub ip: Option<IpAddr>,
    /// The client's `User-Agent` when the session began, at most 255 bytes of it.
    pub user_agent: Option<String>,
    /// What the application adds: columns of its own.
    pub columns: SessionColumns,
    /// Raised by one with every change but [`touch`](crate::store::SessionStore::touch).
    pub version: u64,
}

/// Who is logged in to a session, since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionLogin {
    /// The user.
    pub user: UserKey,
    /// The user's stamp at login.
    pub stamp: SecurityStamp,
    /// When the user proved who he is.
    pub at: DateTime<Utc>,
}

impl SessionRecord {
    /// When the session ends if it is not used from now on.
    #[must_use]
    pub fn idle_expires_at(&self) -> DateTime<Utc> {
        self.last_active_at
            .checked_add_signed(self.idle_timeout)
            .map_or(self.expires_at, |idle| idle.min(self.expires_at))
    }

    /// Whether the session is alive. A session dies at the instant of its expiry, not after it.
    #[must_use]
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        now < self.idle_expires_at()
    }
}

/// The data of a session: one JSON object per schema, by the schema's name. Untyped data lies under
/// the empty name.
///
/// Objects stay text until somebody asks for them: a request that reads one schema parses one.
///
/// # Security
///
/// `Debug` shows the names of the schemes and nothing of what is under them: one-time codes are
/// session data.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionData(pub BTreeMap<String, DataSlot>);

impl fmt::Debug for SessionData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter()).finish()
    }
}

impl fmt::Debug for DataSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataSlot").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// One schema's data.
#[derive(Clone, Serialize, Deserialize)]
pub struct DataSlot {
    /// The JSON object.
    #[serde(rename = "v")]
    pub value: Box<RawValue>,
    /// When the data dies, where that is before the session does.
    #[serde(
        rename = "x",
        default,
        skip_serializing_if = "Option::is_none",
        with = "chrono::serde::ts_milliseconds_option"
    )]
    pub expires_at: Option<DateTime<Utc>>,
}

impl SessionData {
    /// The data as a store keeps it.
    ///
    /// # Errors
    ///
    /// - serde cannot write it: [`Error::SessionData`](crate::error::Error::SessionData)
    pub fn to_json(&self) -> Result<String, crate::error::Error> {
        serde_json::to_string(&self.0).map_err(Self::error)
    }

    /// Reads the data back.
    ///
    /// # Errors
    ///
    /// - it is not what [`to_json`](Self::to_json) wrote:
    ///   [`Error::SessionData`](crate::error::Error::SessionData)
    pub fn from_json(json: &str) -> Result<Self, crate::error::Error> {
        serde_json::from_str(json).map(Self).map_err(Self::error)
    }

    fn error(error: serde_json::Error) -> crate::error::Error {
        crate::error::Error::session_data("*", &error)
    }

    /// The live data under a name.
    #[must_use]
    pub fn get(&self, name: &str, now: DateTime<Utc>) -> Option<&RawValue> {
        let slot = self.0.get(name)?;
        slot.expires_at.is_none_or(|at| now < at).then_some(&*slot.value)
    }
}
