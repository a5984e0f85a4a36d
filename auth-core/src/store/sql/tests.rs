use super::*;
use crate::sql::{open_sqlite, testing::sqlite_plan};

async fn sessions() -> SqlSessions {
    let sessions = SqlSessions::new(open_sqlite("sqlite::memory:").await.unwrap());
    sessions.migrate().await.unwrap();
    sessions
}

#[tokio::test]
async fn a_bad_table_name_is_refused() {
    let refused = sessions().await.table("x\"; DROP TABLE auth_sessions; --").unwrap_err();
    assert!(matches!(refused, Error::Misconfigured(_)), "{refused}");
}

#[tokio::test]
async fn each_query_finds_its_rows_by_an_index() {
    let sessions = sessions().await;
    let SqlPool::Sqlite(pool) = &sessions.pool else { panic!("{sessions:?}") };
    let sql = &sessions.sql;
    for statement in [
        &sql.load,
        &sql.update,
        &sql.version,
        &sql.touch,
        &sql.delete,
        &sql.list_by_user,
        &sql.delete_dead_by_user,
        &sql.delete_live_by_user,
        &sql.purge,
        &sql.beyond,
        &sql.note_expiry,
        &sql.ended,
        &sql.purge_ended,
    ] {
        let plan = sqlite_plan(pool, statement.as_str()).await;
        let scans = plan.iter().any(|step| step.starts_with("SCAN"));
        assert!(!scans, "{}: {plan:?}", statement.as_str());
    }
}

#[tokio::test]
async fn shows_the_table_and_no_connection_in_debug() {
    assert_eq!(format!("{:?}", sessions().await), "SqlSessions { table: \"auth_sessions\", .. }");
}
