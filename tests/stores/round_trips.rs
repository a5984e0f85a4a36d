//! What a request costs in statements of a database.

use auth_core::sql::{SqlPool, open_postgres};
use auth_poem::{prelude::*, users::UserStore};
use auth_tests::{Admin, Answer, Browser, Logs};

use crate::faults::{populate, service_with};

/// A service on a database of its own, on which somebody is logged in.
async fn logged_in<S: UserStore<Admin>>(
    users: impl FnOnce(SqlUsers<Admin>) -> S,
) -> Option<(auth_test_servers::Database, Browser)> {
    let database = auth_test_servers::postgres()?;
    populate(&database).await;
    let pool = SqlPool::from(open_postgres(database.url()).await.unwrap());
    let browser = service_with(users(SqlUsers::new(pool.clone())), pool);
    let _ = browser.post("/login").await.is(200);
    Some((database, browser))
}

/// How many statements a request runs.
async fn statements(request: impl IntoFuture<Output = Answer>) -> usize {
    let logs = Logs::capture();
    let _ = request.await.is(200);
    logs.text().lines().filter(|line| line.contains("sqlx::query")).count()
}

#[tokio::test]
async fn a_session_and_a_user_are_a_statement_each_and_a_change_is_one_more() {
    let Some((_database, browser)) = logged_in(|users| users).await else { return };
    assert_eq!(statements(browser.get("/me")).await, 2);
    assert_eq!(statements(browser.get("/maybe")).await, 2);
    // Its first entry, and another one.
    for _ in 0..2 {
        assert_eq!(statements(browser.post("/add")).await, 2, "no user is asked for");
    }
    assert_eq!(statements(browser.post("/logout")).await, 1);
    assert_eq!(statements(browser.get("/maybe")).await, 0, "there is nothing to look up");
}

#[tokio::test]
async fn with_copies_of_users_the_session_is_the_only_statement() {
    let cached = |users: SqlUsers<Admin>| users.cached(Duration::minutes(5));
    let Some((_database, browser)) = logged_in(cached).await else { return };
    assert_eq!(statements(browser.get("/me")).await, 2);
    for path in ["/me", "/maybe"] {
        assert_eq!(statements(browser.get(path)).await, 1, "{path}");
    }
}
