//! Bringing a store's tables up to date: [`migrate`].

use std::io;

use sqlx::{AssertSqlSafe, Connection};

use super::{SqlPool, dialect::Dialect};

/// Runs code in a transaction that no other migration of this database runs beside. What the code
/// gives is committed.
macro_rules! exclusively {
    ($sql_pool:expr, $transaction:ident => $code:expr) => {
        $crate::sql::on_pool!($sql_pool, pool => {
            let dialect = Dialect::of($sql_pool);
            let mut connection = pool.acquire().await?;
            if let Some([settings, lock]) = dialect.migration_lock {
                // With what it is set to, and with the lock.
                connection.close_on_drop();
                sqlx::query(settings).execute(&mut *connection).await?;
                let locked: Option<i64> =
                    sqlx::query_scalar(lock).fetch_one(&mut *connection).await?;
                if locked != Some(1) {
                    let what = "another migration of this database takes too long";
                    return Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, what)));
                }
            }
            let answer = {
                let mut $transaction = connection.begin_with(dialect.begin).await?;
                let answer: Result<_, sqlx::Error> = async { $code }.await;
                let answer = answer?;
                $transaction.commit().await?;
                answer
            };
            if dialect.migration_lock.is_some() {
                connection.close().await?;
            }
            Ok(answer)
        })
    };
}

/// Runs those of a store's migrations that this database has not seen yet.
///
/// The table `auth_migrations` notes which that were, by the name of the store's table. Everything
/// happens in one transaction that begins with the lock for writing: of two processes that start
/// together, the second waits and then finds nothing to do; one that dies half way leaves nothing. In
/// MySQL, where DDL cannot be undone, it leaves what the next one takes as it is and goes on from.
/// Migrations only go forward, and a database that is ahead of this program is left as it is, so
/// that two versions can run side by side during an upgrade.
pub(crate) async fn migrate(
    pool: &SqlPool,
    table: &str,
    migrations: &[Vec<String>],
) -> Result<(), sqlx::Error> {
    let dialect = Dialect::of(pool);
    let (text, integer) = (dialect.key_text, dialect.integer);
    let bookkeeping = AssertSqlSafe(format!(
        "CREATE TABLE IF NOT EXISTS auth_migrations (\
         table_name {text} NOT NULL, version {integer} NOT NULL, \
         PRIMARY KEY (table_name, version))"
    ));
    let latest = AssertSqlSafe(
        dialect.sql("SELECT COALESCE(MAX(version), 0) FROM auth_migrations WHERE table_name = ?"),
    );
    let note = dialect.sql("INSERT INTO auth_migrations (table_name, version) VALUES (?, ?)");
    exclusively!(pool, transaction => {
        sqlx::query(bookkeeping).execute(&mut *transaction).await?;
        let latest: i64 =
            sqlx::query_scalar(latest).bind(table).fetch_one(&mut *transaction).await?;
        for (version, statements) in (1_i64..).zip(migrations).filter(|(v, _)| *v > latest) {
            for statement in statements {
                let statement = AssertSqlSafe(statement.as_str());
                let done = sqlx::query(statement).execute(&mut *transaction).await;
                done.map(drop).or_else(unless_there)?;
            }
            let note = AssertSqlSafe(note.as_str());
            sqlx::query(note).bind(table).bind(version).execute(&mut *transaction).await?;
        }
        Ok(())
    })
}

/// Takes a column or an index for made that is there. Only engines say so that cannot undo DDL: it is
/// from a migration that did not come to its end, or was made by hand.
fn unless_there(error: sqlx::Error) -> Result<(), sqlx::Error> {
    #[cfg(feature = "mysql")]
    {
        use sqlx::mysql::MySqlDatabaseError;
        let error = error.as_database_error();
        let number = error.and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>());
        // A duplicate column, a duplicate index.
        if number.is_some_and(|error| [1060, 1061].contains(&error.number())) {
            return Ok(());
        }
    }
    Err(error)
}

/// A column of a table, for [`add_columns`].
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// Its type, a word of the dialect.
    pub(crate) kind: &'static str,
}

impl Column {
    /// Adds it to a table.
    pub(crate) fn add(&self, dialect: &Dialect, table: &str) -> String {
        let [table, name] = [table, self.name].map(|name| dialect.name(name, ""));
        format!("ALTER TABLE {table} ADD COLUMN {name} {}", self.kind)
    }
}

