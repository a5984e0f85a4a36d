//! Columns that are not values of an engine by themselves: roles, lists, addresses, hashes.
//!
//! To the framework all are text, which every engine has and every other program can read. Where an
//! engine has a type of its own for one, that is read too.

use std::net::{AddrParseError, IpAddr};

use sqlx::{Database, Decode, Encode, Type, encode::IsNull, error::BoxDynError};

use crate::{
    password::PasswordHash,
    secret::TokenId,
    sql::value::TextColumn,
    user::{AuthRole, ScopeError, Scoped},
};

/// What an `#[auth(roles)]` field is in its column: one role is its name, a list is a JSON array of
/// names, none is NULL. A role in a scope is written as `scope:name`.
pub trait RoleColumn: Sized {
    /// The text of the column.
    fn to_text(&self) -> Option<String>;

    /// The roles in the text of the column. An error says what is wrong.
    ///
    /// # Errors
    ///
    /// - a name that is not a role, or a text that is not what [`to_text`](Self::to_text) writes
    fn from_text(text: Option<String>) -> Result<Self, ColumnError>;
}

/// Why a column cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ColumnError {
    /// The application has no such role: it was removed or renamed, or somebody mistyped it.
    #[error("there is no role `{name}`; the roles are {known:?}")]
    UnknownRole {
        /// The name in the column.
        name: String,
        /// The names of the roles.
        known: &'static [&'static str],
    },
    /// A role in a scope that is empty.
    #[error("the role `{text}` has an empty scope")]
    EmptyScope {
        /// The text in the column.
        text: String,
    },
    /// The column is NULL and the field has no value for that.
    #[error("the column is NULL")]
    Null,
    /// The column is not a JSON array of strings.
    #[error("not a JSON array of strings: {0}")]
    NotAList(#[source] serde_json::Error),
    /// The column is not an IP address.
    #[error("not an IP address: {0}")]
    NotAnAddress(#[source] AddrParseError),
}

fn role<R: AuthRole>(name: String) -> Result<R, ColumnError> {
    R::from_name(&name).ok_or(ColumnError::UnknownRole { name, known: R::NAMES })
}

pub(super) fn scoped<R: AuthRole>(text: String) -> Result<Scoped<R>, ColumnError> {
    text.parse().map_err(|error| match error {
        ScopeError::UnknownRole => ColumnError::UnknownRole { name: text, known: R::NAMES },
        ScopeError::EmptyScope => ColumnError::EmptyScope { text },
    })
}

impl<R: AuthRole> RoleColumn for R {
    fn to_text(&self) -> Option<String> {
        Some(self.name().to_owned())
    }

    fn from_text(text: Option<String>) -> Result<Self, ColumnError> {
        role(text.ok_or(ColumnError::Null)?)
    }
}

impl<R: AuthRole> RoleColumn for Option<R> {
    fn to_text(&self) -> Option<String> {
        self.as_ref().and_then(R::to_text)
    }

    fn from_text(text: Option<String>) -> Result<Self, ColumnError> {
        text.map(role).transpose()
    }
}

impl<R: AuthRole> RoleColumn for Vec<R> {
    fn to_text(&self) -> Option<String> {
        Some(list_to_text(self.iter().map(R::name)))
    }

    /// NULL is no roles: the least that it can mean.
    fn from_text(text: Option<String>) -> Result<Self, ColumnError> {
        list(text)?.into_iter().map(role).collect()
    }
}

impl<R: AuthRole> RoleColumn for Vec<Scoped<R>> {
    fn to_text(&self) -> Option<String> {
        Some(list_to_text(self.iter().map(Scoped::to_string)))
    }

    /// NULL is no roles: the least that it can mean.
    fn from_text(text: Option<String>) -> Result<Self, ColumnError> {
        list(text)?.into_iter().map(scoped).collect()
    }
}

fn list(text: Option<String>) -> Result<Vec<String>, ColumnError> {
    let read = |text: String| serde_json::from_str(&text).map_err(ColumnError::NotAList);
    text.map_or_else(|| Ok(Vec::new()), read)
}

/// The text of an `#[auth(roles)]` column, for the application's own INSERT and UPDATE.
pub fn roles_to_text<T: RoleColumn>(roles: &T) -> Option<String> {
    roles.to_text()
}

/// The text of an `#[auth(permissions)]` column, for the application's own INSERT and UPDATE.
pub fn list_to_text<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> String {
    serde_json::Value::from_iter(items.into_iter().map(|item| item.as_ref().to_owned())).to_string()
}

/// What an address field may be: `IpAddr` or `Option<IpAddr>`.
pub trait IpColumn: Sized {
    #[doc(hidden)]
    fn from_address(address: Option<IpAddr>) -> Option<Self>;
}

impl IpColumn for IpAddr {
    fn from_address(address: Option<IpAddr>) -> Option<Self> {
        address
    }
}

impl IpColumn for Option<IpAddr> {
    fn from_address(address: Option<IpAddr>) -> Option<Self> {
        Some(address)
    }
}

fn unreadable(column: &str, source: ColumnError) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: source.into() }
}

