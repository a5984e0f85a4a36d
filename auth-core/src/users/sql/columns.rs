//! How the marked fields of a user stand in columns.

use std::net::IpAddr;

use crate::{error::BoxError, user::AuthRole};

/// A field of roles: a list as a JSON array of names, one role as its name, none as NULL.
pub trait RoleColumn: Sized {
    /// Reads a column.
    ///
    /// # Errors
    ///
    /// - the text is of another form, or names a role that the type does not know
    fn from_text(text: Option<&str>) -> Result<Self, BoxError>;
}

/// A role, or an error that says what the table holds.
fn role<R: AuthRole>(name: &str) -> Result<R, BoxError> {
    R::from_name(name).ok_or_else(|| {
        let known = R::NAMES.join(", ");
        format!("unknown role {name:?}; the known ones are {known}").into()
    })
}

impl<R: AuthRole> RoleColumn for R {
    fn from_text(text: Option<&str>) -> Result<Self, BoxError> {
        role(text.ok_or("a role is missing")?)
    }
}

impl<R: AuthRole> RoleColumn for Option<R> {
    fn from_text(text: Option<&str>) -> Result<Self, BoxError> {
        text.map(role).transpose()
    }
}

impl<R: AuthRole> RoleColumn for Vec<R> {
    fn from_text(text: Option<&str>) -> Result<Self, BoxError> {
        list_from_text(text)?.iter().map(|name| role(name)).collect()
    }
}

/// Reads a list of strings from a JSON array; NULL is an empty list.
///
/// # Errors
///
/// - the text is no JSON array of strings
pub fn list_from_text(text: Option<&str>) -> Result<Vec<String>, BoxError> {
    Ok(match text {
        Some(text) => serde_json::from_str(text)?,
        None => Vec::new(),
    })
}

/// A list of roles as its column holds it, for an application's own INSERT and UPDATE.
pub fn roles_to_text<R: AuthRole>(roles: &[R]) -> String {
    let names: Vec<&str> = roles.iter().map(AuthRole::name).collect();
    serde_json::Value::from(names).to_string()
}

/// A field of a client's address, which stands in its column as text.
pub trait AddressColumn: Sized {
    /// Reads a column.
    ///
    /// # Errors
    ///
    /// - the text is no address
    fn from_text(text: Option<&str>) -> Result<Self, BoxError>;
}

impl AddressColumn for IpAddr {
    fn from_text(text: Option<&str>) -> Result<Self, BoxError> {
        Ok(text.ok_or("an address is missing")?.parse()?)
    }
}

impl AddressColumn for Option<IpAddr> {
    fn from_text(text: Option<&str>) -> Result<Self, BoxError> {
        Ok(text.map(str::parse).transpose()?)
    }
}

/// A password hash is text to every engine.
#[cfg(feature = "sqlite")]
mod password {
    use sqlx::{
        Decode, Type,
        error::BoxDynError,
        sqlite::{Sqlite, SqliteTypeInfo, SqliteValueRef},
    };

    use crate::password::PasswordHash;

    impl Type<Sqlite> for PasswordHash {
        fn type_info() -> SqliteTypeInfo {
            <String as Type<Sqlite>>::type_info()
        }

        fn compatible(ty: &SqliteTypeInfo) -> bool {
            <String as Type<Sqlite>>::compatible(ty)
        }
    }

    impl<'r> Decode<'r, Sqlite> for PasswordHash {
        fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
            <String as Decode<'r, Sqlite>>::decode(value).map(Self::from_stored)
        }
    }
}

/// Makes `FromRow` for a user; `#[derive(AuthUser)]` calls it.
#[cfg(feature = "sqlite")]
#[doc(hidden)]
#[macro_export]
macro_rules! __impl_sql_user {
    ($user:ident; id = $id:ty; fields {
        $($field:ident: $type:ty = $column:literal as $kind:ident),* $(,)?
    }) => {
        impl<'r> $crate::__private::sqlx::FromRow<'r, $crate::__private::sqlx::sqlite::SqliteRow>
            for $user
        {
            fn from_row(
                row: &'r $crate::__private::sqlx::sqlite::SqliteRow,
            ) -> ::core::result::Result<Self, $crate::__private::sqlx::Error> {
                ::core::result::Result::Ok(Self {
                    $($field: $crate::__sql_column!(row, $type, $column, $kind)?,)*
                })
            }
        }
    };
}

/// Without an engine there are no rows.
#[cfg(not(feature = "sqlite"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __impl_sql_user {
    ($($input:tt)*) => {};
}

/// Reads one field from a row.
#[doc(hidden)]
#[macro_export]
macro_rules! __sql_column {
    ($row:ident, $type:ty, $column:literal, plain) => {
        $crate::__private::sqlx::Row::try_get::<$type, _>($row, $column)
    };
    ($row:ident, $type:ty, $column:literal, roles) => {
        $crate::__sql_column!(@text $row, $column, <$type as $crate::users::sql::RoleColumn>::from_text)
    };
    ($row:ident, $type:ty, $column:literal, ip) => {
        $crate::__sql_column!(@text $row, $column, <$type as $crate::users::sql::AddressColumn>::from_text)
    };
    ($row:ident, $type:ty, $column:literal, list) => {
        $crate::__sql_column!(@text $row, $column, $crate::users::sql::list_from_text)
    };
    (@text $row:ident, $column:literal, $read:expr) => {
        $crate::__private::sqlx::Row::try_get::<::core::option::Option<&str>, _>($row, $column)
            .and_then(|text| {
                $read(text).map_err(|source| $crate::__private::sqlx::Error::ColumnDecode {
                    index: ::std::string::String::from($column),
                    source,
                })
            })
    };
}
