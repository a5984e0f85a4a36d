//! In what the engines differ: [`Dialect`].

use super::SqlPool;
use crate::error::Error;

/// The longest table name: PostgreSQL cuts names off after 63 bytes, and those of a table's indexes
/// are longer than its own.
const LONGEST_NAME: usize = 40;

/// One engine's way of saying things.
///
/// Where a template has parts, the value stands between them.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// Begins a transaction that already holds what a migration needs. SQLite would otherwise begin
    /// as a reader and fail at the first write if another process wrote meanwhile.
    pub(crate) begin: &'static str,
    /// Template: begins a transaction, after waiting for others that have begun with the same number.
    /// In SQLite there is one writer anyway.
    begin_with_lock: [&'static str; 2],
    /// Binds a type as it stands in CREATE TABLE, a table and a column: the type that the column
    /// has, and the one that was bound, in the same words. No row where there is no such column.
    pub(crate) column_type: &'static str,
    /// The type of an integer of 64 bits.
    pub(crate) integer: &'static str,
    /// The type of a truth value.
    pub(crate) boolean: &'static str,
    /// The type of up to 32 bytes; a prefix of such a column is never compared.
    pub(crate) bytes: &'static str,
    /// The type as which the driver writes a uuid.
    pub(crate) uuid: &'static str,
    /// The type of a [`Time`](super::value::Time).
    pub(crate) time: &'static str,
    /// The type of an [`Address`](super::value::Address).
    pub(crate) address: &'static str,
    /// The type of JSON that is only read and written as a whole, and whose text is kept as it is.
    pub(crate) json: &'static str,
    /// Template: text that is a parameter, as JSON.
    pub(crate) as_json: [&'static str; 2],
    /// Template of three parts: all pairs of two text columns, as one JSON array of arrays.
    pub(crate) json_pairs: [&'static str; 3],
    /// Template, behind a time: so many milliseconds later.
    pub(crate) plus_millis: [&'static str; 2],
    /// Template, behind a unique column of a DELETE or an UPDATE: where it is one of those that a SELECT with a
    /// LIMIT finds, without waiting for rows that somebody else is at. `None` where these may have
    /// a LIMIT themselves.
    one_of: Option<[&'static str; 2]>,
    /// The type of long text.
    pub(crate) text: &'static str,
    /// The type of text in an index, compared byte by byte.
    pub(crate) key_text: &'static str,
    /// The function that gives the greater of its arguments.
    pub(crate) greatest: &'static str,
    /// The function that gives the lesser of its arguments.
    pub(crate) least: &'static str,
    /// Template: a parameter, compared byte by byte, whatever the column's collation says.
    pub(crate) exactly: [&'static str; 2],
    /// Template: a column of any type, as bytes, where an index on it compares by a collation and
    /// may find what is merely similar. `None` where equal means equal.
    as_bytes: Option<[&'static str; 2]>,
    /// Template: a text column, its ASCII letters in lower case, all else as it is.
    pub(crate) ascii_lower: [&'static str; 2],
    /// Compares like `=`, but NULL equals NULL.
    pub(crate) is: &'static str,
    /// Before the name of a new index, where it may be there.
    pub(crate) unless_there: &'static str,
    /// Behind the columns of a new table.
    pub(crate) table_options: &'static str,
    /// Whether the migrations of a store have to wait for each other by a lock of the server, because
    /// DDL ends every transaction: what a connection is set to for it, and how the lock is taken.
    pub(crate) migration_lock: Option<[&'static str; 2]>,
    /// Whether a user's sessions are locked by rows of a table of their own.
    pub(crate) lock_rows: bool,
    /// Binds a table and a column: as what a column that refers to it must be declared. `None` where
    /// the driver's name of the type will do.
    pub(crate) referring_type: Option<&'static str>,
    /// Behind an INSERT of a row that may be there.
    pub(crate) or_nothing: &'static str,
    /// Puts a name in quotes.
    quote: char,
    /// Whether parameters are `$1`, `$2`, … and not `?`.
    numbered: bool,
}

#[cfg(feature = "sqlite")]
const SQLITE: Dialect = Dialect {
    begin: "BEGIN IMMEDIATE",
    begin_with_lock: ["BEGIN IMMEDIATE -- ", ""],
    column_type: "SELECT type, ? FROM pragma_table_info(?) WHERE name = ? COLLATE NOCASE",
    integer: "INTEGER",
    boolean: "BOOLEAN",
    bytes: "BLOB",
    uuid: "BLOB",
    time: "INTEGER",
    address: "TEXT",
    json: "TEXT",
    as_json: ["", ""],
    json_pairs: ["json_group_array(json_array(", ", ", "))"],
    plus_millis: [" + ", ""],
    one_of: Some([" IN (", ")"]),
    text: "TEXT",
    key_text: "TEXT",
    greatest: "MAX",
    least: "MIN",
    exactly: ["", " COLLATE BINARY"],
    as_bytes: None,
    ascii_lower: ["lower(", ")"],
    is: "IS",
    unless_there: "IF NOT EXISTS ",
    table_options: "",
    migration_lock: None,
    lock_rows: false,
    referring_type: None,
    or_nothing: " ON CONFLICT DO NOTHING",
    // Not double quotes: a name in those that is no column is silently taken for a string.
    quote: '`',
    numbered: false,
};

#[cfg(feature = "postgres")]
const POSTGRES: Dialect = Dialect {
    // The number is any that all processes agree on, "auth" and a zero. A migration may take longer
    // than a request, but one that finds a lock taken does not hang for ever.
    begin: "BEGIN ISOLATION LEVEL READ COMMITTED; \
            SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '1min'; \
            SELECT pg_advisory_xact_lock(1635087464, 0)",
    // What reads after the lock must see what others did before they gave it back.
    begin_with_lock: ["BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock(", ")"],
    column_type: "SELECT format_type(atttypid, NULL), format_type(to_regtype(?), NULL) \
                  FROM pg_attribute WHERE attrelid = to_regclass(quote_ident(?)) \
                  AND attname = ? AND NOT attisdropped",
    integer: "BIGINT",
    boolean: "BOOLEAN",
    bytes: "BYTEA",
    uuid: "UUID",
    time: "TIMESTAMPTZ",
    address: "INET",
    // Not JSONB: it refuses the escape \u0000, which a client may put into any text of his.
    json: "JSON",
    as_json: ["CAST(", " AS JSON)"],
    json_pairs: ["json_agg(json_build_array(", ", ", "))"],
    plus_millis: [" + ", " * INTERVAL '1 millisecond'"],
    // As an array, so that it is found once whatever the plan is.
    one_of: Some([" = ANY (ARRAY(", " FOR UPDATE SKIP LOCKED))"]),
    text: "TEXT",
    key_text: "TEXT COLLATE \"C\"",
    greatest: "GREATEST",
    least: "LEAST",
    exactly: ["", " COLLATE \"C\""],
    as_bytes: None,
    // In other collations, letters beyond ASCII change too, and in Turkish ones even `I` does.
    ascii_lower: ["lower(", " COLLATE \"C\")"],
    is: "IS NOT DISTINCT FROM",
    unless_there: "IF NOT EXISTS ",
    table_options: "",
    migration_lock: None,
    lock_rows: false,
    referring_type: None,
    or_nothing: " ON CONFLICT DO NOTHING",
    quote: '"',
    numbered: true,
};

#[cfg(feature = "mysql")]
const MYSQL: Dialect = Dialect {
    begin: "START TRANSACTION",
    begin_with_lock: ["START TRANSACTION -- ", ""],
    column_type: "SELECT CAST(data_type AS CHAR), CAST(SUBSTRING_INDEX(LOWER(?), '(', 1) AS CHAR) \
                  FROM information_schema.columns WHERE table_schema = DATABASE() \
                  AND table_name = ? AND column_name = ?",
    integer: "BIGINT",
    boolean: "TINYINT(1)",
    bytes: "VARBINARY(32)",
    uuid: "BINARY(16)",
    // What a TIMESTAMP can hold ends with the year 2038.
    time: "DATETIME(3)",
    address: "VARCHAR(45)",
    // Not JSON: MySQL would write it anew, with other numbers where they are long.
    json: "LONGTEXT",
    as_json: ["", ""],
    json_pairs: [
        "JSON_ARRAYAGG(JSON_ARRAY(CONVERT(",
        " USING utf8mb4), CONVERT(",
        " USING utf8mb4)))",
    ],
    plus_millis: [" + INTERVAL ", " * 1000 MICROSECOND"],
    one_of: None,
    text: "MEDIUMTEXT",
    // All collations of text that both servers know ignore spaces at the end.
    key_text: "VARBINARY(512)",
    greatest: "GREATEST",
    least: "LEAST",
    exactly: ["CAST(", " AS BINARY)"],
    as_bytes: Some(["CAST(", " AS BINARY)"]),
    // By the column's collation, which ignores case as it comes; `lower` would forgo its index.
    ascii_lower: ["", ""],
    is: "<=>",
    // A migration takes an index that is there for its own.
    unless_there: "",
    table_options: " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    migration_lock: Some([
        "SET SESSION lock_wait_timeout = 60 /*M!100000 , max_statement_time = 0 */",
        // Not MD5: newer servers of MySQL have it in a component, which may not be there.
        "SELECT GET_LOCK(CONCAT('auth:', LEFT(SHA2(DATABASE(), 256), 40)), 60)",
    ]),
    lock_rows: true,
    referring_type: Some(
        "SELECT CAST(CONCAT(column_type, IF(collation_name IS NULL, '', CONCAT(' CHARACTER SET ', \
         character_set_name, ' COLLATE ', collation_name))) AS CHAR) \
         FROM information_schema.columns WHERE table_schema = DATABASE() \
         AND table_name = ? AND column_name = ?",
    ),
    or_nothing: "",
    quote: '`',
    numbered: false,
};

impl Dialect {
    /// The dialect of a pool's engine.
    pub(crate) fn of(pool: &SqlPool) -> &'static Self {
        match *pool {
            #[cfg(feature = "sqlite")]
            SqlPool::Sqlite(_) => &SQLITE,
            #[cfg(feature = "postgres")]
            SqlPool::Postgres(_) => &POSTGRES,
            #[cfg(feature = "mysql")]
            SqlPool::MySql(_) => &MYSQL,
        }
    }

    /// Begins a transaction in its turn: see the field.
    pub(crate) fn begin_with_lock(&self, lock: i64) -> String {
        let [before, behind] = self.begin_with_lock;
        format!("{before}{lock}{behind}")
    }

    /// Whether a key column is the value that is bound, and how often it is bound: byte by byte, also
    /// where the column's collation finds similar ones.
    pub(crate) fn is_key(&self, column: &str) -> (String, usize) {
        match self.as_bytes {
            None => (format!("{column} = ?"), 1),
            Some([before, behind]) => {
                (format!("{column} = ? AND {before}{column}{behind} = {before}?{behind}"), 2)
            }
        }
    }

    /// Does something, a DELETE or an UPDATE up to its WHERE, with rows for which a condition holds,
    /// and so many at most. The key is a unique column.
    pub(crate) fn some(
        &self,
        what: &str,
        table: &str,
        key: &str,
        condition: &str,
        most: u64,
    ) -> String {
        match self.one_of {
            None => format!("{what} WHERE {condition} LIMIT {most}"),
            Some([one_of, of_them]) => format!(
                "{what} WHERE {key}{one_of}\
                 SELECT {key} FROM {table} WHERE {condition} LIMIT {most}{of_them}"
            ),
        }
    }

    /// Quotes a name that [`check_table`] or the derive has passed, with an ending.
    pub(crate) fn name(&self, name: &str, ending: &str) -> String {
        let quote = self.quote;
        format!("{quote}{name}{ending}{quote}")
    }

    /// Writes the parameters of a statement, `?` so far, as the engine wants them.
    pub(crate) fn sql(&self, sql: &str) -> String {
        if !self.numbered {
            return sql.to_owned();
        }
        let mut parts = sql.split('?');
        let mut numbered = parts.next().unwrap_or_default().to_owned();
        for (part, n) in parts.zip(1..) {
            numbered.push_str(&format!("${n}{part}"));
        }
        numbered
    }
}

/// Checks the name of a table that becomes part of SQL text.
///
/// # Errors
///
/// - it is not ASCII letters, digits and underscores with no digit first, or too long:
///   [`Error::Misconfigured`]
pub(crate) fn check_table(name: &str) -> Result<(), Error> {
    check_name("table", name)
}

/// Checks the name of a column in the same way.
///
/// # Errors
///
/// As [`check_table`].
pub(crate) fn check_column(name: &str) -> Result<(), Error> {
    check_name("column", name)
}

fn check_name(what: &str, name: &str) -> Result<(), Error> {
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let goes_on = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if starts_well && goes_on && name.len() <= LONGEST_NAME {
        return Ok(());
    }
    Err(Error::Misconfigured(format!(
        "`{name}` cannot be the name of a {what}: use letters, digits and underscores, \
         no digit first, at most {LONGEST_NAME}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_name_cannot_leave_its_quotes() {
        for good in ["sessions", "_s", "Auth_Sessions2"] {
            check_table(good).unwrap();
        }
        let long = "s".repeat(LONGEST_NAME + 1);
        for bad in ["", "2s", "a b", "a\"b", "a`b", "a;b", "a.b", "a?b", "é", "a-b", &long] {
            assert!(matches!(check_table(bad), Err(Error::Misconfigured(_))), "{bad}");
        }
    }

    #[cfg(all(feature = "sqlite", feature = "postgres"))]
    #[test]
    fn numbers_parameters_where_the_engine_wants_it() {
        assert_eq!(POSTGRES.sql("a = ? AND b > ?, ?"), "a = $1 AND b > $2, $3");
        assert_eq!(POSTGRES.sql("SELECT 1"), "SELECT 1");
        assert_eq!(SQLITE.sql("a = ?"), "a = ?");
    }
}
