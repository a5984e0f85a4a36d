//! How PostgreSQL carries the statements out.

use super::SqlUsers;
use crate::{
    sql::{open_postgres, testing::postgres_plan},
    users::tests::User,
};

#[tokio::test]
async fn a_login_looks_into_the_index_of_each_column() {
    let Some(database) = auth_test_servers::postgres() else { return };
    let pool = open_postgres(database.url()).await.unwrap();
    sqlx::raw_sql(
        r#"CREATE TABLE "group" (
            id UUID PRIMARY KEY,
            username TEXT NOT NULL UNIQUE,
            email TEXT,
            password_hash TEXT,
            roles JSONB,
            permissions JSON,
            last_login TIMESTAMPTZ,
            last_ip INET,
            epoch BIGINT NOT NULL
        );
        CREATE UNIQUE INDEX group_email ON "group" (lower(email COLLATE "C"));"#,
    )
    .execute(&pool)
    .await
    .unwrap();
    let users = SqlUsers::<User>::new(pool.clone());
    let sql = &users.sql;
    let plan = postgres_plan(&pool, sql.by_login.as_ref().unwrap().as_str()).await.unwrap();
    for expected in ["group_username_key", "group_email"] {
        assert!(plan.contains(expected), "{plan}");
    }
    for statement in [&sql.by_id, sql.set_password.as_ref().unwrap()] {
        let plan = postgres_plan(&pool, statement.as_str()).await.unwrap();
        assert!(plan.contains("group_pkey") && !plan.contains("Seq Scan"), "{plan}");
    }
}
