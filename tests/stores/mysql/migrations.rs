//! Making the table of sessions.

use auth_core::{error::Error, session::record::ColumnType, sql::open_mysql, store::SqlSessions};
use sqlx::{AssertSqlSafe, MySqlPool};
use tokio::task::JoinSet;

use super::{mysql, run};

/// Every column of the table with its type, and every index.
async fn described(pool: &MySqlPool, table: &str) -> Vec<String> {
    let columns = "SELECT CAST(CONCAT(column_name, ' ', data_type, ' ', is_nullable) AS CHAR) \
                   FROM information_schema.columns \
                   WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position";
    let indexes = "SELECT CAST(CONCAT(index_name, ' on ', column_name) AS CHAR) \
                   FROM information_schema.statistics \
                   WHERE table_schema = DATABASE() AND table_name = ? ORDER BY 1";
    let mut all: Vec<String> =
        sqlx::query_scalar(columns).bind(table).fetch_all(pool).await.unwrap();
    all.extend(sqlx::query_scalar::<_, String>(indexes).bind(table).fetch_all(pool).await.unwrap());
    all
}

#[tokio::test]
async fn the_columns_have_the_types_that_the_engine_has_for_them() {
    let Some(pool) = mysql().await else { return };
    SqlSessions::new(pool.clone()).migrate().await.unwrap();
    let described = described(&pool, "auth_sessions").await;
    for expected in [
        "key_hash varbinary NO",
        "handle binary NO",
        "user_key varbinary YES",
        "login_at datetime YES",
        "data longtext NO",
        "idle_timeout bigint NO",
        "idle_expires_at datetime NO",
        "persistent tinyint NO",
        "ip varchar YES",
        "PRIMARY on key_hash",
        "auth_sessions_idle_expires_at on idle_expires_at",
        "auth_sessions_user_key on user_key",
    ] {
        assert!(described.iter().any(|line| line == expected), "{expected}: {described:?}");
    }
}

#[tokio::test]
async fn the_schema_as_text_is_what_migrate_makes() {
    let (Some(migrated), Some(by_hand)) = (mysql().await, mysql().await) else { return };
    // A word of SQL, so that a name without quotes is found out.
    let store = |pool: &MySqlPool| {
        let sessions = SqlSessions::new(pool.clone()).table("order").unwrap();
        sessions.column("group", ColumnType::Text).unwrap()
    };
    store(&migrated).migrate().await.unwrap();
    for statement in store(&by_hand).schema() {
        sqlx::query(AssertSqlSafe(statement)).execute(&by_hand).await.unwrap();
    }
    let tables = described(&migrated, "order").await;
    assert_eq!(described(&by_hand, "order").await, tables);

    store(&by_hand).migrate().await.expect("a table made by hand is taken as it is");
    assert_eq!(described(&by_hand, "order").await, tables);
}

#[tokio::test]
async fn a_migration_that_was_interrupted_is_brought_to_its_end() {
    let (Some(whole), Some(pool)) = (mysql().await, mysql().await) else { return };
    SqlSessions::new(whole.clone()).migrate().await.unwrap();
    let expected = described(&whole, "auth_sessions").await;
    let statements = SqlSessions::new(pool.clone()).schema();
    for done in 0..statements.len() {
        for statement in &statements[..done] {
            sqlx::query(AssertSqlSafe(statement.as_str())).execute(&pool).await.unwrap();
        }
        SqlSessions::new(pool.clone()).migrate().await.unwrap();
        assert_eq!(described(&pool, "auth_sessions").await, expected, "after {done} statements");
        let locks: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM auth_sessions_locks")
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(locks, 64);
        run(&pool, "DROP TABLE auth_sessions, auth_sessions_locks, auth_migrations").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_start_together_make_one_table() {
    let Some(database) = auth_test_servers::mysql() else { return };
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let url = database.url().to_owned();
        tasks.spawn(async move {
            let sessions = SqlSessions::new(open_mysql(&url).await.unwrap());
            let sessions = sessions.column("device", ColumnType::Text).unwrap();
            sessions.migrate().await.unwrap();
        });
    }
    tasks.join_all().await;
}

#[tokio::test]
async fn an_older_program_leaves_a_newer_table_alone() {
    let Some(pool) = mysql().await else { return };
    let sessions = SqlSessions::new(pool.clone());
    sessions.migrate().await.unwrap();
    run(&pool, "INSERT INTO auth_migrations VALUES ('auth_sessions', 99)").await;
    let newer = described(&pool, "auth_sessions").await;
    sessions.migrate().await.unwrap();
    assert_eq!(described(&pool, "auth_sessions").await, newer);
}

#[tokio::test]
async fn a_column_that_is_there_with_another_type_is_a_mistake() {
    let Some(pool) = mysql().await else { return };
    let device = |kind| SqlSessions::new(pool.clone()).column("device", kind).unwrap();
    device(ColumnType::Text).migrate().await.unwrap();
    device(ColumnType::Text).migrate().await.unwrap();
    for kind in [ColumnType::Bool, ColumnType::Integer, ColumnType::Time, ColumnType::Uuid] {
        let error = device(kind).migrate().await.unwrap_err();
        assert!(matches!(error, Error::Misconfigured(_)), "{error:?}");
    }
}
