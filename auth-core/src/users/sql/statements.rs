//! The SQL of [`SqlUsers`](super::SqlUsers), written once for each store.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::{sql::dialect::Dialect, user::UserMeta, users::PasswordChange};

/// The statements; `None` where the type of user lacks the columns.
pub(super) struct Statements {
    pub(super) by_id: SqlStr,
    pub(super) by_login: Option<SqlStr>,
    pub(super) set_login: Option<SqlStr>,
    pub(super) raise_epoch: Option<SqlStr>,
    passwords: Option<Passwords>,
}

/// Setting a password: over an old one or none, with or without the epoch.
struct Passwords {
    over_some: [SqlStr; 2],
    over_none: [SqlStr; 2],
}

impl Statements {
    pub(super) fn new(dialect: &Dialect, meta: &UserMeta) -> Self {
        // Shared, so that each use of a statement copies a pointer.
        let sql = |sql: String| AssertSqlSafe(Arc::<str>::from(dialect.sql(&sql))).into_sql_str();
        let name = |column: &str| dialect.name(column, "");
        let columns = meta.columns.iter().map(|column| name(column)).collect::<Vec<_>>().join(", ");
        let (table, id) = (name(meta.table), name(meta.id));

        let logins: Vec<String> = meta
            .login
            .iter()
            .map(|login| match (login.ignore_case, name(login.column)) {
                (true, column) => format!("lower({column}) = lower(?)"),
                (false, column) => format!("{column} = ?"),
            })
            .collect();
        // Two rows are enough to know that a name is ambiguous.
        let by_login = (!logins.is_empty()).then(|| {
            let any = logins.join(" OR ");
            sql(format!("SELECT {columns} FROM {table} WHERE {any} LIMIT 2"))
        });

        let noted: Vec<String> = [meta.login_time, meta.login_ip]
            .into_iter()
            .flatten()
            .map(|column| format!("{} = ?", name(column)))
            .collect();
        let set_login = (!noted.is_empty()).then(|| {
            let noted = noted.join(", ");
            sql(format!("UPDATE {table} SET {noted} WHERE {id} = ?"))
        });

        let raised = meta.epoch.map(name).map(|epoch| format!("{epoch} = {epoch} + 1"));
        let passwords = meta.password.map(name).map(|password| {
            let set = |raise: bool, condition: &str| {
                let raised = raised.as_ref().filter(|_| raise);
                let raised = raised.map(|raised| format!(", {raised}")).unwrap_or_default();
                sql(format!(
                    "UPDATE {table} SET {password} = ?{raised} WHERE {id} = ? AND {password} \
                     {condition}"
                ))
            };
            let both = |condition: &str| [set(false, condition), set(true, condition)];
            Passwords { over_some: both("= ?"), over_none: both("IS NULL") }
        });
        let raise_epoch = raised
            .as_ref()
            .map(|raised| sql(format!("UPDATE {table} SET {raised} WHERE {id} = ?")));

        let by_id = sql(format!("SELECT {columns} FROM {table} WHERE {id} = ?"));
        Self { by_id, by_login, set_login, raise_epoch, passwords }
    }

    /// The statement for a change of the password.
    pub(super) fn set_password(&self, change: &PasswordChange<'_>) -> Option<SqlStr> {
        let passwords = self.passwords.as_ref()?;
        let over = match change.replaces {
            Some(_) => &passwords.over_some,
            None => &passwords.over_none,
        };
        Some(over[usize::from(change.raise_epoch)].clone())
    }
}
