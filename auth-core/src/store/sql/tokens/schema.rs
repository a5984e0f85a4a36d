//! The table of [`SqlTokens`](super::SqlTokens).

use crate::sql::dialect::Dialect;

/// The table's history: a migration for each version, a list of statements for each migration.
///
/// What has been released is never edited; a change is one more migration at the end.
pub(super) fn migrations(dialect: &Dialect, table: &str) -> Vec<Vec<String>> {
    vec![create(dialect, table)]
}

fn create(dialect: &Dialect, table: &str) -> Vec<String> {
    let Dialect {
        integer,
        bytes,
        uuid,
        time,
        address,
        json,
        text,
        key_text,
        unless_there,
        table_options,
        ..
    } = dialect;
    let name = |ending| dialect.name(table, ending);
    vec![
        format!(
            "CREATE TABLE IF NOT EXISTS {families} (
    family_hash {bytes} NOT NULL PRIMARY KEY,
    token_hash {bytes} NOT NULL,
    previous_hash {bytes},
    rotated_at {time},
    handle {uuid} NOT NULL,
    user_key {key_text} NOT NULL,
    stamp {bytes} NOT NULL,
    login_at {time} NOT NULL,
    created_at {time} NOT NULL,
    last_used_at {time} NOT NULL,
    idle_timeout {integer} NOT NULL,
    expires_at {time} NOT NULL,
    ends_at {time} NOT NULL,
    token_lifetime {integer},
    claims {json},
    ip {address},
    user_agent {text}
){table_options}",
            families = name(""),
        ),
        format!("CREATE INDEX {unless_there}{} ON {} (user_key)", name("_user_key"), name("")),
        format!("CREATE INDEX {unless_there}{} ON {} (ends_at)", name("_ends_at"), name("")),
    ]
}
