//! Values as the columns of every engine hold them: text and integers.

use auth_poem::{fault::BoxError, prelude::*};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Row, any::AnyRow};

use super::{Result, fault};

/// A column with a time: milliseconds since 1970.
pub(super) fn time(row: &AnyRow, column: &str) -> sqlx::Result<DateTime<Utc>> {
    let millis = row.try_get(column)?;
    DateTime::from_timestamp_millis(millis)
        .ok_or_else(|| unreadable(column, "a time that is out of range"))
}

/// A column with a JSON document, or with nothing, which reads like `null`.
pub(super) fn json<T: DeserializeOwned>(row: &AnyRow, column: &str) -> sqlx::Result<T> {
    let text: Option<String> = row.try_get(column)?;
    serde_json::from_str(text.as_deref().unwrap_or("null"))
        .map_err(|error| unreadable(column, error))
}

/// A document as its column holds it.
pub(super) fn text(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(fault)
}

/// `$3, $4, $5`: as many parameters as asked for, the first with this number.
pub(super) fn parameters(first: usize, count: usize) -> String {
    let all: Vec<_> = (first..first + count).map(|number| format!("${number}")).collect();
    all.join(", ")
}

/// A pattern for `LIKE … ESCAPE '!'` that finds a text anywhere, whatever it contains.
pub(super) fn anywhere(text: &str) -> String {
    let escaped = text.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{escaped}%")
}

fn unreadable(column: &str, source: impl Into<BoxError>) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: source.into() }
}
