//! What differs between the SQL engines, and nothing else.

use super::SqlPool;

/// An engine's way to say what the stores ask for. A store builds its statements with it once.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Dialect {
    #[cfg(feature = "sqlite")]
    Sqlite,
}

impl Dialect {
    pub(crate) fn of(pool: &SqlPool) -> Self {
        match *pool {
            #[cfg(feature = "sqlite")]
            SqlPool::Sqlite(_) => Self::Sqlite,
        }
    }

    /// A table's or a column's name, quoted.
    pub(crate) fn name(self, name: &str) -> String {
        match self {
            // Not double quotes: SQLite takes such a name for a string if there is no such column.
            #[cfg(feature = "sqlite")]
            Self::Sqlite => format!("`{}`", name.replace('`', "``")),
        }
    }

    /// The placeholder of the `n`th bound value, from 1. A statement uses each once and in order,
    /// because some engines only count them.
    pub(crate) fn value(self, n: usize) -> String {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite => format!("?{n}"),
        }
    }

    /// Whether a text column has exactly this value, whatever the column's collation.
    pub(crate) fn same_text(self, column: &str, value: &str) -> String {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite => format!("{column} = {value} COLLATE BINARY"),
        }
    }

    /// Whether a text column has this value, which is in ASCII lower case, in any ASCII case. An
    /// index on `lower(column)` serves it.
    pub(crate) fn same_text_in_any_case(self, column: &str, value: &str) -> String {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite => format!("lower({column}) = {value}"),
        }
    }

    /// Whether a text column has exactly this value, where NULL is a value like others.
    pub(crate) fn same_text_or_null(self, column: &str, value: &str) -> String {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite => format!("{column} IS {value}"),
        }
    }
}
