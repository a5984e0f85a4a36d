//! Bringing a store's tables up to date: [`migrate`].

use sqlx::AssertSqlSafe;

use super::{SqlPool, dialect::Dialect};

/// Runs those of a store's migrations that this database has not seen yet.
///
/// The table `auth_migrations` notes which that were, by the name of the store's table. Everything
/// happens in one transaction that begins with the lock for writing: of two processes that start
/// together, the second waits and then finds nothing to do; one that dies half way leaves nothing.
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
    super::on_pool!(pool, pool => {
        let mut transaction = pool.begin_with(dialect.begin).await?;
        sqlx::query(bookkeeping).execute(&mut *transaction).await?;
        let latest: i64 =
            sqlx::query_scalar(latest).bind(table).fetch_one(&mut *transaction).await?;
        for (version, statements) in (1_i64..).zip(migrations).filter(|(v, _)| *v > latest) {
            for statement in statements {
                let statement = AssertSqlSafe(statement.as_str());
                sqlx::query(statement).execute(&mut *transaction).await?;
            }
            let note = AssertSqlSafe(note.as_str());
            sqlx::query(note).bind(table).bind(version).execute(&mut *transaction).await?;
        }
        transaction.commit().await
    })
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests {
    use super::*;
    use crate::sql::open_sqlite;

    fn statements(sql: &[&str]) -> Vec<String> {
        sql.iter().map(|&sql| sql.to_owned()).collect()
    }

    #[tokio::test]
    async fn runs_each_migration_once_and_later_ones_on_top() {
        let sqlite = open_sqlite("sqlite::memory:").await.unwrap();
        let pool = SqlPool::from(sqlite.clone());
        // Neither statement could run twice.
        let mut all = vec![statements(&["CREATE TABLE t (a)"])];
        migrate(&pool, "t", &all).await.unwrap();
        migrate(&pool, "t", &all).await.unwrap();
        all.push(statements(&["ALTER TABLE t ADD COLUMN b", "ALTER TABLE t ADD COLUMN c"]));
        migrate(&pool, "t", &all).await.unwrap();
        migrate(&pool, "t", &all).await.unwrap();
        sqlx::query("INSERT INTO t (a, b, c) VALUES (1, 2, 3)").execute(&sqlite).await.unwrap();

        all.pop();
        migrate(&pool, "t", &all).await.expect("an older program leaves a newer table alone");
        let other = [statements(&["CREATE TABLE u (a)"])];
        migrate(&pool, "u", &other).await.expect("tables are counted apart");
        sqlx::query("INSERT INTO u (a) VALUES (1)").execute(&sqlite).await.unwrap();
    }

    #[tokio::test]
    async fn a_migration_that_fails_leaves_nothing() {
        let sqlite = open_sqlite("sqlite::memory:").await.unwrap();
        let pool = SqlPool::from(sqlite.clone());
        let broken = [statements(&["CREATE TABLE t (a)", "CREATE TABLE t (a)"])];
        migrate(&pool, "t", &broken).await.unwrap_err();
        let mended = [statements(&["CREATE TABLE t (a)"])];
        migrate(&pool, "t", &mended).await.unwrap();
    }
}
