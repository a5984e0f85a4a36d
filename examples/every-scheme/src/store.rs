//! The application's own table. The framework reads users from it; making them is the
//! application's.

use auth_poem::{
    fault::{Error, Failure},
    password::PasswordHasher,
    prelude::*,
    users::{Lookup, UserStore, sql::roles_to_text},
};
use example_kit::{
    Database,
    database::{MigrationError, Pool},
};

use crate::user::{Role, User};

/// Each brings the table of the one before up to date. New ones go to the end.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE users (
        id VARCHAR(36) PRIMARY KEY,
        username VARCHAR(320) NOT NULL UNIQUE,
        password VARCHAR(255),
        roles VARCHAR(255) NOT NULL
    )
"];

/// Who is there after `SEED=1`: name, password, roles.
const SEED: [(&str, &str, &[Role]); 2] = [
    ("alice", "correct horse battery staple", &[Role::Admin]),
    ("bob", "battery horse staple correct", &[]),
];

/// The users. Clones share the connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: Pool,
    users: SqlUsers<User>,
}

impl Store {
    /// Opens the table, and creates it if it is not there.
    ///
    /// # Errors
    ///
    /// - the database cannot answer
    pub async fn open(database: &Database) -> Result<Self, MigrationError> {
        database.migrate(MIGRATIONS).await?;
        Ok(Self { pool: database.pool().clone(), users: SqlUsers::new(database.auth()) })
    }

    /// Creates Alice and Bob, as far as they are not there; who is there stays as he is.
    ///
    /// # Errors
    ///
    /// - the database cannot answer
    pub async fn seed(&self) -> Result<(), Failure> {
        for (name, password, roles) in SEED {
            if self.find(name).await?.is_none() {
                let password = PasswordHasher::default().hash(password).await?;
                self.insert(name, Some(password), roles.to_vec()).await?;
                tracing::info!(name, "created a user");
            }
        }
        Ok(())
    }

    /// The account of somebody who comes from elsewhere under this name, which no other way of
    /// making an account gives out.
    pub(crate) async fn newcomer(&self, username: &str) -> Result<User, Error> {
        match self.find(username).await? {
            Some(user) => Ok(user),
            None => self.insert(username, None, Vec::new()).await,
        }
    }

    /// The user of that name.
    async fn find(&self, username: &str) -> Result<Option<User>, Error> {
        match self.users.by_login(username).await? {
            Lookup::One(user) => Ok(Some((*user).clone())),
            // Names are unique.
            Lookup::None | Lookup::Ambiguous => Ok(None),
        }
    }

    /// Creates a user; the one of that name, if another process was faster.
    async fn insert(
        &self,
        username: &str,
        password: Option<PasswordHash>,
        roles: Vec<Role>,
    ) -> Result<User, Error> {
        let id = Uuid::now_v7().to_string();
        let user = User { id, username: username.to_owned(), password, roles };
        let insert = "INSERT INTO users (id, username, password, roles) VALUES ($1, $2, $3, $4)";
        let inserted = sqlx::query(insert)
            .bind(&user.id)
            .bind(&user.username)
            .bind(user.password.clone())
            .bind(roles_to_text(&user.roles))
            .execute(&self.pool)
            .await;
        let Err(error) = inserted else { return Ok(user) };
        let taken = error.as_database_error().is_some_and(|error| error.is_unique_violation());
        match if taken { self.find(username).await? } else { None } {
            Some(other) => Ok(other),
            None => Err(Error::user_store(error)),
        }
    }
}
