//! Records as the values of keys, and back.
//!
//! A line that the scripts read too, and then JSON that they leave alone:
//!
//! ```text
//! 1 <version> <last activity> <idle timeout> <expiry> <expiry in the index> <handle> <user>
//! {"login":{…},"data":{…},…}
//! ```
//!
//! Times are milliseconds. The `1` is the version of this form. A user is `=` and the base64url of
//! his key, so that no name can look like anything else; nobody is `.`.

use std::{net::IpAddr, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    error::{BoxError, Error},
    secret::SecurityStamp,
    session::record::{SessionColumns, SessionData, SessionLogin, SessionRecord},
    user::UserKey,
};

/// In which nobody is logged in.
const NOBODY: &str = ".";

/// A session as it is written.
pub(in crate::store) struct Parts {
    pub(in crate::store) version: u64,
    pub(in crate::store) last_active_at: i64,
    pub(in crate::store) idle_timeout: i64,
    pub(in crate::store) expires_at: i64,
    pub(in crate::store) handle: Uuid,
    pub(in crate::store) user: String,
    pub(in crate::store) rest: Vec<u8>,
}

/// What the scripts leave alone, as it is written.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    login: Option<Login>,
    data: &'a SessionData,
    created_at: i64,
    persistent: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<&'a str>,
    #[serde(skip_serializing_if = "SessionColumns::is_empty")]
    columns: &'a SessionColumns,
}

/// The same, as it is read.
#[derive(Deserialize)]
struct Rest {
    login: Option<Login>,
    data: SessionData,
    created_at: i64,
    persistent: bool,
    ip: Option<IpAddr>,
    user_agent: Option<String>,
    #[serde(default)]
    columns: SessionColumns,
}

#[derive(Serialize, Deserialize)]
struct Login {
    stamp: String,
    at: i64,
}

impl Parts {
    pub(in crate::store) fn of(record: &SessionRecord) -> Result<Self, Error> {
        let login = record.login.as_ref();
        let rest = Written {
            login: login.map(|login| Login {
                stamp: URL_SAFE_NO_PAD.encode(login.stamp.as_bytes()),
                at: login.at.timestamp_millis(),
            }),
            data: &record.data,
            created_at: record.created_at.timestamp_millis(),
            persistent: record.persistent,
            ip: record.ip,
            user_agent: record.user_agent.as_deref(),
            columns: &record.columns,
        };
        let rest = serde_json::to_vec(&rest).map_err(|error| Error::session_data("*", &error))?;
        Ok(Self {
            version: record.version,
            last_active_at: record.last_active_at.timestamp_millis(),
            idle_timeout: record.idle_timeout.num_milliseconds(),
            expires_at: record.expires_at.timestamp_millis(),
            handle: record.handle,
            user: login.map_or_else(|| NOBODY.to_owned(), |login| user_name(&login.user)),
            rest,
        })
    }

    /// The value of the key.
    pub(in crate::store) fn value(self) -> Vec<u8> {
        let Self { version, last_active_at, idle_timeout, expires_at, handle, user, mut rest } =
            self;
        let line = format!(
            "1 {version} {last_active_at} {idle_timeout} {expires_at} {expires_at} {handle} {user}\n"
        );
        let mut value = line.into_bytes();
        value.append(&mut rest);
        value
    }

    /// When the session ends if nobody uses it.
    pub(in crate::store) fn ends_at(&self) -> i64 {
        self.last_active_at.saturating_add(self.idle_timeout).min(self.expires_at)
    }
}

/// A user as he stands in keys and values.
pub(in crate::store) fn user_name(user: &UserKey) -> String {
    let mut name = "=".to_owned();
    URL_SAFE_NO_PAD.encode_string(user.as_str(), &mut name);
    name
}

/// Reads a value.
///
/// # Errors
///
/// - somebody else wrote it: [`Error::Store`]
pub(in crate::store) fn record(value: &[u8]) -> Result<Arc<SessionRecord>, Error> {
    // The reason does not quote the value, which may hold a one-time code.
    read(value).map(Arc::new).map_err(|error| {
        Error::session_store(format!("a session in Redis cannot be read: {error}"))
    })
}

