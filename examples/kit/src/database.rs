//! One database, twice: for the example's own tables, and for those that the framework reads.

use std::{
    num::NonZero,
    sync::atomic::{AtomicUsize, Ordering},
    thread::available_parallelism,
    time::Duration,
};

use auth_poem::sql::SqlPool;
use sqlx::{
    AnyPool, Executor,
    any::{AnyPoolOptions, install_default_drivers},
};

use crate::BoxError;

/// How long a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// An open database.
///
/// The example's own statements run on [`Database::pool`], whichever engine the URL names. They
/// write parameters as `$1`, `$2`, and use columns of the types `TEXT` and `BIGINT` only: that is
/// what every engine and its driver have in common. [`Database::auth`] is what the framework's
/// stores take.
#[derive(Debug, Clone)]
pub struct Database {
    pool: AnyPool,
    auth: SqlPool,
    engine: Engine,
}

#[derive(Debug, Clone, Copy)]
enum Engine {
    Sqlite,
    Postgres,
}

impl Database {
    /// Opens the database that a URL names: `sqlite://shop.db` (made if it is not there) or
    /// `postgres://user:password@host/database`. `sqlite::memory:` is [`Database::in_memory`].
    ///
    /// # Errors
    ///
    /// - the URL names no such engine
    /// - the database cannot be opened
    pub async fn connect(url: &str) -> Result<Self, BoxError> {
        if url == "sqlite::memory:" {
            return Self::in_memory().await;
        }
        Self::open(url).await
    }

    /// A database of its own in memory; it is gone with its last clone.
    ///
    /// # Errors
    ///
    /// - there is no memory for it
    pub async fn in_memory() -> Result<Self, BoxError> {
        static DATABASES: AtomicUsize = AtomicUsize::new(0);
        // Not `:memory:`, which both pools would have one of.
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let url = format!("sqlite:///example-kit-{number}?vfs=memdb&mode=rwc");
        Self::open(&url).await
    }

    async fn open(url: &str) -> Result<Self, BoxError> {
        // First, because it makes the file of SQLite and puts it into WAL mode.
        let auth = SqlPool::connect(url).await?;
        let engine = match auth {
            SqlPool::Sqlite(_) => Engine::Sqlite,
            SqlPool::Postgres(_) => Engine::Postgres,
            _ => return Err("the statements of the examples are for SQLite and PostgreSQL".into()),
        };
        install_default_drivers();
        let cores = available_parallelism().map_or(1, NonZero::get);
        let options = AnyPoolOptions::new()
            .acquire_timeout(ACQUIRE_TIMEOUT)
            // One stays open, or a database in memory would end with it.
            .min_connections(1)
            .max_connections(cores.clamp(4, 16) as u32)
            .idle_timeout(None)
            .max_lifetime(None);
        let options = match engine {
            // Foreign keys are enforced and WAL is a property of the file; these two are not.
            Engine::Sqlite => options.after_connect(|connection, _| {
                Box::pin(async move {
                    let settings = "PRAGMA busy_timeout = 2000; PRAGMA synchronous = NORMAL";
                    connection.execute(sqlx::raw_sql(settings)).await.map(drop)
                })
            }),
            Engine::Postgres => options,
        };
        Ok(Self { pool: options.connect(url).await?, auth, engine })
    }

    /// The pool for the example's own statements.
    #[must_use]
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// The pool for the framework's stores.
    #[must_use]
    pub fn auth(&self) -> SqlPool {
        self.auth.clone()
    }

    /// Runs those of the example's migrations that this database has not seen yet; each is one or
    /// more statements. New ones are added at the end.
    ///
    /// All in one transaction that begins with a lock: of two processes that start together, the
    /// second waits and then finds nothing to do, and one that dies half way leaves nothing.
    ///
    /// # Errors
    ///
    /// - the database cannot answer, or does not understand a statement
    pub async fn migrate(&self, migrations: &[&'static str]) -> Result<(), sqlx::Error> {
        let mut transaction = match self.engine {
            Engine::Sqlite => self.pool.begin_with("BEGIN IMMEDIATE").await?,
            Engine::Postgres => {
                let mut transaction = self.pool.begin().await?;
                // Any number will do that no other program of this database uses.
                let lock = "DO $$ BEGIN PERFORM pg_advisory_xact_lock(20260713); END $$";
                transaction.execute(sqlx::raw_sql(lock)).await?;
                transaction
            }
        };
        let done = "CREATE TABLE IF NOT EXISTS example_migrations (version BIGINT PRIMARY KEY)";
        transaction.execute(sqlx::raw_sql(done)).await?;
        let latest: i64 =
            sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM example_migrations")
                .fetch_one(&mut *transaction)
                .await?;
        for (version, migration) in (1_i64..).zip(migrations).filter(|(v, _)| *v > latest) {
            transaction.execute(sqlx::raw_sql(*migration)).await?;
            sqlx::query("INSERT INTO example_migrations (version) VALUES ($1)")
                .bind(version)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    }
}

#[cfg(test)]
mod tests {
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
            start_old_and_new(&format!("sqlite://{}", folder.path().join("new.db").display()))
                .await;
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
}
