use tokio::task::JoinSet;

use super::*;

const NOTES: &str = "CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT NOT NULL);
                     INSERT INTO notes (id, body) VALUES (1, 'first')";
const SECOND: &str = "INSERT INTO notes (id, body) VALUES (2, 'second')";

async fn note(database: &Database, id: i64) -> Option<String> {
    sqlx::query_scalar("SELECT body FROM notes WHERE id = $1")
        .bind(id)
        .fetch_optional(database.pool())
        .await
        .unwrap()
}

/// The number of rows that the framework's connections see.
async fn seen_by_the_framework(database: &Database) -> i64 {
    let count = "SELECT COUNT(*) FROM notes";
    match database.auth() {
        SqlPool::Sqlite(pool) => sqlx::query_scalar(count).fetch_one(&pool).await.unwrap(),
        SqlPool::Postgres(pool) => sqlx::query_scalar(count).fetch_one(&pool).await.unwrap(),
        SqlPool::MySql(pool) => sqlx::query_scalar(count).fetch_one(&pool).await.unwrap(),
        _ => panic!("an engine that is not tested"),
    }
}

#[tokio::test]
async fn runs_each_migration_once() {
    let database = Database::in_memory().await.unwrap();
    database.migrate(&[NOTES]).await.unwrap();
    database.migrate(&[NOTES]).await.unwrap();
    database.migrate(&[NOTES, SECOND]).await.unwrap();
    database.migrate(&[NOTES, SECOND]).await.unwrap();
    assert_eq!(note(&database, 2).await.as_deref(), Some("second"));
    assert_eq!(note(&database, 3).await, None);
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing() {
    let database = Database::in_memory().await.unwrap();
    database.migrate(&[NOTES, NOTES]).await.unwrap_err();
    database.migrate(&[NOTES]).await.unwrap();
}

/// Starts many programs at once on one file.
async fn start_many(url: &str, migrations: &'static [&'static str]) -> Vec<Database> {
    let mut starts = JoinSet::new();
    for _ in 0..8 {
        let url = url.to_owned();
        starts.spawn(async move {
            let database = Database::connect(&url).await.unwrap();
            database.migrate(migrations).await.unwrap();
            database
        });
    }
    starts.join_all().await
}

