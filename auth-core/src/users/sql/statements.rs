//! The SQL of [`SqlUsers`](super::SqlUsers), written once for each store.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::{
    sql::dialect::Dialect,
    user::{LoginColumn, RoleSource, UserMeta},
};

/// The statements; `None` where the type of user lacks the columns. Only quoted names of the table
/// and its columns vary, which are constants of the program; every value is a parameter.
pub(super) struct Statements {
    /// Binds the id.
    pub(super) by_id: SqlStr,
    /// How often "the id" is bound, here and below.
    pub(super) id_binds: usize,
    /// Binds the name once per login column.
    pub(super) by_login: Option<SqlStr>,
    /// Binds the time and the address, as far as there are columns, and the id.
    pub(super) set_login: Option<SqlStr>,
    /// Binds the new hash, the step of the epoch if there is one, the id, and the old hash.
    pub(super) set_password: Option<SqlStr>,
    /// Binds the id.
    pub(super) raise_epoch: Option<SqlStr>,
    /// Binds the token and the id.
    pub(super) set_token: Option<SqlStr>,
    /// Binds the id and the token.
    pub(super) clear_token: Option<SqlStr>,
}

impl Statements {
    pub(super) fn new(dialect: &Dialect, meta: &UserMeta) -> Self {
        // Shared, so that each use of a statement copies a pointer.
        let sql = |sql: String| AssertSqlSafe(Arc::<str>::from(dialect.sql(&sql))).into_sql_str();
        let name = |column: &str| dialect.name(column, "");
        let set = |column: &str| format!("{} = ?", name(column));
        let (table, id) = (name(meta.table), name(meta.id));
        let (is_id, id_binds) = dialect.is_key(&id);
        let select = {
            let columns = meta.columns.iter().map(|column| name(column));
            let columns: Vec<_> = columns.chain(roles(dialect, meta)).collect();
            format!("SELECT {} FROM {table}", columns.join(", "))
        };
        let update =
            |set: &[String]| format!("UPDATE {table} SET {} WHERE {is_id}", set.join(", "));
        let raise = |by: &str| {
            let epoch = name(meta.epoch?);
            Some(format!("{epoch} = {epoch} + {by}"))
        };

        let logins: Vec<_> = meta.login.iter().map(|column| is_login(dialect, column)).collect();
        let noted: Vec<_> = meta.login_time.into_iter().chain(meta.login_ip).map(set).collect();
        let set_password = meta.password.map(|column| {
            let values: Vec<_> = [set(column)].into_iter().chain(raise("?")).collect();
            let Dialect { is, exactly: [before, behind], .. } = dialect;
            format!("{} AND {} {is} {before}?{behind}", update(&values), name(column))
        });
        let set_token = meta.token.map(|column| update(&[set(column)]));
        let clear_token = meta.token.map(|column| {
            let clear = update(&[format!("{} = NULL", name(column))]);
            let [before, behind] = dialect.exactly;
            format!("{clear} AND {} = {before}?{behind}", name(column))
        });
        Self {
            by_id: sql(format!("{select} WHERE {is_id}")),
            id_binds,
            // Two users are enough to know that the name is ambiguous; a few more, because a
            // column's collation may also find names that are merely similar.
            by_login: (!logins.is_empty())
                .then(|| sql(format!("{select} WHERE {} LIMIT 16", logins.join(" OR ")))),
            set_login: (!noted.is_empty()).then(|| sql(update(&noted))),
            set_password: set_password.map(sql),
            raise_epoch: raise("1").map(|raise| sql(update(&[raise]))),
            set_token: set_token.map(sql),
            clear_token: clear_token.map(sql),
        }
    }
}

/// Whether a login column has the name that is bound, in ASCII lower case where case is ignored.
///
/// Compared by the column's own collation, because an index serves no other.
fn is_login(dialect: &Dialect, login: &LoginColumn) -> String {
    let column = dialect.name(login.column, "");
    if login.ignore_case {
        let [lower, of] = dialect.ascii_lower;
        format!("{lower}{column}{of} = ?")
    } else {
        format!("{column} = ?")
    }
}

/// The roles of the user's row out of their own table, as pairs of scope and role in one JSON text:
/// one SELECT reads both, so they are of one moment.
fn roles(dialect: &Dialect, meta: &UserMeta) -> Option<String> {
    let RoleSource::Table { table, field } = meta.roles else { return None };
    let [table, user_id, scope, role, field, users, id] =
        [table, "user_id", "scope", "role", field, meta.table, meta.id]
            .map(|name| dialect.name(name, ""));
    let [before, between, behind] = dialect.json_pairs;
    Some(format!(
        "(SELECT {before}{scope}{between}{role}{behind} FROM {table} \
         WHERE {table}.{user_id} = {users}.{id}) AS {field}"
    ))
}