/// Adds those columns to a table that it does not have yet. Safe from several processes at once, as
/// [`migrate`].
///
/// Where a column is there already and has another type, the answer says so, and nothing is added.
pub(crate) async fn add_columns(
    pool: &SqlPool,
    table: &str,
    columns: &[Column],
) -> Result<Option<String>, sqlx::Error> {
    let dialect = Dialect::of(pool);
    let described = dialect.sql(dialect.column_type);
    if columns.is_empty() {
        return Ok(None);
    }
    exclusively!(pool, transaction => {
        let mut missing = Vec::new();
        for column in columns {
            let described = AssertSqlSafe(described.as_str());
            let found: Option<(String, String)> = sqlx::query_as(described)
                .bind(column.kind)
                .bind(table)
                .bind(column.name)
                .fetch_optional(&mut *transaction)
                .await?;
            match found {
                None => missing.push(column),
                Some((found, wanted)) if found != wanted => {
                    return Ok(Some(format!(
                        "the table `{table}` has a column `{}` of the type {found}, and it was \
                         declared with a type that is {wanted}: declare it as it is, or rename one",
                        column.name
                    )));
                }
                Some(_) => {}
            }
        }
        for column in missing {
            let add = AssertSqlSafe(column.add(dialect, table));
            let done = sqlx::query(add).execute(&mut *transaction).await;
            done.map(drop).or_else(unless_there)?;
        }
        Ok(None)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(sql: &[&str]) -> Vec<String> {
        sql.iter().map(|&sql| sql.to_owned()).collect()
    }

    async fn run(pool: &SqlPool, sql: &'static str) {
        crate::sql::on_pool!(pool, pool => sqlx::query(sql).execute(pool).await.map(drop)).unwrap();
    }

    async fn runs_each_migration_once_and_later_ones_on_top(pool: SqlPool) {
        // None of these statements could run twice.
        let mut all = vec![statements(&["CREATE TABLE t (a INTEGER)"])];
        migrate(&pool, "t", &all).await.unwrap();
        migrate(&pool, "t", &all).await.unwrap();
        run(&pool, "INSERT INTO t (a) VALUES (1)").await;
        all.push(statements(&[
            "ALTER TABLE t ADD COLUMN b INTEGER",
            "ALTER TABLE t ADD COLUMN c INTEGER",
        ]));
        migrate(&pool, "t", &all).await.unwrap();
        migrate(&pool, "t", &all).await.unwrap();
        run(&pool, "UPDATE t SET b = a, c = a").await;

        all.pop();
        migrate(&pool, "t", &all).await.expect("an older program leaves a newer table alone");
        let other = [statements(&["CREATE TABLE u (a INTEGER)"])];
        migrate(&pool, "u", &other).await.expect("tables are counted apart");
        run(&pool, "INSERT INTO u (a) VALUES (1)").await;
    }

    async fn a_migration_that_fails_leaves_nothing(pool: SqlPool) {
        let table = "CREATE TABLE t (a INTEGER)";
        let broken = [statements(&[table, table])];
        migrate(&pool, "t", &broken).await.unwrap_err();
        migrate(&pool, "t", &[statements(&[table])]).await.unwrap();
    }

    #[cfg(feature = "sqlite")]
    mod sqlite {
        use crate::sql::{SqlPool, open_sqlite};

        async fn pool() -> SqlPool {
            open_sqlite("sqlite::memory:").await.unwrap().into()
        }

        #[tokio::test]
        async fn runs_each_migration_once_and_later_ones_on_top() {
            super::runs_each_migration_once_and_later_ones_on_top(pool().await).await;
        }

        #[tokio::test]
        async fn a_migration_that_fails_leaves_nothing() {
            super::a_migration_that_fails_leaves_nothing(pool().await).await;
        }
    }

    #[cfg(feature = "postgres")]
    mod postgres {
        use tokio::task::JoinSet;

        use super::*;
        use crate::sql::open_postgres;

        #[tokio::test]
        async fn runs_each_migration_once_and_later_ones_on_top() {
            let Some(database) = auth_test_servers::postgres() else { return };
            let pool = open_postgres(database.url()).await.unwrap().into();
            super::runs_each_migration_once_and_later_ones_on_top(pool).await;
        }

        #[tokio::test]
        async fn a_migration_that_fails_leaves_nothing() {
            let Some(database) = auth_test_servers::postgres() else { return };
            let pool = open_postgres(database.url()).await.unwrap().into();
            super::a_migration_that_fails_leaves_nothing(pool).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn processes_that_start_together_upgrade_once() {
            let Some(database) = auth_test_servers::postgres() else { return };
            let first = [statements(&["CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (0)"])];
            let pool = SqlPool::from(open_postgres(database.url()).await.unwrap());
            migrate(&pool, "t", &first).await.unwrap();

            // Longer than a request may take, and nothing that could run twice.
            let second = statements(&[
                "ALTER TABLE t ADD COLUMN b INTEGER",
                "SELECT pg_sleep(2.5)",
                "UPDATE t SET a = a + 1",
            ]);
            let all = [first[0].clone(), second];
            let mut tasks = JoinSet::new();
            for _ in 0..4 {
                let (url, all) = (database.url().to_owned(), all.clone());
                tasks.spawn(async move {
                    let pool = SqlPool::from(open_postgres(&url).await.unwrap());
                    migrate(&pool, "t", &all).await.unwrap();
                });
            }
            tasks.join_all().await;
            let SqlPool::Postgres(pool) = pool else { unreachable!() };
            let a: i32 = sqlx::query_scalar("SELECT a FROM t").fetch_one(&pool).await.unwrap();
            assert_eq!(a, 1, "upgraded once");
        }
    }
}