/// Starts many programs at once on a new database, and newer ones on the same, then old.
async fn start_old_and_new(url: &str) {
    start_many(url, &[NOTES]).await;
    for database in start_many(url, &[NOTES, SECOND]).await {
        assert_eq!(note(&database, 2).await.as_deref(), Some("second"));
        assert_eq!(note(&database, 3).await, None);
        assert_eq!(seen_by_the_framework(&database).await, 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_can_start_at_once_on_a_new_file_and_on_an_old_one() {
    for _ in 0..4 {
        let folder = tempfile::tempdir().unwrap();
        start_old_and_new(&format!("sqlite://{}", folder.path().join("new.db").display())).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_can_start_at_once_on_postgres() {
    let Some(server) = auth_test_servers::postgres() else { return };
    start_old_and_new(server.url()).await;
    let database = Database::connect(server.url()).await.unwrap();
    database.migrate(&[NOTES, SECOND, NOTES]).await.unwrap_err();
    database.migrate(&[NOTES, SECOND, "DELETE FROM notes"]).await.unwrap();
    assert_eq!(seen_by_the_framework(&database).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_can_start_at_once_on_mysql() {
    let Some(server) = auth_test_servers::mysql() else { return };
    start_old_and_new(server.url()).await;
    let database = Database::connect(server.url()).await.unwrap();
    database.migrate(&[NOTES, SECOND, "DELETE FROM notes"]).await.unwrap();
    assert_eq!(seen_by_the_framework(&database).await, 0);
}

#[tokio::test]
async fn says_how_far_a_migration_came_that_fails_on_mysql() {
    let Some(server) = auth_test_servers::mysql() else { return };
    let database = Database::connect(server.url()).await.unwrap();
    let fails = "CREATE TABLE others (id BIGINT PRIMARY KEY); INSERT INTO nowhere VALUES (1)";
    for statement in [2, 1] {
        let error = database.migrate(&[NOTES, fails]).await.unwrap_err();
        let said = format!("migration 2 has failed at its statement {statement}");
        assert!(error.to_string().contains(&said), "{error}");
    }
    // Nothing holds the lock any longer, and what came before is done.
    database.migrate(&[NOTES]).await.unwrap();
    assert_eq!(seen_by_the_framework(&database).await, 1);
}

/// Runs a test on a new database of each engine that is here.
async fn on_each_engine(test: impl AsyncFn(Database)) {
    test(Database::in_memory().await.unwrap()).await;
    for server in [auth_test_servers::postgres(), auth_test_servers::mysql()].iter().flatten() {
        test(Database::connect(server.url()).await.unwrap()).await;
    }
}

#[tokio::test]
async fn values_go_where_they_are_named() {
    on_each_engine(async |database| {
        database.migrate(&[NOTES]).await.unwrap();
        let insert = "INSERT INTO notes (body, id) SELECT body, $2 FROM notes
                      WHERE id = $1 AND body <> '$1' AND ($3 IS NULL OR body = $3)";
        for (id, body, inserted) in [(2, None, 1), (3, Some("first"), 1), (4, Some("$3"), 0)] {
            let insert = sqlx::query(insert).bind(1_i64).bind(id).bind(body);
            let done = insert.execute(database.pool()).await.unwrap();
            assert_eq!(done.rows_affected(), inserted, "{:?}", database.engine());
        }
        let twice = "UPDATE notes SET body = CASE WHEN $2 = body THEN $3 ELSE $2 END WHERE id = $1";
        let mut transaction = database.pool().begin().await.unwrap();
        let update = sqlx::query(twice).bind(2_i64).bind("first").bind("Größe");
        update.execute(&mut transaction).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(note(&database, 2).await.as_deref(), Some("Größe"));
        assert_eq!(note(&database, 3).await.as_deref(), Some("first"));
        let too_few = sqlx::query("DELETE FROM notes WHERE id = $1 AND body = $2").bind(2_i64);
        let done = too_few.execute(database.pool()).await;
        assert!(done.map_or(0, |done| done.rows_affected()) == 0, "{:?}", database.engine());
    })
    .await;
}

#[tokio::test]
async fn a_key_that_is_there_is_no_fault_and_the_transaction_goes_on() {
    on_each_engine(async |database| {
        database.migrate(&[NOTES]).await.unwrap();
        let insert = |id: i64| {
            sqlx::query("INSERT INTO notes (id, body) VALUES ($1, $2)").bind(id).bind("new")
        };
        let mut transaction = database.pool().begin().await.unwrap();
        for (id, inserted) in [(2, true), (1, false), (2, false), (3, true)] {
            assert_eq!(transaction.insert(insert(id)).await.unwrap(), inserted);
        }
        let null = sqlx::query("INSERT INTO notes (id, body) VALUES (4, $1)").bind(None::<String>);
        transaction.insert(null).await.unwrap_err();
        transaction.commit().await.unwrap();
        assert_eq!(note(&database, 1).await.as_deref(), Some("first"));
        assert_eq!(seen_by_the_framework(&database).await, 3);

        let mut undone = database.pool().begin().await.unwrap();
        assert!(undone.insert(insert(5)).await.unwrap());
        drop(undone);
        assert_eq!(note(&database, 5).await, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_insert_the_same_at_once_one_does() {
    on_each_engine(async |database| {
        database.migrate(&[NOTES]).await.unwrap();
        for id in 10..20_i64 {
            let mut writers = JoinSet::new();
            for _ in 0..8 {
                let database = database.clone();
                writers.spawn(async move {
                    let mut transaction = database.pool().begin().await.unwrap();
                    let insert = sqlx::query("INSERT INTO notes (id, body) VALUES ($1, 'x')");
                    let inserted = transaction.insert(insert.bind(id)).await.unwrap();
                    transaction.commit().await.unwrap();
                    inserted
                });
            }
            let inserted = writers.join_all().await;
            let count = inserted.iter().filter(|inserted| **inserted).count();
            assert_eq!(count, 1, "{:?}: {inserted:?}", database.engine());
        }
    })
    .await;
}

#[tokio::test]
async fn text_is_the_same_where_its_bytes_are() {
    const KEYS: &str = "CREATE TABLE words (word VARCHAR(20) PRIMARY KEY, long_text TEXT)";
    on_each_engine(async |database| {
        database.migrate(&[KEYS]).await.unwrap();
        let long = "ü".repeat(100_000);
        for word in ["jose", "Jose", "josé", "jose ", " jose", "ﬁ", "fi"] {
            let insert = sqlx::query("INSERT INTO words (word, long_text) VALUES ($1, $2)");
            insert.bind(word).bind(&long).execute(database.pool()).await.unwrap();
            let select = "SELECT word, long_text FROM words WHERE word = $1";
            let found: Vec<(String, String)> =
                sqlx::query_as(select).bind(word).fetch_all(database.pool()).await.unwrap();
            assert_eq!(found, [(word.to_owned(), long.clone())]);
        }
    })
    .await;
}

#[tokio::test]
async fn what_does_not_fit_is_an_error_and_is_not_cut() {
    let Some(server) = auth_test_servers::mysql_server() else { return };
    let server_database = server.database();
    let lenient = Database::connect(server_database.url()).await.unwrap();
    lenient.pool().execute(sqlx::raw_sql("SET GLOBAL sql_mode = ''")).await.unwrap();
    let database = Database::connect(server_database.url()).await.unwrap();
    database.migrate(&["CREATE TABLE words (word VARCHAR(3) PRIMARY KEY)"]).await.unwrap();
    let insert = sqlx::query("INSERT INTO words (word) VALUES ($1)").bind("four");
    insert.execute(database.pool()).await.unwrap_err();
}

#[tokio::test]
async fn both_pools_see_one_database_and_every_database_in_memory_is_another() {
    let database = Database::connect("sqlite::memory:").await.unwrap();
    database.migrate(&[NOTES]).await.unwrap();
    assert_eq!(seen_by_the_framework(&database).await, 1);
    let other = Database::in_memory().await.unwrap();
    assert!(sqlx::query("SELECT * FROM notes").execute(other.pool()).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn both_pools_write_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite://{}", folder.path().join("new.db").display());
    for url in ["sqlite::memory:", &file] {
        let database = Database::connect(url).await.unwrap();
        database.migrate(&[NOTES]).await.unwrap();
        let mut writers = JoinSet::new();
        for id in 10..60 {
            let database = database.clone();
            writers.spawn(async move {
                let insert = "INSERT INTO notes (id, body) VALUES ($1, 'x')";
                if id % 2 == 0 {
                    sqlx::query(insert).bind(id).execute(database.pool()).await.map(drop)
                } else {
                    let SqlPool::Sqlite(pool) = database.auth() else { panic!("engine") };
                    sqlx::query(insert).bind(id).execute(&pool).await.map(drop)
                }
            });
        }
        for written in writers.join_all().await {
            written.unwrap();
        }
        assert_eq!(seen_by_the_framework(&database).await, 51);
    }
}

#[tokio::test]
async fn does_not_print_a_url_that_it_cannot_read() {
    let error = Database::connect("mystery://me:secret@host/db").await.unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
}
