//! The table of [`SqlSessions`](super::SqlSessions).

use super::create::LOCK_ROWS;
use crate::{
    session::record::{ColumnType, SessionColumn},
    sql::{dialect::Dialect, migrate::Column},
};

/// The table's history: a migration for each version, a list of statements for each migration.
///
/// What has been released is never edited; a change is one more migration at the end.
pub(super) fn migrations(dialect: &Dialect, table: &str) -> Vec<Vec<String>> {
    let name = |ending| dialect.name(table, ending);
    let deleted_at = format!(
        "CREATE INDEX {}{} ON {} (deleted_at)",
        dialect.unless_there,
        name("_deleted_at"),
        name("")
    );
    vec![create(dialect, table), vec![deleted_at]]
}

/// How many of the migrations come before [`columns`].
pub(super) const BEFORE_COLUMNS: usize = 1;

/// The framework's columns that are younger than the table. They are not numbered, because not all
/// engines can say "unless it is there" of a column.
pub(super) fn columns(dialect: &Dialect) -> Vec<Column> {
    vec![
        Column { name: "deleted_at", kind: dialect.time },
        Column { name: "deleted_by", kind: dialect.text },
    ]
}

/// The application's own columns, which are not numbered: each is there or is not.
pub(super) fn own_columns(dialect: &Dialect, columns: &[SessionColumn]) -> Vec<Column> {
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
    let Dialect {
        integer,
        boolean,
        bytes,
        uuid,
        time,
        address,
        json,
        text,
        key_text,
        table_options,
        unless_there,
        ..
    } = dialect;
    let name = |ending| dialect.name(table, ending);
    // `handle` is not unique: while a session's key is changed, its old and its new row stand side
    // by side.
    let mut statements = vec![
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
){table_options}",
            sessions = name(""),
        ),
        format!("CREATE INDEX {unless_there}{} ON {} (user_key)", name("_user_key"), name("")),
        format!(
            "CREATE INDEX {unless_there}{} ON {} (idle_expires_at)",
            name("_idle_expires_at"),
            name("")
        ),
    ];
    if dialect.lock_rows {
        let locks = name("_locks");
        let rows: Vec<_> = (0..LOCK_ROWS).map(|slot| format!("({slot})")).collect();
        statements.extend([
            format!("CREATE TABLE IF NOT EXISTS {locks} (slot INT NOT NULL PRIMARY KEY)"),
            format!("INSERT IGNORE INTO {locks} (slot) VALUES {}", rows.join(", ")),
        ]);
    }
    statements
}
