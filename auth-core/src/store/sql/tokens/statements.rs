//! The SQL of [`SqlTokens`](super::SqlTokens), written once for each store.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::PURGE_AT_ONCE;
use crate::sql::dialect::Dialect;

/// The statements. Only the table's name, which was checked, and words of the dialect vary; every
/// value is a parameter.
pub(super) struct Statements {
    pub(super) create: SqlStr,
    pub(super) find: SqlStr,
    pub(super) rotate: SqlStr,
    pub(super) delete: SqlStr,
    pub(super) list_by_user: SqlStr,
    pub(super) delete_by_handle: SqlStr,
    pub(super) delete_by_user: SqlStr,
    pub(super) purge: SqlStr,
}

/// What makes a [`Row`](super::Row), in its order.
const FAMILY: &str = "handle, user_key, stamp, login_at, created_at, last_used_at, idle_timeout, \
                      expires_at, token_lifetime, claims, ip, user_agent, token_hash, \
                      previous_hash, rotated_at";

impl Statements {
    pub(super) fn new(dialect: &Dialect, table: &str) -> Self {
        let table = dialect.name(table, "");
        let [json, as_json] = dialect.as_json;
        let sql = |sql: &str| AssertSqlSafe(Arc::<str>::from(dialect.sql(sql))).into_sql_str();
        Self {
            create: sql(&format!(
                "INSERT INTO {table} (family_hash, token_hash, handle, user_key, stamp, login_at, \
                 created_at, last_used_at, idle_timeout, expires_at, ends_at, token_lifetime, \
                 claims, ip, user_agent) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {json}?{as_json}, ?, ?)"
            )),
            find: sql(&format!(
                "SELECT {FAMILY} FROM {table} WHERE family_hash = ? AND ends_at > ?"
            )),
            rotate: sql(&format!(
                "UPDATE {table} SET token_hash = ?, previous_hash = ?, rotated_at = ?, \
                 last_used_at = ?, ends_at = ? \
                 WHERE family_hash = ? AND token_hash = ? AND ends_at > ?"
            )),
            delete: sql(&format!("DELETE FROM {table} WHERE family_hash = ?")),
            list_by_user: sql(&format!(
                "SELECT {FAMILY} FROM {table} WHERE user_key = ? AND ends_at > ? \
                 ORDER BY created_at, handle"
            )),
            delete_by_handle: sql(&format!(
                "DELETE FROM {table} WHERE user_key = ? AND handle = ?"
            )),
            delete_by_user: sql(&format!("DELETE FROM {table} WHERE user_key = ?")),
            purge: sql(&dialect.some(
                &format!("DELETE FROM {table}"),
                &table,
                "family_hash",
                "ends_at <= ?",
                PURGE_AT_ONCE,
            )),
        }
    }
}
