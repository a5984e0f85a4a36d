//! The table of [`SqlSessions`](super::SqlSessions).

use super::own_columns::OwnColumn;
use crate::{
    session::record::ColumnType,
    sql::{dialect::Dialect, migrate::Column},
};

/// The table's history: a migration for each version, a list of statements for each migration.
///
/// What has been released is never edited; a change is one more migration at the end.
pub(super) fn migrations(dialect: &Dialect, table: &str) -> Vec<Vec<String>> {
    vec![create(dialect, table)]
}

/// The application's own columns, which are not numbered: each is there or is not.
pub(super) fn own_columns(dialect: &Dialect, columns: &[OwnColumn]) -> Vec<Column> {
    let kind = |kind| match kind {
        ColumnType::Bool => dialect.boolean,
        ColumnType::Integer => dialect.integer,
        ColumnType::Text => dialect.text,
        ColumnType::Time => dialect.time,
        ColumnType::Uuid => dialect.uuid,
    };
    columns.iter().map(|own| Column { name: own.name, kind: kind(own.kind) }).collect()
}

fn create(dialect: &Dialect, table: &str) -> Vec<String> {
    let Dialect { integer, boolean, bytes, uuid, time, address, json, text, key_text, .. } =
        dialect;
    let name = |ending| dialect.name(table, ending);
    // `handle` is not unique: while a session's key is changed, its old and its new row stand side
    // by side.
    vec![
        format!(
            "CREATE TABLE IF NOT EXISTS {sessions} (
    key_hash {bytes} NOT NULL PRIMARY KEY,
    handle {uuid} NOT NULL,
    user_key {key_text},
    stamp {bytes},
    login_at {time},
    data {json} NOT NULL,
    created_at {time} NOT NULL,
    last_active_at {time} NOT NULL,
    idle_timeout {integer} NOT NULL,
    idle_expires_at {time} NOT NULL,
    expires_at {time} NOT NULL,
    persistent {boolean} NOT NULL,
    ip {address},
    user_agent {text},
    version {integer} NOT NULL
)",
            sessions = name(""),
        ),
        format!("CREATE INDEX IF NOT EXISTS {} ON {} (user_key)", name("_user_key"), name("")),
        format!(
            "CREATE INDEX IF NOT EXISTS {} ON {} (idle_expires_at)",
            name("_idle_expires_at"),
            name("")
        ),
    ]
}
