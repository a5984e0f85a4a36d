//! The SQL of [`SqlSessions`](super::SqlSessions), written once for each store.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::{PURGE_AT_ONCE, ended::EndedBy};
use crate::{session::record::SessionColumn, sql::dialect::Dialect};

/// The statements. Only the table's name, which was checked, and words of the dialect vary; every
/// value is a parameter.
pub(super) struct Statements {
    pub(super) create: SqlStr,
    /// Locks the row of a number, where rows are locked.
    pub(super) lock_row: Option<SqlStr>,
    /// Those of a user's live sessions that are not among so many newest.
    pub(super) beyond: SqlStr,
    pub(super) load: SqlStr,
    pub(super) update: SqlStr,
    pub(super) version: SqlStr,
    pub(super) touch: SqlStr,
    /// These end sessions: they bind two values more, first, where ended ones are kept.
    pub(super) delete: SqlStr,
    pub(super) delete_for_limit: SqlStr,
    pub(super) list_by_user: SqlStr,
    pub(super) keys_by_user: SqlStr,
    pub(super) list: SqlStr,
    pub(super) delete_dead_by_handle: SqlStr,
    pub(super) delete_live_by_handle: SqlStr,
    pub(super) delete_dead_by_user: SqlStr,
    pub(super) delete_live_by_user: SqlStr,
    /// The expired sessions of which nothing is kept.
    pub(super) purge: SqlStr,
    /// The other ones: binds what `idle_expires_at` becomes, and two times between which it lies.
    pub(super) note_expiry: SqlStr,
    pub(super) ended: SqlStr,
    pub(super) purge_ended: SqlStr,
}

/// What makes a [`Row`](super::Row), in its order.
const RECORD: &str = "handle, user_key, stamp, login_at, data, created_at, last_active_at, \
                      idle_timeout, expires_at, persistent, ip, user_agent, version";

/// As many rows as there are: every engine wants a number before an OFFSET.
const ALL: u32 = i32::MAX as u32;

/// Five thousand years in milliseconds: as long as for ever, and no sum with it overflows.
const LONGEST_IDLE: i64 = 157_788_000_000_000;

