//! How a user is read from a row: what `#[derive(AuthUser)]` expands to where an engine is enabled.

/// Implements `sqlx::FromRow` for a user, for every engine that has the types of its fields.
///
/// Two definitions, because a `cfg` inside a macro would be that of the caller's crate.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __impl_sql_user {
    (
        $user:ty; id = $id:ty;
        fields { $($field:ident: $ty:ty = $column:literal as $kind:ident),* $(,)? }
    ) => {
        #[automatically_derived]
        impl<'r, R> $crate::__private::sqlx::FromRow<'r, R> for $user
        where
            R: $crate::__private::sqlx::Row,
            for<'c> &'c ::core::primitive::str: $crate::__private::sqlx::ColumnIndex<R>,
            $crate::users::sql::TextColumn: $crate::__private::sqlx::Decode<'r, R::Database>
                + $crate::__private::sqlx::Type<R::Database>,
            $(
                $crate::__impl_sql_user!(@column $kind $ty):
                    $crate::__private::sqlx::Decode<'r, R::Database>
                    + $crate::__private::sqlx::Type<R::Database>,
            )*
        {
            fn from_row(row: &'r R) -> ::core::result::Result<Self, $crate::__private::sqlx::Error> {
                ::core::result::Result::Ok(Self {
                    $($field: $crate::__impl_sql_user!(@read $kind row $column),)*
                })
            }
        }
    };
    // The type that a column is decoded to.
    (@column plain $ty:ty) => { $ty };
    (@column $kind:ident $ty:ty) => { ::core::option::Option<$crate::users::sql::TextColumn> };
    // The value of a field.
    (@read absent $row:ident $column:literal) => {
        ::core::default::Default::default()
    };
    (@read role_table $row:ident $column:literal) => {
        $crate::users::sql::read_role_table(
            $column, $crate::__private::sqlx::Row::try_get($row, $column)?,
        )?
    };
    (@read plain $row:ident $column:literal) => {
        $crate::__private::sqlx::Row::try_get($row, $column)?
    };
    (@read roles $row:ident $column:literal) => {
        $crate::users::sql::read_roles(
            $column, $crate::__private::sqlx::Row::try_get($row, $column)?,
        )?
    };
    (@read list $row:ident $column:literal) => {
        $crate::users::sql::read_list(
            $column, $crate::__private::sqlx::Row::try_get($row, $column)?,
        )?
    };
    (@read ip $row:ident $column:literal) => {
        $crate::users::sql::read_ip(
            $column, $crate::__private::sqlx::Row::try_get($row, $column)?,
        )?
    };
}

/// Without an engine there are no rows.
#[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
#[doc(hidden)]
#[macro_export]
macro_rules! __impl_sql_user {
    ($($ignored:tt)*) => {};
}
