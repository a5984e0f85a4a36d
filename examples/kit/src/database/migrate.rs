//! Bringing the example's tables up to date.

use std::io;

use sqlx::{Any, AssertSqlSafe, Executor, pool::PoolConnection};

use super::{Database, Engine, mysql};

/// Which migrations a database has seen.
const DONE: &str = "CREATE TABLE IF NOT EXISTS example_migrations (version BIGINT PRIMARY KEY)";

const LATEST: &str = "SELECT COALESCE(MAX(version), 0) FROM example_migrations";

/// In PostgreSQL, until the transaction ends. Any number will do that no other program of this
/// database uses.
const LOCK: &str = "DO $$ BEGIN PERFORM pg_advisory_xact_lock(20260713); END $$";

/// In MySQL, until the connection ends. The server has one name of a lock for all its databases.
const NAMED_LOCK: &str = "SELECT GET_LOCK(CONCAT('example:', LEFT(SHA2(DATABASE(), 256), 40)), 60)";

/// Why a database is not up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The database cannot answer, or does not understand a statement. It is as it was.
    #[error("the database is not up to date, and as it was")]
    Undone(#[from] sqlx::Error),
    /// A statement of a migration has failed on MySQL, which cannot undo those before it.
    #[error(
        "migration {version} has failed at its statement {statement}, and what it did before that \
         stays: undo it by hand, or begin with an empty database"
    )]
    HalfDone {
        /// Which migration, from 1.
        version: i64,
        /// Which of its statements, from 1.
        statement: usize,
        /// What the database says.
        source: sqlx::Error,
    },
}

impl Database {
    /// Runs those of the example's migrations that this database has not seen yet; each is one or
    /// more statements with `;` between them, and no `;` elsewhere. New ones are added at the end.
    ///
    /// All in one transaction that begins with a lock: of two processes that start together, the
    /// second waits and then finds nothing to do, and one that dies half way leaves nothing. MySQL
    /// has the lock too, but cannot undo what defines tables: there, the error says how far it came.
    /// On MySQL, `TEXT` is text of any length, and tables compare text by its bytes.
    ///
    /// # Errors
    ///
    /// - the database cannot answer, or does not understand a statement
    pub async fn migrate(&self, migrations: &[&'static str]) -> Result<(), MigrationError> {
        let connections = self.pool.connections();
        let mut transaction = match self.engine() {
            Engine::Sqlite => connections.begin_with("BEGIN IMMEDIATE").await?,
            Engine::Postgres => {
                let mut transaction = connections.begin().await?;
                transaction.execute(sqlx::raw_sql(LOCK)).await?;
                transaction
            }
            Engine::MySql => return migrate_mysql(connections.acquire().await?, migrations).await,
        };
        transaction.execute(sqlx::raw_sql(DONE)).await?;
        let latest: i64 = sqlx::query_scalar(LATEST).fetch_one(&mut *transaction).await?;
        for (version, migration) in (1_i64..).zip(migrations).filter(|(v, _)| *v > latest) {
            transaction.execute(sqlx::raw_sql(*migration)).await?;
            sqlx::query("INSERT INTO example_migrations (version) VALUES ($1)")
                .bind(version)
                .execute(&mut *transaction)
                .await?;
        }
        Ok(transaction.commit().await?)
    }
}

async fn migrate_mysql(
    mut connection: PoolConnection<Any>,
    migrations: &[&'static str],
) -> Result<(), MigrationError> {
    // With the lock, and what it is set to, whatever happens.
    connection.close_on_drop();
    connection.execute(sqlx::raw_sql("SET SESSION lock_wait_timeout = 60")).await?;
    let locked: Option<i64> = sqlx::query_scalar(NAMED_LOCK).fetch_one(&mut *connection).await?;
    if locked != Some(1) {
        let what = "another migration of this database takes too long";
        return Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, what)).into());
    }
    connection.execute(sqlx::raw_sql(DONE)).await?;
    let latest: i64 = sqlx::query_scalar(LATEST).fetch_one(&mut *connection).await?;
    for (version, migration) in (1_i64..).zip(migrations).filter(|(v, _)| *v > latest) {
        let statements = migration.split(';').map(str::trim).filter(|text| !text.is_empty());
        for (statement, text) in (1..).zip(statements) {
            let definition = AssertSqlSafe(mysql::definition(text));
            let done = connection.execute(sqlx::raw_sql(definition)).await;
            done.map_err(|source| MigrationError::HalfDone { version, statement, source })?;
        }
        sqlx::query("INSERT INTO example_migrations (version) VALUES (?)")
            .bind(version)
            .execute(&mut *connection)
            .await?;
    }
    Ok(connection.close().await?)
}
