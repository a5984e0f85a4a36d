//! What is kept, and the statements that keep it.
//!
//! The statements run on SQLite, PostgreSQL and MySQL as they stand. Users are the application's too:
//! the framework reads them from their table by itself, and everything else is done here.

use auth_poem::{Error, prelude::*};
use example_kit::{
    Database,
    database::{MigrationError, Pool},
};

use crate::user::User;

mod articles;
mod comments;
mod profiles;
mod schema;
mod tags;
mod users;

pub(crate) use self::{
    articles::{ArticleChanges, Filter, NewArticle, Page},
    users::UserChanges,
};

/// The application's tables. Clones share the connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: Pool,
    users: SqlUsers<User>,
}

impl Store {
    /// Opens the tables, and creates them if they are not there.
    ///
    /// # Errors
    ///
    /// - the database cannot answer
    pub async fn open(database: &Database) -> Result<Self, MigrationError> {
        database.migrate(&schema::migrations(database.engine())).await?;
        Ok(Self { pool: database.pool().clone(), users: SqlUsers::new(database.auth()) })
    }
}

/// The present, as columns have it: milliseconds since 1970.
fn now() -> i64 {
    Utc::now().timestamp_millis()
}

/// Whether a write failed because a value is taken.
fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.is_unique_violation())
}

/// A text to look for. PostgreSQL has no NUL in text, and fails on one: a client must not be able to
/// make a fault out of that, so it asks for a text that nothing has.
fn sought(text: &str) -> &str {
    if text.contains('\0') { "" } else { text }
}

/// What every method answers.
type Result<T, E = Error> = std::result::Result<T, E>;
