//! The columns that the application adds to the table.

use chrono::DateTime;
use sqlx::{ColumnIndex, Decode, Row, Type};
use uuid::Uuid;

use crate::{
    error::{BoxError, Error},
    session::record::{ColumnType, ColumnValue, SessionColumn, SessionColumns},
    sql::value::Time,
};

/// The framework's own columns, which no other may be called like.
const TAKEN: [&str; 17] = [
    "key_hash",
    "handle",
    "user_key",
    "stamp",
    "login_at",
    "data",
    "created_at",
    "last_active_at",
    "idle_timeout",
    "idle_expires_at",
    "expires_at",
    "persistent",
    "ip",
    "user_agent",
    "version",
    "deleted_at",
    "deleted_by",
];

/// A value as it is bound: the type stands, the value may be NULL.
pub(super) enum Bound<'a> {
    Bool(Option<bool>),
    Integer(Option<i64>),
    Text(Option<&'a str>),
    Time(Option<Time>),
    Uuid(Option<Uuid>),
}

/// Binds the values of the application's columns to a query.
macro_rules! bind_own {
    ($query:expr, $values:expr) => {{
        let mut query = $query;
        for value in $values {
            query = match *value {
                $crate::store::sql::own_columns::Bound::Bool(value) => query.bind(value),
                $crate::store::sql::own_columns::Bound::Integer(value) => query.bind(value),
                $crate::store::sql::own_columns::Bound::Text(value) => query.bind(value),
                $crate::store::sql::own_columns::Bound::Time(value) => query.bind(value),
                $crate::store::sql::own_columns::Bound::Uuid(value) => query.bind(value),
            };
        }
        query
    }};
}
pub(super) use bind_own;

/// Says what is wrong with a new column beside these.
pub(super) fn problem(columns: &[SessionColumn], name: &str) -> Option<&'static str> {
    let is_it = |other: &str| other.eq_ignore_ascii_case(name);
    if TAKEN.iter().any(|other| is_it(other)) {
        return Some("the framework has a column of that name");
    }
    columns.iter().any(|column| is_it(column.name)).then_some("it was declared already")
}

/// The values of a record, in the order of the columns.
///
/// # Errors
///
/// - a value of a column that was not declared, or of another type: [`Error::Misconfigured`]
pub(super) fn bound<'a>(
    columns: &[SessionColumn],
    values: &'a SessionColumns,
) -> Result<Vec<Bound<'a>>, Error> {
    if let Some(problem) = values.problem(columns) {
        return Err(Error::Misconfigured(problem));
    }
    let bound = columns.iter().map(|column| match (column.kind, values.get(column.name)) {
        (_, ColumnValue::Bool(value)) => Bound::Bool(Some(*value)),
        (_, ColumnValue::Integer(value)) => Bound::Integer(Some(*value)),
        (_, ColumnValue::Text(value)) => Bound::Text(Some(value)),
        (_, ColumnValue::Time(value)) => Bound::Time(Some(Time(value.timestamp_millis()))),
        (_, ColumnValue::Uuid(value)) => Bound::Uuid(Some(*value)),
        (ColumnType::Bool, ColumnValue::Null) => Bound::Bool(None),
        (ColumnType::Integer, ColumnValue::Null) => Bound::Integer(None),
        (ColumnType::Text, ColumnValue::Null) => Bound::Text(None),
        (ColumnType::Time, ColumnValue::Null) => Bound::Time(None),
        (ColumnType::Uuid, ColumnValue::Null) => Bound::Uuid(None),
    });
    Ok(bound.collect())
}

/// Reads the values out of a row, behind as many columns of the framework's.
pub(super) fn read<'r, R>(
    row: &'r R,
    behind: usize,
    columns: &[SessionColumn],
) -> Result<SessionColumns, sqlx::Error>
where
    R: Row,
    usize: ColumnIndex<R>,
    bool: Decode<'r, R::Database> + Type<R::Database>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    String: Decode<'r, R::Database> + Type<R::Database>,
    Time: Decode<'r, R::Database> + Type<R::Database>,
    Uuid: Decode<'r, R::Database> + Type<R::Database>,
{
    let mut values = SessionColumns::default();
    for (index, column) in (behind..).zip(columns) {
        let value: ColumnValue = match column.kind {
            ColumnType::Bool => row.try_get::<Option<bool>, _>(index)?.into(),
            ColumnType::Integer => row.try_get::<Option<i64>, _>(index)?.into(),
            ColumnType::Text => row.try_get::<Option<String>, _>(index)?.into(),
            ColumnType::Uuid => row.try_get::<Option<Uuid>, _>(index)?.into(),
            ColumnType::Time => {
                let time = row.try_get::<Option<Time>, _>(index)?.map(|Time(millis)| {
                    DateTime::from_timestamp_millis(millis).ok_or("a time is out of range")
                });
                let time = time.transpose().map_err(|error| sqlx::Error::ColumnDecode {
                    index: column.name.into(),
                    source: BoxError::from(error),
                })?;
                time.into()
            }
        };
        values.set(column.name, value);
    }
    Ok(values)
}
