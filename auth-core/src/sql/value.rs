//! What can be bound to a statement and read from a row, on every enabled engine.

/// A value that every enabled engine can store, such as a user's id.
///
/// Implemented for every type that `sqlx` can encode for those engines: `i64`, `String` and `Uuid`
/// are on all of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a value of every enabled SQL engine",
    note = "`i64`, `String` and `uuid::Uuid` are values of all engines"
)]
pub trait SqlValue: engine::SqliteValue + Send + Sync {}

impl<T: engine::SqliteValue + Send + Sync> SqlValue for T {}

/// A type that can be read from a row of every enabled engine.
///
/// Implemented for every type that is `sqlx::FromRow` for those engines.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a row of every enabled SQL engine",
    note = "each field without an attribute must be a type that `sqlx` can decode"
)]
pub trait SqlRow: engine::FromSqliteRow + Send + Unpin {}

impl<T: engine::FromSqliteRow + Send + Unpin> SqlRow for T {}

/// For each engine what it asks for, or nothing where it is not enabled.
mod engine {
    #[cfg(feature = "sqlite")]
    pub trait SqliteValue:
        for<'q> sqlx::Encode<'q, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>
    {
    }
    #[cfg(feature = "sqlite")]
    impl<T> SqliteValue for T where T: for<'q> sqlx::Encode<'q, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite> {}
    #[cfg(not(feature = "sqlite"))]
    pub trait SqliteValue {}
    #[cfg(not(feature = "sqlite"))]
    impl<T> SqliteValue for T {}

    #[cfg(feature = "sqlite")]
    pub trait FromSqliteRow: for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> {}
    #[cfg(feature = "sqlite")]
    impl<T> FromSqliteRow for T where T: for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> {}
    #[cfg(not(feature = "sqlite"))]
    pub trait FromSqliteRow {}
    #[cfg(not(feature = "sqlite"))]
    impl<T> FromSqliteRow for T {}
}
