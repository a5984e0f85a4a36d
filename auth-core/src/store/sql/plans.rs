//! How PostgreSQL carries the statements out.

use super::SqlSessions;
use crate::sql::{open_postgres, testing::postgres_plan};

#[tokio::test]
async fn each_query_finds_its_rows_by_an_index() {
    let Some(database) = auth_test_servers::postgres() else { return };
    let pool = open_postgres(database.url()).await.unwrap();
    let sessions = SqlSessions::new(pool.clone());
    sessions.migrate().await.unwrap();
    let sql = &sessions.sql;
    for (statement, index) in [
        (&sql.load, "auth_sessions_pkey"),
        (&sql.update, "auth_sessions_pkey"),
        (&sql.version, "auth_sessions_pkey"),
        (&sql.touch, "auth_sessions_pkey"),
        (&sql.delete, "auth_sessions_pkey"),
        (&sql.list_by_user, "auth_sessions_user_key"),
        (&sql.keys_by_user, "auth_sessions_user_key"),
        (&sql.delete_dead_by_handle, "auth_sessions_user_key"),
        (&sql.delete_live_by_handle, "auth_sessions_user_key"),
        (&sql.delete_dead_by_user, "auth_sessions_user_key"),
        (&sql.delete_live_by_user, "auth_sessions_user_key"),
        (&sql.purge, "auth_sessions_idle_expires_at"),
        (&sql.beyond, "auth_sessions_user_key"),
        (&sql.note_expiry, "auth_sessions_idle_expires_at"),
        (&sql.ended, "auth_sessions_user_key"),
        (&sql.purge_ended, "auth_sessions_deleted_at"),
    ] {
        let plan = postgres_plan(&pool, statement.as_str()).await.unwrap();
        let condition = plan.contains("Index Cond") && plan.contains(index);
        assert!(condition && !plan.contains("Seq Scan"), "{}: {plan}", statement.as_str());
    }
}
