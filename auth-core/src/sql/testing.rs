//! How a statement is carried out.

use sqlx::{AssertSqlSafe, PgPool};

/// What PostgreSQL would do with a statement if reading whole tables were forbidden to it, for
/// parameters that it does not know yet.
pub(crate) async fn postgres_plan(pool: &PgPool, statement: &str) -> Result<String, sqlx::Error> {
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
