//! How a statement is carried out.

use sqlx::AssertSqlSafe;

/// The steps in which SQLite would carry a statement out.
#[cfg(feature = "sqlite")]
pub(crate) async fn sqlite_plan(pool: &sqlx::SqlitePool, statement: &str) -> Vec<String> {
    let mut connection = pool.acquire().await.unwrap();
    // A plan is made of what the connection knows of the tables. It may have looked at them before an
    // index was made by another one, and looks again only when a statement runs.
    sqlx::raw_sql("SELECT 1 FROM sqlite_schema").fetch_all(&mut *connection).await.unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
    let plan: Vec<(i64, i64, i64, String)> =
        sqlx::query_as(explain).fetch_all(&mut *connection).await.unwrap();
    plan.into_iter().map(|(.., step)| step).collect()
}

/// What PostgreSQL would do with a statement if reading whole tables were forbidden to it, for
/// parameters that it does not know yet.
#[cfg(feature = "postgres")]
pub(crate) async fn postgres_plan(
    pool: &sqlx::PgPool,
    statement: &str,
) -> Result<String, sqlx::Error> {
    let parameters = vec!["NULL"; statement.matches('$').count()].join(", ");
    let execute = if parameters.is_empty() { "p".into() } else { format!("p({parameters})") };
    let mut connection = pool.acquire().await?;
    for sql in [
        "SET enable_seqscan = off".to_owned(),
        "SET plan_cache_mode = force_generic_plan".to_owned(),
        format!("PREPARE p AS {statement}"),
    ] {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await?;
    }
    let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE {execute}"));
    let plan: Vec<String> = sqlx::query_scalar(explain).fetch_all(&mut *connection).await?;
    // With what it has been set to.
    connection.detach();
    Ok(plan.join("\n"))
}
