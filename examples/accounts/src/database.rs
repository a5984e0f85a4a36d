//! The application's own table. The framework reads users from it and writes the columns that
//! [`User`] marks; signing up, renaming and removing are the application's.

use auth_poem::{Error, prelude::*, users::sql::roles_to_text};
use poem::http::StatusCode;
use sqlx::SqlitePool;

use crate::user::{Role, User};

/// Creates the table if it is not there.
///
/// # Errors
///
/// - the database cannot answer
pub async fn migrate(pool: &SqlitePool) -> Result<(), sqlx::Error> {
    sqlx::query(
        "CREATE TABLE IF NOT EXISTS users (
            id BLOB PRIMARY KEY,
            username TEXT NOT NULL UNIQUE COLLATE NOCASE,
            password TEXT NOT NULL,
            roles TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            last_login TEXT,
            last_ip TEXT,
            signup_time TEXT NOT NULL
        )",
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Creates a user; refuses a name that is taken.
pub(crate) async fn insert(
    pool: &SqlitePool,
    username: &str,
    password: PasswordHash,
    roles: Vec<Role>,
) -> auth_poem::Result<User> {
    let user = User {
        id: Uuid::now_v7(),
        username: username.to_owned(),
        password,
        roles,
        epoch: 0,
        last_login: None,
        last_ip: None,
        signup_time: Utc::now(),
    };
    sqlx::query(
        "INSERT INTO users (id, username, password, roles, epoch, signup_time)
         VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(user.id)
    .bind(&user.username)
    .bind(&user.password)
    .bind(roles_to_text(&user.roles))
    .bind(user.epoch)
    .bind(user.signup_time)
    .execute(pool)
    .await
    .map_err(name_taken)?;
    Ok(user)
}

/// The user of that name.
pub(crate) async fn find(pool: &SqlitePool, username: &str) -> auth_poem::Result<Option<User>> {
    sqlx::query_as("SELECT * FROM users WHERE username = ?")
        .bind(username)
        .fetch_optional(pool)
        .await
        .map_err(Error::fault)
}

/// All users, in the order in which they signed up.
pub(crate) async fn all(pool: &SqlitePool) -> auth_poem::Result<Vec<User>> {
    sqlx::query_as("SELECT * FROM users ORDER BY signup_time, id")
        .fetch_all(pool)
        .await
        .map_err(Error::fault)
}

/// Gives a user another name; refuses one that is taken.
pub(crate) async fn rename(pool: &SqlitePool, id: Uuid, name: &str) -> auth_poem::Result<()> {
    sqlx::query("UPDATE users SET username = ? WHERE id = ?")
        .bind(name)
        .bind(id)
        .execute(pool)
        .await
        .map_err(name_taken)?;
    Ok(())
}

/// Removes a user, unless he is the last administrator. Says whether somebody was removed. One
/// statement, so that two administrators who remove each other leave one.
pub(crate) async fn remove(pool: &SqlitePool, id: Uuid) -> auth_poem::Result<bool> {
    let is_admin = "EXISTS (SELECT 1 FROM json_each(roles) WHERE value = 'admin')";
    let statement = format!(
        "DELETE FROM users WHERE id = ?
         AND (NOT {is_admin} OR (SELECT count(*) FROM users WHERE {is_admin}) > 1)"
    );
    sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(id)
        .execute(pool)
        .await
        .map(|done| done.rows_affected() > 0)
        .map_err(Error::fault)
}

/// Whether there is a user of this id.
pub(crate) async fn exists(pool: &SqlitePool, id: Uuid) -> auth_poem::Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM users WHERE id = ?)")
        .bind(id)
        .fetch_one(pool)
        .await
        .map_err(Error::fault)
}

/// The refusal of a name that somebody has.
pub(crate) fn username_taken() -> Rejection {
    Rejection::new(StatusCode::CONFLICT, "username_taken", "This name is taken.")
}

fn name_taken(error: sqlx::Error) -> Error {
    let taken = error.as_database_error().is_some_and(|error| error.is_unique_violation());
    if taken { username_taken().into() } else { Error::fault(error) }
}
