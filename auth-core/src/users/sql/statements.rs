//! The statements of a user store, built once from the user type's columns.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::{
    sql::Dialect,
    user::{LoginColumn, UserMeta},
};

/// SQL whose only variable parts are quoted names of the table and its columns, which are constants
/// of the program.
pub(super) struct Statements {
    /// Binds the id.
    pub(super) by_id: SqlStr,
    /// Binds the name once per login column. `None` without any.
    pub(super) by_login: Option<SqlStr>,
    /// Binds the time and the address, as far as there are columns, and the id.
    pub(super) set_login: Option<SqlStr>,
    /// Binds the new hash, the step of the epoch if there is one, the id, and the old hash.
    pub(super) set_password: Option<SqlStr>,
    /// Binds the id.
    pub(super) raise_epoch: Option<SqlStr>,
}

impl Statements {
    pub(super) fn new(meta: &UserMeta, dialect: Dialect) -> Self {
        let table = dialect.name(meta.table);
        let columns: Vec<_> = meta.columns.iter().map(|column| dialect.name(column)).collect();
        let select = format!("SELECT {} FROM {table}", columns.join(", "));
        let id = dialect.name(meta.id);
        let epoch = meta.epoch.map(|column| dialect.name(column));
        let raise = |by: &str| epoch.as_ref().map(|epoch| format!("{epoch} = {epoch} + {by}"));
        // `UPDATE` with the values in the order of their placeholders, the id behind them.
        let update = |set: &[String]| {
            let id_value = dialect.value(set.len() + 1);
            format!("UPDATE {table} SET {} WHERE {id} = {id_value}", set.join(", "))
        };

        let by_login: Vec<_> =
            (1..).zip(meta.login).map(|(n, column)| is(dialect, column, n)).collect();
        let login: Vec<_> = (1..)
            .zip(meta.login_time.into_iter().chain(meta.login_ip))
            .map(|(n, column)| format!("{} = {}", dialect.name(column), dialect.value(n)))
            .collect();
        let set_password = meta.password.map(|column| {
            let column = dialect.name(column);
            let mut set = vec![format!("{column} = {}", dialect.value(1))];
            set.extend(raise(&dialect.value(2)));
            let old = dialect.same_text_or_null(&column, &dialect.value(set.len() + 2));
            format!("{} AND {old}", update(&set))
        });
        let raise_epoch = raise("1")
            .map(|raise| format!("UPDATE {table} SET {raise} WHERE {id} = {}", dialect.value(1)));

        Self {
            by_id: safe(format!("{select} WHERE {id} = {}", dialect.value(1))),
            // Two rows are enough to know that the name is ambiguous.
            by_login: (!by_login.is_empty())
                .then(|| safe(format!("{select} WHERE {} LIMIT 2", by_login.join(" OR ")))),
            set_login: (!login.is_empty()).then(|| safe(update(&login))),
            set_password: set_password.map(safe),
            raise_epoch: raise_epoch.map(safe),
        }
    }
}

fn is(dialect: Dialect, login: &LoginColumn, n: usize) -> String {
    let (column, value) = (dialect.name(login.column), dialect.value(n));
    if login.ignore_case {
        dialect.same_text_in_any_case(&column, &value)
    } else {
        dialect.same_text(&column, &value)
    }
}

/// Shared text, so that a request clones a pointer.
fn safe(sql: String) -> SqlStr {
    AssertSqlSafe(std::sync::Arc::<str>::from(sql)).into_sql_str()
}
