//! The table of users. The framework reads users from it and replaces outdated password hashes;
//! everything else is the application's.

use auth_poem::{Error, prelude::*, users::sql::roles_to_text};
use example_kit::{Database, Nullable, database::MigrationError};
use poem::http::StatusCode;
use sqlx::{FromRow, Row, any::AnyRow};

use crate::user::{Role, UserView};

const MIGRATIONS: [&str; 1] = ["CREATE TABLE users (
    id VARCHAR(36) PRIMARY KEY,
    login VARCHAR(320) UNIQUE,
    password TEXT NOT NULL,
    roles TEXT NOT NULL,
    email TEXT NOT NULL,
    first_name TEXT,
    last_name TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
)"];

/// The longest e-mail address, in characters: that of a login.
pub(crate) const LONGEST_EMAIL: usize = 320;

/// The code of the refusal of an e-mail address that somebody has.
pub(crate) const EMAIL_TAKEN: &str = "email_taken";

/// The users.
#[derive(Debug, Clone)]
pub(crate) struct Users {
    database: Database,
}

/// What a new user brings along.
#[derive(Debug)]
pub(crate) struct NewUser {
    pub(crate) email: String,
    pub(crate) password: PasswordHash,
    pub(crate) roles: Vec<Role>,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
}

impl Users {
    /// Creates the table if it is not there.
    pub(crate) async fn open(database: Database) -> Result<Self, MigrationError> {
        database.migrate(&MIGRATIONS).await?;
        Ok(Self { database })
    }

    /// Creates a user. Refuses an e-mail address that another one logs in with, or else, if `shared`
    /// says so, leaves the login to the other one.
    pub(crate) async fn create(&self, new: &NewUser, shared: bool) -> auth_poem::Result<UserView> {
        let now = now();
        let user = UserView {
            created_at: now.clone(),
            email: new.email.clone(),
            first_name: Nullable(new.first_name.clone()),
            // In the order of time, within one second too.
            id: Uuid::now_v7().to_string(),
            last_name: Nullable(new.last_name.clone()),
            updated_at: now,
        };
        if self.insert(&user, new, Some(&new.email)).await?
            || shared && self.insert(&user, new, None).await?
        {
            return Ok(user);
        }
        let detail = "Can't create User: email already used";
        Err(Rejection::new(StatusCode::BAD_REQUEST, EMAIL_TAKEN, detail).into())
    }

    /// Whether the user was inserted; not where another one has his login.
    async fn insert(
        &self,
        user: &UserView,
        new: &NewUser,
        login: Option<&str>,
    ) -> auth_poem::Result<bool> {
        let inserted = sqlx::query(
            "INSERT INTO users (id, login, password, roles, email, first_name, last_name, \
             created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(&user.id)
        .bind(login)
        .bind(&new.password)
        .bind(roles_to_text(&new.roles))
        .bind(&user.email)
        .bind(&user.first_name.0)
        .bind(&user.last_name.0)
        .bind(&user.created_at)
        .bind(&user.updated_at)
        .execute(self.database.pool())
        .await;
        match inserted {
            Ok(_) => Ok(true),
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
            Err(error) => Err(Error::fault(error)),
        }
    }

    /// All users, in the order in which they were created.
    pub(crate) async fn all(&self) -> auth_poem::Result<Vec<UserView>> {
        sqlx::query_as("SELECT * FROM users ORDER BY created_at, id")
            .fetch_all(self.database.pool())
            .await
            .map_err(Error::fault)
    }

    /// How many there are.
    pub(crate) async fn count(&self) -> auth_poem::Result<i64> {
        sqlx::query_scalar("SELECT COUNT(*) FROM users")
            .fetch_one(self.database.pool())
            .await
            .map_err(Error::fault)
    }

    /// The user of this id.
    pub(crate) async fn find(&self, id: &str) -> auth_poem::Result<Option<UserView>> {
        // PostgreSQL cannot even look for one.
        if id.contains('\0') {
            return Ok(None);
        }
        sqlx::query_as("SELECT * FROM users WHERE id = $1")
            .bind(id)
            .fetch_optional(self.database.pool())
            .await
            .map_err(Error::fault)
    }

    /// Whether somebody logs in with this e-mail address.
    pub(crate) async fn knows(&self, email: &str) -> auth_poem::Result<bool> {
        let number: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM users WHERE login = $1")
            .bind(email)
            .fetch_one(self.database.pool())
            .await
            .map_err(Error::fault)?;
        Ok(number > 0)
    }

    /// Gives a user other names; what is not given stays.
    pub(crate) async fn rename(
        &self,
        id: &str,
        first_name: Option<&str>,
        last_name: Option<&str>,
    ) -> auth_poem::Result<()> {
        sqlx::query(
            "UPDATE users SET first_name = COALESCE($1, first_name), \
             last_name = COALESCE($2, last_name), updated_at = $3 WHERE id = $4",
        )
        .bind(first_name)
        .bind(last_name)
        .bind(now())
        .bind(id)
        .execute(self.database.pool())
        .await
        .map(drop)
        .map_err(Error::fault)
    }

    /// Removes a user.
    pub(crate) async fn remove(&self, id: &str) -> auth_poem::Result<()> {
        sqlx::query("DELETE FROM users WHERE id = $1")
            .bind(id)
            .execute(self.database.pool())
            .await
            .map(drop)
            .map_err(Error::fault)
    }
}

impl FromRow<'_, AnyRow> for UserView {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            created_at: row.try_get("created_at")?,
            email: row.try_get("email")?,
            first_name: Nullable(row.try_get("first_name")?),
            id: row.try_get("id")?,
            last_name: Nullable(row.try_get("last_name")?),
            updated_at: row.try_get("updated_at")?,
        })
    }
}

/// The time as clients of the original know it.
fn now() -> String {
    Utc::now().format("%Y-%m-%d %H:%M:%S").to_string()
}
