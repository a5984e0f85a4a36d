//! Accounts: who can sign in.
//!
//! The framework reads [`User`](crate::user::User) from the same table, and writes its password
//! when the hash is out of date. Accounts that are elsewhere need a `UserStore` as well.

use std::fmt::Debug;

use async_trait::async_trait;
use auth_poem::prelude::*;
use example_kit::database::{Engine, Pool};
use poem_openapi::Object;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Row, any::AnyRow};

use super::{Result, Work, fault, sql};

/// MySQL alone reads what stands in `/*! … */`. Logins are ASCII, and of ASCII letters this collation
/// ignores nothing but the case. That a login is unique in upper and lower
/// case alike has a column of its own, because not all engines have an index on what a function gives.
pub(super) const TABLE: &str = "
    CREATE TABLE accounts (
        id VARCHAR(64) PRIMARY KEY,
        login VARCHAR(254) /*! COLLATE utf8mb4_general_ci */ NOT NULL,
        login_key VARCHAR(254) GENERATED ALWAYS AS (lower(login)) STORED UNIQUE,
        password TEXT NOT NULL,
        password_time BIGINT NOT NULL,
        name TEXT NOT NULL,
        create_time BIGINT NOT NULL,
        active BOOLEAN NOT NULL,
        deleted BIGINT NOT NULL,
        epoch BIGINT NOT NULL,
        time_zone TEXT,
        language TEXT,
        theme TEXT,
        custom_hdr TEXT,
        custom_dat TEXT
    )";

/// The index by which the framework finds who signs in, in upper and lower case.
pub(super) fn login_index(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "CREATE INDEX accounts_login ON accounts (lower(login))",
        Engine::Postgres => "CREATE INDEX accounts_login ON accounts (lower(login COLLATE \"C\"))",
        // By the column's collation.
        Engine::MySql => "CREATE INDEX accounts_login ON accounts (login)",
    }
}

/// An account.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Account {
    /// Its id.
    pub id: String,
    /// What its owner signs in with.
    pub login: String,
    /// Its owner's name.
    pub name: String,
    /// When its owner signed up.
    pub create_time: DateTime<Utc>,
    /// Whether its owner may sign in.
    pub active: bool,
    /// Whether it is kept for the record only.
    pub deleted: Option<bool>,
    /// The owner's time zone.
    pub time_zone: Option<String>,
    /// The owner's language.
    pub language: Option<String>,
    /// How the owner likes pages to look.
    pub theme: Option<String>,
    /// What another program keeps here, in short.
    pub custom_hdr: Option<Value>,
    /// What another program keeps here.
    pub custom_dat: Option<Value>,
    /// When the password was set.
    #[oai(skip)]
    pub password_time: DateTime<Utc>,
}

/// An account that is to be.
#[derive(Debug)]
pub struct NewAccount<'a> {
    /// Its id.
    pub id: &'a str,
    /// What its owner signs in with.
    pub login: &'a str,
    /// The hash of the password.
    pub password: &'a PasswordHash,
    /// Its owner's name.
    pub name: &'a str,
    /// The owner's time zone.
    pub time_zone: Option<&'a str>,
    /// The owner's language.
    pub language: Option<&'a str>,
    /// How the owner likes pages to look.
    pub theme: Option<&'a str>,
}

/// Keeps accounts.
///
/// # Errors
///
/// Every method: the service cannot answer.
#[async_trait]
pub trait Accounts: Debug + Send + Sync {
    /// Creates an account that is active. `false`, and no change, if its id or its login is taken,
    /// be it by a deleted one.
    async fn create(&self, work: &mut Work, account: &NewAccount<'_>) -> Result<bool>;

    /// The account of that id or, if there is none, of that login; a deleted one too.
    async fn by_id_or_login(&self, name: &str) -> Result<Option<Account>>;

    /// Marks an account as deleted, and tells what it was.
    async fn delete(&self, id: &str) -> Result<Option<Account>>;
}

/// Accounts on the facade's database.
#[derive(Debug)]
pub struct SqlAccounts(pub Pool);

#[async_trait]
impl Accounts for SqlAccounts {
    async fn create(&self, work: &mut Work, account: &NewAccount<'_>) -> Result<bool> {
        let now = Utc::now().timestamp_millis();
        let insert = sqlx::query(
            "INSERT INTO accounts (id, login, password, name, password_time, create_time,
                 time_zone, language, theme, active, deleted, epoch)
             VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8, TRUE, 0, 0)",
        )
        .bind(account.id)
        .bind(account.login)
        .bind(account.password.expose())
        .bind(account.name)
        .bind(now)
        .bind(account.time_zone)
        .bind(account.language)
        .bind(account.theme);
        work.connection().insert(insert).await.map_err(fault)
    }

    async fn by_id_or_login(&self, name: &str) -> Result<Option<Account>> {
        let select = format!(
            "SELECT {COLUMNS} FROM accounts WHERE id = $1 OR login_key = lower($1)
             ORDER BY CASE WHEN id = $1 THEN 0 ELSE 1 END LIMIT 1"
        );
        sqlx::query(AssertSqlSafe(select))
            .bind(name)
            .try_map(read)
            .fetch_optional(&self.0)
            .await
            .map_err(fault)
    }

    async fn delete(&self, id: &str) -> Result<Option<Account>> {
        let delete = sqlx::query("UPDATE accounts SET deleted = 1, active = FALSE WHERE id = $1");
        let done = delete.bind(id).execute(&self.0).await.map_err(fault)?;
        match done.rows_affected() {
            0 => Ok(None),
            _ => self.by_id_or_login(id).await,
        }
    }
}

/// No driver reads every engine's truth values through `Any`.
const COLUMNS: &str = "id, login, name, create_time, password_time, deleted,
    CASE WHEN active THEN 1 ELSE 0 END AS is_active,
    time_zone, language, theme, custom_hdr, custom_dat";

fn read(row: AnyRow) -> sqlx::Result<Account> {
    let deleted: i64 = row.try_get("deleted")?;
    let is_active: i64 = row.try_get("is_active")?;
    Ok(Account {
        id: row.try_get("id")?,
        login: row.try_get("login")?,
        name: row.try_get("name")?,
        create_time: sql::time(&row, "create_time")?,
        active: is_active == 1,
        deleted: (deleted == 1).then_some(true),
        time_zone: row.try_get("time_zone")?,
        language: row.try_get("language")?,
        theme: row.try_get("theme")?,
        custom_hdr: sql::json(&row, "custom_hdr")?,
        custom_dat: sql::json(&row, "custom_dat")?,
        password_time: sql::time(&row, "password_time")?,
    })
}