#[doc(hidden)]
pub fn read_roles<T: RoleColumn>(column: &str, text: Option<TextColumn>) -> Result<T, sqlx::Error> {
    T::from_text(text.map(|text| text.0)).map_err(|error| unreadable(column, error))
}

/// Reads the pairs of scope and role that a SELECT makes of a table of roles.
#[doc(hidden)]
pub fn read_role_table<R: AuthRole>(
    column: &str,
    pairs: Option<TextColumn>,
) -> Result<Vec<Scoped<R>>, sqlx::Error> {
    let read = |pairs: TextColumn| -> Result<_, ColumnError> {
        let mut pairs: Vec<(String, String)> =
            serde_json::from_str(&pairs.0).map_err(ColumnError::NotAList)?;
        pairs.sort();
        pairs.into_iter().map(|(scope, name)| in_table(scope, name)).collect()
    };
    pairs.map_or_else(|| Ok(Vec::new()), read).map_err(|error| unreadable(column, error))
}

/// A role out of a row of a table of roles, where no scope is an empty text.
pub(super) fn in_table<R: AuthRole>(scope: String, name: String) -> Result<Scoped<R>, ColumnError> {
    Ok(Scoped { scope: Some(scope).filter(|scope| !scope.is_empty()), role: role(name)? })
}

#[doc(hidden)]
pub fn read_list(column: &str, text: Option<TextColumn>) -> Result<Vec<String>, sqlx::Error> {
    list(text.map(|text| text.0)).map_err(|error| unreadable(column, error))
}

#[doc(hidden)]
pub fn read_ip<T: IpColumn>(column: &str, text: Option<TextColumn>) -> Result<T, sqlx::Error> {
    text.map(|text| address(&text.0).map_err(ColumnError::NotAnAddress))
        .transpose()
        .and_then(|address| T::from_address(address).ok_or(ColumnError::Null))
        .map_err(|error| unreadable(column, error))
}

/// Reads an address. PostgreSQL adds the length of the network when it writes an `inet` into a text
/// column.
fn address(text: &str) -> Result<IpAddr, AddrParseError> {
    let host = text.strip_suffix("/32").or_else(|| text.strip_suffix("/128"));
    host.unwrap_or(text).parse()
}

/// Makes a type text to every engine: how it is written, and how it is read back.
macro_rules! text_value {
    ([$($generics:tt)*] $ty:ty, $write:expr, $read:expr) => {
        impl<DB: Database, $($generics)*> Type<DB> for $ty
        where
            String: Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                String::type_info()
            }

            fn compatible(ty: &DB::TypeInfo) -> bool {
                String::compatible(ty)
            }
        }

        impl<'q, DB: Database, $($generics)*> Encode<'q, DB> for $ty
        where
            String: Encode<'q, DB>,
        {
            fn encode_by_ref(
                &self,
                buf: &mut <DB as Database>::ArgumentBuffer,
            ) -> Result<IsNull, BoxDynError> {
                let write: fn(&Self) -> String = $write;
                write(self).encode(buf)
            }
        }

        impl<'r, DB: Database, $($generics)*> Decode<'r, DB> for $ty
        where
            String: Decode<'r, DB>,
        {
            fn decode(value: <DB as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
                let read: fn(String) -> Result<Self, BoxDynError> = $read;
                read(String::decode(value)?)
            }
        }
    };
}

text_value!([] PasswordHash, |hash| hash.expose().to_owned(), |text| Ok(Self::from_stored(text)));
text_value!([] TokenId, TokenId::to_string, |text| Ok(text.parse()?));
text_value!([R: AuthRole] Scoped<R>, Scoped::to_string, |text| Ok(scoped(text)?));
