//! The SQL of [`SqlSessions`](super::SqlSessions), written once for each store.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::PURGE_AT_ONCE;
use crate::sql::dialect::Dialect;

/// The statements. Only the table's name, which was checked, and words of the dialect vary; every
/// value is a parameter.
pub(super) struct Statements {
    pub(super) create: SqlStr,
    pub(super) load: SqlStr,
    pub(super) update: SqlStr,
    pub(super) version: SqlStr,
    pub(super) touch: SqlStr,
    pub(super) delete_live: SqlStr,
    pub(super) delete: SqlStr,
    pub(super) list_by_user: SqlStr,
    pub(super) list: SqlStr,
    pub(super) delete_dead_by_handle: SqlStr,
    pub(super) delete_live_by_handle: SqlStr,
    pub(super) delete_dead_by_user: SqlStr,
    pub(super) delete_live_by_user: SqlStr,
    pub(super) purge: SqlStr,
}

/// What makes a [`Row`](super::Row), in its order.
const RECORD: &str = "handle, user_key, stamp, login_at, data, created_at, last_active_at, \
                      idle_timeout, expires_at, persistent, ip, user_agent, version";

impl Statements {
    pub(super) fn new(dialect: &Dialect, table: &str) -> Self {
        let table = dialect.name(table, "");
        let (greatest, least) = (dialect.greatest, dialect.least);
        // Shared, so that each use of a statement copies a pointer.
        let sql = |sql: &str| AssertSqlSafe(Arc::<str>::from(dialect.sql(sql))).into_sql_str();
        let later = format!("{greatest}(last_active_at, ?)");
        // `idle_expires_at` has `expires_at` in it already. The subtraction keeps an idle timeout
        // near the greatest integer from overflowing.
        Self {
            create: sql(&format!(
                "INSERT INTO {table} (key_hash, handle, user_key, stamp, login_at, data, \
                 created_at, last_active_at, idle_timeout, idle_expires_at, expires_at, \
                 persistent, ip, user_agent, version) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            )),
            load: sql(&format!(
                "SELECT {RECORD} FROM {table} WHERE key_hash = ? AND idle_expires_at > ?"
            )),
            update: sql(&format!(
                "UPDATE {table} SET handle = ?, user_key = ?, stamp = ?, login_at = ?, data = ?, \
                 created_at = ?, last_active_at = {later}, idle_timeout = ?, \
                 idle_expires_at = {later} + {least}(?, ? - {later}), expires_at = ?, \
                 persistent = ?, ip = ?, user_agent = ?, version = ? \
                 WHERE key_hash = ? AND version = ? AND idle_expires_at > ?"
            )),
            version: sql(&format!(
                "SELECT version FROM {table} WHERE key_hash = ? AND idle_expires_at > ?"
            )),
            touch: sql(&format!(
                "UPDATE {table} SET last_active_at = {later}, \
                 idle_expires_at = {later} + {least}(idle_timeout, expires_at - {later}) \
                 WHERE key_hash = ? AND idle_expires_at > ?"
            )),
            delete_live: sql(&format!(
                "DELETE FROM {table} WHERE key_hash = ? AND idle_expires_at > ?"
            )),
            delete: sql(&format!("DELETE FROM {table} WHERE key_hash = ?")),
            list_by_user: sql(&format!(
                "SELECT {RECORD} FROM {table} WHERE user_key = ? AND idle_expires_at > ? \
                 ORDER BY created_at, handle"
            )),
            list: sql(&format!(
                "SELECT {RECORD} FROM {table} WHERE user_key IS NOT NULL AND idle_expires_at > ? \
                 ORDER BY created_at, handle LIMIT ? OFFSET ?"
            )),
            delete_dead_by_handle: sql(&format!(
                "DELETE FROM {table} WHERE user_key = ? AND handle = ? AND idle_expires_at <= ?"
            )),
            delete_live_by_handle: sql(&format!(
                "DELETE FROM {table} WHERE user_key = ? AND handle = ? AND idle_expires_at > ?"
            )),
            delete_dead_by_user: sql(&format!(
                "DELETE FROM {table} WHERE user_key = ? AND key_hash <> ? AND idle_expires_at <= ?"
            )),
            delete_live_by_user: sql(&format!(
                "DELETE FROM {table} WHERE user_key = ? AND key_hash <> ? AND idle_expires_at > ?"
            )),
            // The outer condition once more: a process whose clock is behind may have touched the
            // session since it was selected.
            purge: sql(&format!(
                "DELETE FROM {table} WHERE idle_expires_at <= ? AND key_hash IN \
                 (SELECT key_hash FROM {table} WHERE idle_expires_at <= ? LIMIT {PURGE_AT_ONCE})"
            )),
        }
    }
}
