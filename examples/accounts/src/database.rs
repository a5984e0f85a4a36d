//! The application's own table, on the engine that the URL names. The framework reads users from it
//! and writes the columns that [`User`] marks; signing up, renaming and removing are the
//! application's.

use auth_poem::{
    Error,
    prelude::*,
    sql::SqlPool,
    users::{Lookup, UserStore, sql::roles_to_text},
};
use example_kit::database::question_marks;
use poem::http::StatusCode;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::user::{Role, User};

const SQLITE: &str = "CREATE TABLE IF NOT EXISTS users (
        id BLOB PRIMARY KEY,
        username TEXT NOT NULL UNIQUE COLLATE NOCASE,
        password TEXT NOT NULL,
        roles TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        last_login TEXT,
        last_ip TEXT,
        signup_time TEXT NOT NULL
    )";

/// Behind a lock, because two processes that start together would both create the table. Any number
/// will do that no other program of this database uses.
const POSTGRES: &str = "BEGIN;
    SELECT pg_advisory_xact_lock(20260714);
    CREATE TABLE IF NOT EXISTS users (
        id UUID PRIMARY KEY,
        username TEXT NOT NULL,
        password TEXT NOT NULL,
        roles TEXT NOT NULL,
        epoch BIGINT NOT NULL,
        last_login TIMESTAMPTZ,
        last_ip INET,
        signup_time TIMESTAMPTZ NOT NULL
    );
    CREATE UNIQUE INDEX IF NOT EXISTS users_username ON users (lower(username COLLATE \"C\"));
    COMMIT";

/// Names are ASCII, and of ASCII letters this collation ignores nothing but the case.
const MYSQL: &str = "CREATE TABLE IF NOT EXISTS users (
        id BINARY(16) PRIMARY KEY,
        username VARCHAR(64) NOT NULL UNIQUE,
        password VARCHAR(255) NOT NULL,
        roles VARCHAR(255) NOT NULL,
        epoch BIGINT NOT NULL,
        last_login DATETIME(6),
        last_ip VARCHAR(45),
        signup_time DATETIME(6) NOT NULL
    ) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci";

/// What an administrator has in the column `roles`, which is a list as JSON.
const IS_ADMIN: &str = "roles LIKE '%\"admin\"%'";

/// The table of users.
#[derive(Debug, Clone)]
pub struct Users {
    pool: SqlPool,
    users: SqlUsers<User>,
}

/// Runs code on the engine's own pool, compiled once for each engine: uuids and times are bound as
/// what each has for them.
macro_rules! on_engine {
    ($users:expr, $pool:ident => $code:expr) => {
        match &$users.pool {
            SqlPool::Sqlite($pool) => $code,
            SqlPool::Postgres($pool) => $code,
            SqlPool::MySql($pool) => $code,
            other => return Err(unknown(other)),
        }
    };
}

/// Removes with all administrators locked, so that of two deletions at once the second counts
/// without the first.
macro_rules! remove_alone {
    ($pool:expr, $id:expr, $delete:literal) => {
        async {
            let lock = format!("SELECT id FROM users WHERE {IS_ADMIN} ORDER BY id FOR UPDATE");
            let mut transaction = $pool.begin().await?;
            let admins: Vec<Uuid> =
                sqlx::query_scalar(AssertSqlSafe(lock)).fetch_all(&mut *transaction).await?;
            if admins == [$id] {
                return Ok(0);
            }
            let done = sqlx::query($delete).bind($id).execute(&mut *transaction).await?;
            transaction.commit().await?;
            Ok::<_, sqlx::Error>(done.rows_affected())
        }
        .await
    };
}

impl Users {
    /// Opens the table, and creates it if it is not there.
    ///
    /// # Errors
    ///
    /// - the database cannot answer
    pub async fn open(pool: SqlPool) -> auth_poem::Result<Self> {
        let created = match &pool {
            SqlPool::Sqlite(pool) => sqlx::raw_sql(SQLITE).execute(pool).await.map(drop),
            SqlPool::Postgres(pool) => sqlx::raw_sql(POSTGRES).execute(pool).await.map(drop),
            SqlPool::MySql(pool) => sqlx::raw_sql(MYSQL).execute(pool).await.map(drop),
            other => return Err(unknown(other)),
        };
        created.map_err(Error::fault)?;
        Ok(Self { users: SqlUsers::new(pool.clone()), pool })
    }

    /// A statement whose parameters are named in their order, as the engine wants it.
    fn sql(&self, numbered: &'static str) -> SqlStr {
        match self.pool {
            SqlPool::MySql(_) => AssertSqlSafe(question_marks(numbered).0).into_sql_str(),
            _ => numbered.into_sql_str(),
        }
    }

    /// Creates a user; refuses a name that is taken.
    pub(crate) async fn insert(
        &self,
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
        let insert = self.sql(
            "INSERT INTO users (id, username, password, roles, epoch, signup_time)
             VALUES ($1, $2, $3, $4, $5, $6)",
        );
        on_engine!(self, pool => sqlx::query(insert)
            .bind(user.id)
            .bind(&user.username)
            .bind(&user.password)
            .bind(roles_to_text(&user.roles))
            .bind(user.epoch)
            .bind(user.signup_time)
            .execute(pool)
            .await
            .map(drop))
        .map_err(name_taken)?;
        Ok(user)
    }

    /// The id of the user of that name.
    pub(crate) async fn find(&self, username: &str) -> auth_poem::Result<Option<Uuid>> {
        let found = self.users.by_login(username).await?;
        Ok(if let Lookup::One(user) = found { Some(user.id) } else { None })
    }

    /// All users, in the order in which they signed up.
    pub(crate) async fn all(&self) -> auth_poem::Result<Vec<User>> {
        let select = "SELECT * FROM users ORDER BY signup_time, id";
        on_engine!(self, pool => sqlx::query_as(select).fetch_all(pool).await).map_err(Error::fault)
    }

    /// Gives a user another name; refuses one that is taken.
    pub(crate) async fn rename(&self, id: Uuid, name: &str) -> auth_poem::Result<()> {
        let update = self.sql("UPDATE users SET username = $1 WHERE id = $2");
        on_engine!(self, pool => sqlx::query(update).bind(name).bind(id).execute(pool).await.map(drop))
            .map_err(name_taken)
    }

    /// Removes a user, unless he is the last administrator. Says whether somebody was removed. Two
    /// administrators who remove each other leave one.
    pub(crate) async fn remove(&self, id: Uuid) -> auth_poem::Result<bool> {
        let removed = match &self.pool {
            // It has one writer at a time.
            SqlPool::Sqlite(pool) => {
                let delete = AssertSqlSafe(format!(
                    "DELETE FROM users WHERE id = $1
                     AND (NOT {IS_ADMIN} OR (SELECT count(*) FROM users WHERE {IS_ADMIN}) > 1)"
                ));
                let done = sqlx::query(delete).bind(id).execute(pool).await;
                done.map(|done| done.rows_affected())
            }
            SqlPool::Postgres(pool) => remove_alone!(pool, id, "DELETE FROM users WHERE id = $1"),
            SqlPool::MySql(pool) => remove_alone!(pool, id, "DELETE FROM users WHERE id = ?"),
            other => return Err(unknown(other)),
        };
        removed.map(|removed| removed > 0).map_err(Error::fault)
    }

    /// Whether there is a user of this id.
    pub(crate) async fn exists(&self, id: Uuid) -> auth_poem::Result<bool> {
        let user = self.users.by_id(&id).await?;
        Ok(user.is_some())
    }
}

/// The refusal of a name that somebody has.
pub(crate) fn username_taken() -> Rejection {
    Rejection::new(StatusCode::CONFLICT, "username_taken", "This name is taken.")
}

fn name_taken(error: sqlx::Error) -> Error {
    let taken = error.as_database_error().is_some_and(|error| error.is_unique_violation());
    if taken { username_taken().into() } else { Error::fault(error) }
}

fn unknown(pool: &SqlPool) -> Error {
    Error::fault(format!("the table of users has no form for {pool:?}"))
}
