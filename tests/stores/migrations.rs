//! Making the table of sessions.

use auth_core::{error::Error, session::record::ColumnType, sql::SqlPool, store::SqlSessions};

use crate::engines::{Engine, Place, number, on_each_engine, on_pool, run};

on_each_engine! {
    the_columns_have_the_types_that_the_engine_has_for_them
    the_schema_as_text_is_what_migrate_makes
    processes_that_start_together_make_one_table
    an_older_program_leaves_a_newer_table_alone
    a_column_that_is_there_with_another_type_is_a_mistake
}

/// Every column of a table with its type, and every index.
async fn described(pool: &SqlPool, table: &str) -> Vec<String> {
    let [columns, indexes] = match pool {
        SqlPool::Sqlite(_) => [
            "SELECT name || ' ' || type || ' ' || \"notnull\" FROM pragma_table_info(?)",
            "SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL \
             AND tbl_name = ? ORDER BY name",
        ],
        SqlPool::Postgres(_) => [
            "SELECT column_name || ' ' || udt_name || ' ' || is_nullable \
             FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position",
            "SELECT indexdef FROM pg_indexes WHERE tablename = $1 ORDER BY indexdef",
        ],
        SqlPool::MySql(_) => [
            "SELECT CAST(CONCAT(column_name, ' ', data_type, ' ', is_nullable) AS CHAR) \
             FROM information_schema.columns \
             WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position",
            "SELECT CAST(CONCAT(index_name, ' on ', column_name) AS CHAR) \
             FROM information_schema.statistics \
             WHERE table_schema = DATABASE() AND table_name = ? ORDER BY 1",
        ],
        other => panic!("{other:?}"),
    };
    on_pool!(pool, pool => {
        let mut all: Vec<String> =
            sqlx::query_scalar(columns).bind(table).fetch_all(pool).await.unwrap();
        let indexes = sqlx::query_scalar::<_, String>(indexes).bind(table);
        all.extend(indexes.fetch_all(pool).await.unwrap());
        all
    })
}

/// The columns that one test knows by heart, in each engine's words.
fn expected(engine: Engine) -> &'static [&'static str] {
    match engine {
        Engine::Sqlite => &[
            "key_hash BLOB 1",
            "handle BLOB 1",
            "user_key TEXT 0",
            "stamp BLOB 0",
            "login_at INTEGER 0",
            "data TEXT 1",
            "created_at INTEGER 1",
            "last_active_at INTEGER 1",
            "idle_timeout INTEGER 1",
            "idle_expires_at INTEGER 1",
            "expires_at INTEGER 1",
            "persistent BOOLEAN 1",
            "ip TEXT 0",
            "user_agent TEXT 0",
            "version INTEGER 1",
            "deleted_at INTEGER 0",
            "deleted_by TEXT 0",
        ],
        Engine::Postgres => &[
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
        ],
        Engine::MySql => &[
            "key_hash varbinary NO",
            "handle binary NO",
            "user_key varbinary YES",
            "stamp varbinary YES",
            "login_at datetime YES",
            "data longtext NO",
            "created_at datetime NO",
            "last_active_at datetime NO",
            "idle_timeout bigint NO",
            "idle_expires_at datetime NO",
            "expires_at datetime NO",
            "persistent tinyint NO",
            "ip varchar YES",
            "user_agent mediumtext YES",
            "version bigint NO",
            "deleted_at datetime YES",
            "deleted_by mediumtext YES",
        ],
    }
}

async fn the_columns_have_the_types_that_the_engine_has_for_them(place: Place) {
    let pool = place.pool().await;
    SqlSessions::new(pool.clone()).migrate().await.unwrap();
    let described = described(&pool, "auth_sessions").await;
    let (columns, indexes) = described.split_at(17);
    assert_eq!(columns, expected(place.engine));
    for column in ["user_key", "idle_expires_at", "deleted_at"] {
        let index = format!("auth_sessions_{column}");
        assert!(indexes.iter().any(|line| line.contains(&index)), "{index}: {indexes:?}");
    }
}

async fn the_schema_as_text_is_what_migrate_makes(place: Place) {
    let Some(by_hand) = place.engine.pool().await else { return };
    let migrated = place.pool().await;
    // Words of SQL, so that a name without quotes is found out.
    let store = |pool: &SqlPool| {
        let sessions = SqlSessions::new(pool.clone()).table("order").unwrap();
        sessions.column("group", ColumnType::Text).unwrap()
    };
    store(&migrated).migrate().await.unwrap();
    for statement in store(&by_hand).schema() {
        run(&by_hand, &statement).await;
    }
    let tables = described(&migrated, "order").await;
    assert!(tables.len() >= 21, "{tables:?}");
    assert_eq!(described(&by_hand, "order").await, tables);

    store(&by_hand).migrate().await.expect("a table made by hand is taken as it is");
    assert_eq!(described(&by_hand, "order").await, tables);
}

async fn processes_that_start_together_make_one_table(place: Place) {
    let made = place.at_once(async |pool| {
        let sessions = SqlSessions::new(pool).column("device", ColumnType::Text).unwrap();
        sessions.migrate().await.unwrap();
    });
    made.await;
    let described = described(&place.pool().await, "auth_sessions").await;
    assert!(described.iter().any(|line| line.starts_with("device ")), "{described:?}");
}

async fn an_older_program_leaves_a_newer_table_alone(place: Place) {
    let pool = place.pool().await;
    let sessions = SqlSessions::new(pool.clone());
    sessions.migrate().await.unwrap();
    run(&pool, "INSERT INTO auth_migrations VALUES ('auth_sessions', 99)").await;
    let newer = described(&pool, "auth_sessions").await;
    sessions.migrate().await.unwrap();
    assert_eq!(described(&pool, "auth_sessions").await, newer);
}

async fn a_column_that_is_there_with_another_type_is_a_mistake(place: Place) {
    let pool = place.pool().await;
    let device = |kind| SqlSessions::new(pool.clone()).column("device", kind).unwrap();
    device(ColumnType::Text).migrate().await.unwrap();
    device(ColumnType::Text).migrate().await.unwrap();
    for kind in [ColumnType::Bool, ColumnType::Integer, ColumnType::Time, ColumnType::Uuid] {
        let error = device(kind).migrate().await.unwrap_err();
        assert!(matches!(error, Error::Misconfigured(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_migration_of_mysql_that_was_interrupted_is_brought_to_its_end() {
    let (Some(whole), Some(pool)) = (Engine::MySql.pool().await, Engine::MySql.pool().await) else {
        return;
    };
    SqlSessions::new(whole.clone()).migrate().await.unwrap();
    let expected = described(&whole, "auth_sessions").await;
    let statements = SqlSessions::new(pool.clone()).schema();
    for done in 0..statements.len() {
        for statement in &statements[..done] {
            run(&pool, statement).await;
        }
        SqlSessions::new(pool.clone()).migrate().await.unwrap();
        assert_eq!(described(&pool, "auth_sessions").await, expected, "after {done} statements");
        assert_eq!(number(&pool, "SELECT COUNT(*) FROM auth_sessions_locks").await, 64);
        run(&pool, "DROP TABLE auth_sessions, auth_sessions_locks, auth_migrations").await;
    }
}
