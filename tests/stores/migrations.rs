//! Making the table of sessions.

use auth_core::{sql::open_postgres, store::SqlSessions};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::task::JoinSet;

/// Every column of the table with its type, and every index.
async fn described(pool: &PgPool, table: &str) -> Vec<String> {
    let columns = "SELECT column_name || ' ' || udt_name || ' ' || is_nullable \
                   FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position";
    let indexes = "SELECT indexdef FROM pg_indexes WHERE tablename = $1 ORDER BY indexdef";
    let mut all: Vec<String> =
        sqlx::query_scalar(columns).bind(table).fetch_all(pool).await.unwrap();
    all.extend(sqlx::query_scalar::<_, String>(indexes).bind(table).fetch_all(pool).await.unwrap());
    all
}

#[tokio::test]
async fn the_columns_have_the_types_that_the_engine_has_for_them() {
    let Some(pool) = crate::postgres().await else { return };
    SqlSessions::new(pool.clone()).migrate().await.unwrap();
    assert_eq!(
        described(&pool, "auth_sessions").await,
        [
            "key_hash bytea NO",
            "handle uuid NO",
            "user_key text YES",
            "stamp bytea YES",
            "login_at timestamptz YES",
            "data json NO",
            "created_at timestamptz NO",
            "last_active_at timestamptz NO",
            "idle_timeout int8 NO",
            "idle_expires_at timestamptz NO",
            "expires_at timestamptz NO",
            "persistent bool NO",
            "ip inet YES",
            "user_agent text YES",
            "version int8 NO",
            "deleted_at timestamptz YES",
            "deleted_by text YES",
            "CREATE INDEX auth_sessions_deleted_at ON public.auth_sessions \
             USING btree (deleted_at)",
            "CREATE INDEX auth_sessions_idle_expires_at ON public.auth_sessions \
             USING btree (idle_expires_at)",
            "CREATE INDEX auth_sessions_user_key ON public.auth_sessions USING btree (user_key)",
            "CREATE UNIQUE INDEX auth_sessions_pkey ON public.auth_sessions \
             USING btree (key_hash)",
        ]
    );
}

#[tokio::test]
async fn the_schema_as_text_is_what_migrate_makes() {
    let (Some(migrated), Some(by_hand)) = (crate::postgres().await, crate::postgres().await) else {
        return;
    };
    // A word of SQL, so that a name without quotes is found out.
    let store = |pool: &PgPool| SqlSessions::new(pool.clone()).table("order").unwrap();
    store(&migrated).migrate().await.unwrap();
    for statement in store(&by_hand).schema() {
        sqlx::query(AssertSqlSafe(statement)).execute(&by_hand).await.unwrap();
    }
    let tables = described(&migrated, "order").await;
    assert_eq!(tables.len(), 21, "{tables:?}");
    assert_eq!(described(&by_hand, "order").await, tables);

    store(&by_hand).migrate().await.expect("a table made by hand is taken as it is");
    assert_eq!(described(&by_hand, "order").await, tables);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_start_together_make_one_table() {
    let Some(database) = auth_test_servers::postgres() else { return };
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let url = database.url().to_owned();
        tasks.spawn(async move {
            let sessions = SqlSessions::new(open_postgres(&url).await.unwrap());
            sessions.migrate().await.unwrap();
        });
    }
    tasks.join_all().await;
}

#[tokio::test]
async fn an_older_program_leaves_a_newer_table_alone() {
    let Some(pool) = crate::postgres().await else { return };
    let sessions = SqlSessions::new(pool.clone());
    sessions.migrate().await.unwrap();
    sqlx::query("INSERT INTO auth_migrations VALUES ('auth_sessions', 99)")
        .execute(&pool)
        .await
        .unwrap();
    let newer = described(&pool, "auth_sessions").await;
    sessions.migrate().await.unwrap();
    assert_eq!(described(&pool, "auth_sessions").await, newer);
}
