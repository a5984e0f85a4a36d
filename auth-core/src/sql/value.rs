//! What can be bound to a statement and read from a row, on every enabled engine.

use std::net::IpAddr;

use chrono::{DateTime, Utc};

use crate::error::BoxError;

/// A value that every enabled engine can store, such as a user's id.
///
/// Implemented for every type that `sqlx` can encode for those engines: `i64`, `String` and `Uuid`
/// are on all of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a value of every enabled SQL engine",
    note = "`i64`, `String` and `uuid::Uuid` are values of all engines"
)]
pub trait SqlValue:
    engine::SqliteValue + engine::PgValue + engine::MySqlValue + Send + Sync
{
}

impl<T> SqlValue for T where
    T: engine::SqliteValue + engine::PgValue + engine::MySqlValue + Send + Sync
{
}

/// A type that can be read from a row of every enabled engine.
///
/// Implemented for every type that is `sqlx::FromRow` for those engines.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a row of every enabled SQL engine",
    note = "each field without an attribute must be a type that `sqlx` can decode"
)]
pub trait SqlRow:
    engine::FromSqliteRow + engine::FromPgRow + engine::FromMySqlRow + Send + Unpin
{
}

impl<T> SqlRow for T where
    T: engine::FromSqliteRow + engine::FromPgRow + engine::FromMySqlRow + Send + Unpin
{
}

/// For each engine what it asks for, or nothing where it is not enabled.
mod engine {
    macro_rules! asks {
        ($feature:literal, $value:ident, $row:ident, $database:path, $engine_row:path) => {
            #[cfg(feature = $feature)]
            pub trait $value: for<'q> sqlx::Encode<'q, $database> + sqlx::Type<$database> {}
            #[cfg(feature = $feature)]
            impl<T> $value for T where T: for<'q> sqlx::Encode<'q, $database> + sqlx::Type<$database> {}
            #[cfg(not(feature = $feature))]
            pub trait $value {}
            #[cfg(not(feature = $feature))]
            impl<T> $value for T {}

            #[cfg(feature = $feature)]
            pub trait $row: for<'r> sqlx::FromRow<'r, $engine_row> {}
            #[cfg(feature = $feature)]
            impl<T> $row for T where T: for<'r> sqlx::FromRow<'r, $engine_row> {}
            #[cfg(not(feature = $feature))]
            pub trait $row {}
            #[cfg(not(feature = $feature))]
            impl<T> $row for T {}
        };
    }

    asks!("sqlite", SqliteValue, FromSqliteRow, sqlx::Sqlite, sqlx::sqlite::SqliteRow);
    asks!("postgres", PgValue, FromPgRow, sqlx::Postgres, sqlx::postgres::PgRow);
    asks!("mysql", MySqlValue, FromMySqlRow, sqlx::MySql, sqlx::mysql::MySqlRow);
}

/// A time in milliseconds since 1970: an integer in SQLite, which has no type for times, a
/// `timestamptz` in PostgreSQL, a `datetime(3)` in UTC in MySQL.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Time(pub(crate) i64);

impl Time {
    pub(crate) fn of(at: DateTime<Utc>) -> Self {
        Self(at.timestamp_millis())
    }

    pub(crate) fn read(self) -> Result<DateTime<Utc>, BoxError> {
        DateTime::from_timestamp_millis(self.0).ok_or_else(|| "a time is out of range".into())
    }
}

/// An IP address: text in SQLite and MySQL, `inet` in PostgreSQL.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Address(pub(crate) IpAddr);

/// Reads what the engine can show as text: text itself, and JSON and addresses where they have
/// types of their own.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct TextColumn(pub(crate) String);