fn read(value: &[u8]) -> Result<SessionRecord, BoxError> {
    let end = value.iter().position(|byte| *byte == b'\n').ok_or("it has no first line")?;
    let (line, rest) = (str::from_utf8(&value[..end])?, &value[end + 1..]);
    let fields: Vec<&str> = line.split(' ').collect();
    let ["1", version, last_active_at, idle_timeout, expires_at, _, handle, user] = fields[..]
    else {
        return Err("its first line is not of this version".into());
    };
    let rest: Rest = serde_json::from_slice(rest).map_err(|_| "it holds no session")?;
    let login = match (user.strip_prefix('='), rest.login) {
        (None, None) if user == NOBODY => None,
        (Some(user), Some(login)) => Some(SessionLogin {
            user: UserKey::from(String::from_utf8(URL_SAFE_NO_PAD.decode(user)?)?),
            stamp: SecurityStamp::from_bytes(
                URL_SAFE_NO_PAD
                    .decode(login.stamp)?
                    .try_into()
                    .map_err(|_| "its stamp is not 16 bytes long")?,
            ),
            at: time(login.at)?,
        }),
        // Half a login must not pass for an anonymous session, nor for a whole one.
        _ => return Err("it has a part of a login only".into()),
    };
    Ok(SessionRecord {
        handle: handle.parse()?,
        login,
        data: rest.data,
        created_at: time(rest.created_at)?,
        last_active_at: time(last_active_at.parse()?)?,
        idle_timeout: TimeDelta::try_milliseconds(idle_timeout.parse()?)
            .ok_or("its idle timeout is out of range")?,
        expires_at: time(expires_at.parse()?)?,
        persistent: rest.persistent,
        ip: rest.ip,
        user_agent: rest.user_agent,
        columns: rest.columns,
        version: version.parse()?,
    })
}

fn time(millis: i64) -> Result<DateTime<Utc>, BoxError> {
    DateTime::from_timestamp_millis(millis).ok_or_else(|| "a time is out of range".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(user: Option<&str>) -> SessionRecord {
        let at = DateTime::from_timestamp_millis(1_800_000_000_123).unwrap();
        SessionRecord {
            handle: Uuid::from_u128(7),
            login: user.map(|user| SessionLogin {
                user: UserKey::from(user.to_owned()),
                stamp: SecurityStamp::of_epoch(3),
                at,
            }),
            data: SessionData::from_json(r#"{"":{"v":{"code":"473829"}}}"#).unwrap(),
            created_at: at,
            last_active_at: at,
            idle_timeout: TimeDelta::MAX,
            expires_at: at + TimeDelta::hours(12),
            persistent: true,
            ip: None,
            user_agent: Some("a b\nc".into()),
            columns: SessionColumns::default(),
            version: u64::MAX,
        }
    }

    #[test]
    fn a_value_is_read_as_it_was_written() {
        for user in [None, Some(""), Some("."), Some("users:1 2\n3"), Some("users:🦀")] {
            let given = session(user);
            let value = Parts::of(&given).unwrap().value();
            let read = record(&value).unwrap();
            assert_eq!(read.login, given.login);
            assert_eq!(read.version, u64::MAX);
            assert_eq!(read.user_agent, given.user_agent);
            assert_eq!(read.data.to_json().unwrap(), given.data.to_json().unwrap());
            assert!(read.idle_timeout >= TimeDelta::days(365_000));
        }
    }

    #[test]
    fn what_somebody_else_wrote_is_a_fault_that_keeps_it_to_itself() {
        let value = |user| String::from_utf8(Parts::of(&session(user)).unwrap().value()).unwrap();
        let (nobodys, anns) = (value(None), value(Some("users:ann")));
        let half = nobodys.replacen(" .\n", " =dXNlcnM6YW5u\n", 1);
        let other_half = anns.replacen(" =dXNlcnM6YW5u\n", " .\n", 1);
        assert_ne!((&half, &other_half), (&nobodys, &anns));
        for bad in [
            String::new(),
            "PONG".into(),
            "\n".into(),
            nobodys.replacen("1 ", "2 ", 1),
            nobodys.replacen("473829", "473829\"", 1),
            nobodys.replacen("1800000000123", "soon", 1),
            anns.replacen("\"stamp\":\"", "\"stamp\":\"AA", 1),
            half,
            other_half,
        ] {
            let error = record(bad.as_bytes()).unwrap_err();
            assert!(matches!(error, Error::Store { store: "session", .. }), "{bad:?}: {error:?}");
            assert!(!error.to_string().contains("473829"), "{error}");
        }
    }
}
