//! What MySQL and MariaDB say differently.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr, any::AnyArguments, error::BoxDynError};

/// What a connection begins with: a value that does not fit is a fault and is not cut, writers of
/// neighbouring rows do not wait for each other, and nobody waits for ever.
pub(super) const SETTINGS: &str = "
    SET SESSION sql_mode = CONCAT(@@SESSION.sql_mode, ',STRICT_ALL_TABLES'),
                innodb_lock_wait_timeout = 2;
    SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// Makes text what it is on the other engines: two are equal if they are the same bytes, spaces at
/// the end included. Each server has its own collation for that, in a comment that it alone reads.
const TABLE_OPTIONS: &str = " CHARACTER SET utf8mb4
    /*M!100000 COLLATE utf8mb4_nopad_bin */ /*!80000 COLLATE utf8mb4_0900_bin */";

/// Writes the parameters of a statement, `$1`, `$2`, as MySQL wants them: each is a `?`, which takes
/// the next value. The numbers are those of the values, from 0, in the order in which they are taken.
///
/// # Examples
///
/// ```
/// use example_kit::database::question_marks;
///
/// let (sql, values) = question_marks("UPDATE notes SET body = $2, read = $3, sent = $3 WHERE id = $1");
/// assert_eq!(sql, "UPDATE notes SET body = ?, read = ?, sent = ? WHERE id = ?");
/// assert_eq!(values, [1, 2, 2, 0]);
/// ```
#[must_use]
pub fn question_marks(sql: &str) -> (String, Vec<usize>) {
    let (mut written, mut values) = (String::with_capacity(sql.len()), Vec::new());
    let mut is_quoted = false;
    let mut rest = sql;
    while let Some(at) = rest.find(['$', '\'']) {
        let (before, found) = rest.split_at(at);
        written.push_str(before);
        let behind = &found[1..];
        let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
        match behind[..digits].parse::<usize>() {
            Ok(number @ 1..) if found.starts_with('$') && !is_quoted => {
                written.push('?');
                values.push(number - 1);
                rest = &behind[digits..];
            }
            _ => {
                is_quoted ^= found.starts_with('\'');
                written.push_str(&found[..1]);
                rest = behind;
            }
        }
    }
    written.push_str(rest);
    (written, values)
}

/// A statement with its values, as MySQL wants them.
pub(super) fn translate(
    sql: &str,
    arguments: &AnyArguments,
) -> (SqlStr, Result<AnyArguments, BoxDynError>) {
    let (sql, values) = question_marks(sql);
    let given = &arguments.values.0;
    let mut taken = AnyArguments::default();
    for number in values {
        match given.get(number) {
            Some(value) => taken.values.0.push(value.clone()),
            None => {
                let error = format!("there is no value for ${}", number + 1);
                return (AssertSqlSafe(sql).into_sql_str(), Err(error.into()));
            }
        }
    }
    // What was written into it is nothing but question marks.
    (AssertSqlSafe(sql).into_sql_str(), Ok(taken))
}

/// A statement of a migration. `TEXT` is text of any length, and tables keep text as the other
/// engines do.
pub(super) fn definition(statement: &str) -> String {
    if !["CREATE TABLE", "ALTER TABLE"].iter().any(|begin| statement.starts_with(begin)) {
        return statement.to_owned();
    }
    let words = statement.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_'));
    let mut written: String = words
        .map(|word| match word.strip_prefix("TEXT") {
            Some(end) if end.len() <= 1 => format!("LONGTEXT{end}"),
            _ => word.to_owned(),
        })
        .collect();
    if statement.starts_with("CREATE TABLE") {
        written.push_str(TABLE_OPTIONS);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_values_in_the_order_in_which_they_are_named() {
        for (numbered, expected, values) in [
            ("SELECT 1", "SELECT 1", &[][..]),
            ("a = $1 AND b = $2", "a = ? AND b = ?", &[0, 1]),
            ("$2, $1, $4, $4", "?, ?, ?, ?", &[1, 0, 3, 3]),
            ("IN ($9, $10, $11)$12", "IN (?, ?, ?)?", &[8, 9, 10, 11]),
            ("a = '$1' AND b = $1", "a = '$1' AND b = ?", &[0]),
            ("a = 'it''s $1' AND b = $1", "a = 'it''s $1' AND b = ?", &[0]),
            ("a = '%ü' || $1 || '$'", "a = '%ü' || ? || '$'", &[0]),
            ("$0 $ $x $", "$0 $ $x $", &[]),
        ] {
            let (written, taken) = question_marks(numbered);
            assert_eq!((written.as_str(), taken.as_slice()), (expected, values), "{numbered}");
        }
    }

    #[test]
    fn defines_text_of_any_length_that_compares_by_its_bytes() {
        let table = definition("CREATE TABLE t (a TEXT, b TEXT NOT NULL, CONTEXT TEXT_X)");
        let (columns, options) = table.split_at(table.find(" CHARACTER SET").unwrap());
        assert_eq!(
            (columns, options),
            ("CREATE TABLE t (a LONGTEXT, b LONGTEXT NOT NULL, CONTEXT TEXT_X)", TABLE_OPTIONS)
        );
        assert_eq!(definition("ALTER TABLE t ADD x TEXT"), "ALTER TABLE t ADD x LONGTEXT");
        let insert = "INSERT INTO t (a) VALUES ('A TEXT')";
        assert_eq!(definition(insert), insert);
    }
}