impl Statements {
    pub(super) fn new(dialect: &Dialect, table: &str, own: &[SessionColumn], keep: bool) -> Self {
        let (locks, table) = (dialect.name(table, "_locks"), dialect.name(table, ""));
        // What the application's own columns add, each to its list.
        let own_names: String =
            own.iter().map(|column| format!(", {}", dialect.name(column.name, ""))).collect();
        let own_values = ", ?".repeat(own.len());
        let own_set: String =
            own.iter().map(|column| format!(", {} = ?", dialect.name(column.name, ""))).collect();
        let record = format!("{RECORD}{own_names}");
        let Dialect { greatest, least, .. } = dialect;
        let [json, as_json] = dialect.as_json;
        // Shared, so that each use of a statement copies a pointer.
        let sql = |sql: &str| AssertSqlSafe(Arc::<str>::from(dialect.sql(sql))).into_sql_str();
        let later = format!("{greatest}(last_active_at, ?)");
        // `idle_expires_at` has `expires_at` in it already. An idle timeout near the greatest integer
        // would overflow in a sum.
        let dies = |idle_timeout: &str, expires_at: &str| {
            let [plus, millis] = dialect.plus_millis;
            let sum = format!("{later}{plus}{least}({idle_timeout}, {LONGEST_IDLE}){millis}");
            format!("{least}({sum}, {expires_at})")
        };
        // A dead row holds nothing that anybody could use.
        let emptied = format!("stamp = NULL, data = {json}'{{}}'{as_json}");
        let end = |by: EndedBy| {
            if !keep {
                return format!("DELETE FROM {table}");
            }
            let by = by.text();
            format!(
                "UPDATE {table} SET deleted_at = ?, deleted_by = '{by}', idle_expires_at = ?, \
                 {emptied}"
            )
        };
        let (by_key, by_limit) = (end(EndedBy::Key), end(EndedBy::Limit));
        let (by_handle, by_user) = (end(EndedBy::Handle), end(EndedBy::User));
        let expiry = EndedBy::Expiry.text();
        // Not those that have ended before: by the index of times, and by other indexes.
        let expired = "idle_expires_at > ? AND idle_expires_at <= ?";
        let dead = "idle_expires_at <= ? AND deleted_at IS NULL";
        let of_nobody =
            if keep { format!("user_key IS NULL AND {expired}") } else { expired.into() };
        let some = |what: &str, condition: &str| {
            sql(&dialect.some(what, &table, "key_hash", condition, PURGE_AT_ONCE))
        };
        Self {
            create: sql(&format!(
                "INSERT INTO {table} (key_hash, handle, user_key, stamp, login_at, data, \
                 created_at, last_active_at, idle_timeout, idle_expires_at, expires_at, \
                 persistent, ip, user_agent, version{own_names}) \
                 VALUES (?, ?, ?, ?, ?, {json}?{as_json}, ?, ?, ?, ?, ?, ?, ?, ?, ?{own_values})"
            )),
            lock_row: dialect
                .lock_rows
                .then(|| sql(&format!("SELECT slot FROM {locks} WHERE slot = ? FOR UPDATE"))),
            beyond: sql(&format!(
                "SELECT key_hash FROM {table} \
                 WHERE user_key = ? AND key_hash <> ? AND idle_expires_at > ? \
                 ORDER BY created_at DESC, handle DESC LIMIT {ALL} OFFSET ?"
            )),
            load: sql(&format!(
                "SELECT {record} FROM {table} WHERE key_hash = ? AND idle_expires_at > ?"
            )),
            update: sql(&format!(
                "UPDATE {table} SET handle = ?, user_key = ?, stamp = ?, login_at = ?, \
                 data = {json}?{as_json}, created_at = ?, last_active_at = {later}, \
                 idle_timeout = ?, idle_expires_at = {dies}, expires_at = ?, persistent = ?, \
                 ip = ?, user_agent = ?, version = ?{own_set} \
                 WHERE key_hash = ? AND version = ? AND idle_expires_at > ?",
                dies = dies("?", "?"),
            )),
            version: sql(&format!(
                "SELECT version FROM {table} WHERE key_hash = ? AND idle_expires_at > ?"
            )),
            touch: sql(&format!(
                "UPDATE {table} SET last_active_at = {later}, idle_expires_at = {dies} \
                 WHERE key_hash = ? AND idle_expires_at > ?",
                dies = dies("idle_timeout", "expires_at"),
            )),
            delete: sql(&format!("{by_key} WHERE key_hash = ? AND idle_expires_at > ?")),
            delete_for_limit: sql(&format!(
                "{by_limit} WHERE key_hash = ? AND idle_expires_at > ?"
            )),
            list_by_user: sql(&format!(
                "SELECT {record} FROM {table} WHERE user_key = ? AND idle_expires_at > ? \
                 ORDER BY created_at, handle"
            )),
            keys_by_user: sql(&format!(
                "SELECT key_hash, handle FROM {table} WHERE user_key = ? AND deleted_at IS NULL"
            )),
            list: sql(&format!(
                "SELECT {record} FROM {table} WHERE user_key IS NOT NULL AND idle_expires_at > ? \
                 ORDER BY created_at, handle LIMIT ? OFFSET ?"
            )),
            delete_dead_by_handle: sql(&format!(
                "{by_handle} WHERE user_key = ? AND handle = ? AND {dead}"
            )),
            delete_live_by_handle: sql(&format!(
                "{by_handle} WHERE user_key = ? AND handle = ? AND idle_expires_at > ?"
            )),
            delete_dead_by_user: sql(&format!(
                "{by_user} WHERE user_key = ? AND key_hash <> ? AND {dead}"
            )),
            delete_live_by_user: sql(&format!(
                "{by_user} WHERE user_key = ? AND key_hash <> ? AND idle_expires_at > ?"
            )),
            // Nobody touches a session between the two: SQLite writes one statement at a time, and
            // elsewhere the rows that are found are locked.
            purge: some(&format!("DELETE FROM {table}"), &of_nobody),
            // MySQL assigns in this order.
            note_expiry: some(
                &format!(
                    "UPDATE {table} SET deleted_at = idle_expires_at, deleted_by = '{expiry}', \
                     idle_expires_at = ?, {emptied}"
                ),
                expired,
            ),
            ended: sql(&format!(
                "SELECT handle, user_key, login_at, created_at, last_active_at, ip, user_agent, \
                 deleted_at, deleted_by{own_names} FROM {table} \
                 WHERE user_key = ? AND deleted_at IS NOT NULL \
                 ORDER BY deleted_at DESC, handle LIMIT ? OFFSET ?"
            )),
            purge_ended: some(&format!("DELETE FROM {table}"), "deleted_at <= ?"),
        }
    }
}
