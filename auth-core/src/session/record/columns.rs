//! Columns that an application adds to its sessions: [`SessionColumns`].

use std::{borrow::Cow, collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::to_the_millisecond;

/// The values of columns that the application has added to its sessions, by name.
///
/// Where [`SessionData`](super::SessionData) is for requests of the session itself, columns are for
/// questions about many sessions: whose, from which device, of which tenant. Stores with tables keep
/// each in a column of its own, which the application's own SQL can ask about.
///
/// A column without a value and one that is [`Null`](ColumnValue::Null) are the same.
///
/// # Security
///
/// `Debug` shows the names and not the values.
///
/// # Examples
///
/// ```
/// use auth_core::session::record::{ColumnValue, SessionColumns};
///
/// let mut columns = SessionColumns::default().with("device", "phone").with("tenant", 7);
/// assert_eq!(columns.get("tenant"), &ColumnValue::Integer(7));
/// columns.set("device", None::<String>);
/// assert_eq!(columns.get("device"), &ColumnValue::Null);
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionColumns(BTreeMap<Cow<'static, str>, ColumnValue>);

/// The value of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ColumnValue {
    /// None.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer of 64 bits.
    Integer(i64),
    /// Text.
    Text(String),
    /// A time, to the millisecond.
    Time(DateTime<Utc>),
    /// A uuid.
    Uuid(Uuid),
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ColumnType {
    /// Truth values.
    Bool,
    /// Integers of 64 bits.
    Integer,
    /// Text.
    Text,
    /// Times, to the millisecond.
    Time,
    /// Uuids.
    Uuid,
}

/// A column that a store was told to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionColumn {
    /// Its name.
    pub name: &'static str,
    /// What its values are.
    pub kind: ColumnType,
}

impl SessionColumns {
    /// Says which value has no place in these columns; `None` where all have.
    #[must_use]
    pub fn problem(&self, columns: &[SessionColumn]) -> Option<String> {
        self.iter().find_map(|(name, value)| {
            let Some(column) = columns.iter().find(|column| column.name == name) else {
                return Some(format!(
                    "a session has a value in the column `{name}`, which was not declared: call \
                     SqlSessions::column"
                ));
            };
            let (wanted, given) = (column.kind, value.column_type()?);
            (wanted != given).then(|| {
                format!(
                    "a session has a value of the type {given:?} in the column `{name}`, which was \
                     declared as {wanted:?}"
                )
            })
        })
    }

    /// Takes all values of others over its own.
    pub(crate) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// The value of a column; [`Null`](ColumnValue::Null) where there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &ColumnValue {
        self.0.get(name).unwrap_or(&ColumnValue::Null)
    }

    /// Gives a column a value. A NUL in text, which not all databases can store, becomes U+FFFD: no
    /// client can make a fault out of one.
    pub fn set(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<ColumnValue>) {
        match (name.into(), value.into()) {
            (name, ColumnValue::Null) => drop(self.0.remove(&name)),
            (name, ColumnValue::Text(text)) if text.contains('\0') => {
                drop(self.0.insert(name, ColumnValue::Text(text.replace('\0', "\u{fffd}"))));
            }
            (name, value) => drop(self.0.insert(name, value)),
        }
    }

    /// The same with a value in one more column.
    #[must_use]
    pub fn with(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<ColumnValue>,
    ) -> Self {
        self.set(name, value);
        self
    }

    /// The columns that have values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ColumnValue)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// Whether no column has a value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for SessionColumns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl ColumnValue {
    /// The type of the column that it fits; `None` for [`Null`](Self::Null), which fits all.
    #[must_use]
    pub fn column_type(&self) -> Option<ColumnType> {
        match self {
            Self::Null => None,
            Self::Bool(_) => Some(ColumnType::Bool),
            Self::Integer(_) => Some(ColumnType::Integer),
            Self::Text(_) => Some(ColumnType::Text),
            Self::Time(_) => Some(ColumnType::Time),
            Self::Uuid(_) => Some(ColumnType::Uuid),
        }
    }
}

macro_rules! values {
    ($($type:ty, |$value:ident| $column:expr;)*) => {$(
        impl From<$type> for ColumnValue {
            fn from($value: $type) -> Self {
                $column
            }
        }
    )*};
}

values! {
    bool, |value| Self::Bool(value);
    i64, |value| Self::Integer(value);
    i32, |value| Self::Integer(value.into());
    u32, |value| Self::Integer(value.into());
    &str, |value| Self::Text(value.to_owned());
    String, |value| Self::Text(value);
    Uuid, |value| Self::Uuid(value);
    DateTime<Utc>, |value| Self::Time(to_the_millisecond(value));
}

impl<T: Into<ColumnValue>> From<Option<T>> for ColumnValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
