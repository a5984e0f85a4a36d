//! Records as rows and back.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{ColumnIndex, Decode, FromRow, Type};
use uuid::Uuid;

use super::own_columns;
use crate::{
    error::{BoxError, Error},
    secret::SecurityStamp,
    session::record::{SessionColumn, SessionColumns, SessionData, SessionLogin, SessionRecord},
    sql::value::{Address, TextColumn, Time},
    user::UserKey,
};

/// A session as it is selected.
pub(super) type Row = (
    Uuid,
    Option<TextColumn>,
    Option<Vec<u8>>,
    Option<Time>,
    TextColumn,
    Time,
    Time,
    i64,
    Time,
    bool,
    Option<Address>,
    Option<String>,
    i64,
);

/// How many columns a [`Row`] has. The application's own come behind.
const ROW: usize = 13;

/// A session as it was found: the framework's columns, and the application's.
pub(super) type Found = (Row, SessionColumns);

/// Takes a row of any engine apart.
pub(super) fn found<R>(row: &R, own: &[SessionColumn]) -> Result<Found, sqlx::Error>
where
    R: sqlx::Row,
    Row: for<'r> FromRow<'r, R>,
    usize: ColumnIndex<R>,
    bool: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    i64: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    String: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    Time: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    Uuid: for<'r> Decode<'r, R::Database> + Type<R::Database>,
{
    Ok((Row::from_row(row)?, own_columns::read(row, ROW, own)?))
}

/// A session as it is written.
pub(super) struct Columns<'a> {
    pub(super) handle: Uuid,
    pub(super) user_key: Option<&'a str>,
    pub(super) stamp: Option<&'a [u8]>,
    pub(super) login_at: Option<Time>,
    pub(super) data: String,
    pub(super) created_at: Time,
    pub(super) last_active_at: Time,
    pub(super) idle_timeout: i64,
    /// From the milliseconds that are stored, so that the statements and
    /// [`SessionRecord::is_live`] agree.
    pub(super) idle_expires_at: Time,
    pub(super) expires_at: Time,
    pub(super) persistent: bool,
    pub(super) ip: Option<Address>,
    pub(super) user_agent: Option<&'a str>,
    pub(super) version: i64,
}

impl<'a> Columns<'a> {
    pub(super) fn of(record: &'a SessionRecord) -> Result<Self, Error> {
        let login = record.login.as_ref();
        let last_active_at = record.last_active_at.timestamp_millis();
        let idle_timeout = record.idle_timeout.num_milliseconds();
        let expires_at = record.expires_at.timestamp_millis();
        Ok(Self {
            handle: record.handle,
            user_key: login.map(|login| login.user.as_str()),
            stamp: login.map(|login| &login.stamp.as_bytes()[..]),
            login_at: login.map(|login| millis(login.at)),
            data: record.data.to_json()?,
            created_at: millis(record.created_at),
            last_active_at: Time(last_active_at),
            idle_timeout,
            idle_expires_at: Time(last_active_at.saturating_add(idle_timeout).min(expires_at)),
            expires_at: Time(expires_at),
            persistent: record.persistent,
            ip: record.ip.map(Address),
            user_agent: record.user_agent.as_deref(),
            version: i64::try_from(record.version).map_err(Error::session_store)?,
        })
    }
}

/// Reads a row.
///
/// # Errors
///
/// - somebody else wrote it: [`Error::Store`]
pub(super) fn record((row, own): Found) -> Result<Arc<SessionRecord>, Error> {
    let handle = row.0;
    read(row, own)
        .map(Arc::new)
        .map_err(|error| Error::session_store(format!("session {handle} cannot be read: {error}")))
}

fn read(row: Row, columns: SessionColumns) -> Result<SessionRecord, BoxError> {
    let (
        handle,
        user_key,
        stamp,
        login_at,
        data,
        created_at,
        last_active_at,
        idle_timeout,
        expires_at,
        persistent,
        ip,
        user_agent,
        version,
    ) = row;
    let login = match (user_key, stamp, login_at) {
        (None, None, None) => None,
        (Some(user), Some(stamp), Some(at)) => Some(SessionLogin {
            user: UserKey::from(user.0),
            stamp: SecurityStamp::from_bytes(
                stamp.try_into().map_err(|_| "its stamp is not 16 bytes long")?,
            ),
            at: time(at)?,
        }),
        // Half a login must not pass for an anonymous session, nor for a whole one.
        _ => return Err("it has a part of a login only".into()),
    };
    Ok(SessionRecord {
        handle,
        login,
        data: SessionData::from_json(&data.0)?,
        created_at: time(created_at)?,
        last_active_at: time(last_active_at)?,
        idle_timeout: TimeDelta::try_milliseconds(idle_timeout)
            .ok_or("its idle timeout is out of range")?,
        expires_at: time(expires_at)?,
        persistent,
        ip: ip.map(|ip| ip.0),
        user_agent,
        columns,
        version: version.try_into()?,
    })
}

/// A time as it is stored.
pub(super) fn millis(at: DateTime<Utc>) -> Time {
    Time(at.timestamp_millis())
}

pub(super) fn time(Time(millis): Time) -> Result<DateTime<Utc>, BoxError> {
    DateTime::from_timestamp_millis(millis).ok_or_else(|| "a time is out of range".into())
}
