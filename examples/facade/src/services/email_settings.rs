//! Where an account gets its mail, and whether it was proved that it does.

use std::fmt::Debug;

use async_trait::async_trait;
use auth_poem::prelude::*;

use super::{Result, Work, fault};

pub(super) const TABLE: &str = "
    CREATE TABLE email_settings (
        id VARCHAR(64) PRIMARY KEY,
        name TEXT NOT NULL,
        email TEXT NOT NULL,
        language TEXT,
        verified BIGINT NOT NULL,
        ver_code TEXT,
        ver_expire_time BIGINT
    )";

/// The mail of a new account.
#[derive(Debug)]
pub struct NewEmailSettings<'a> {
    /// The account.
    pub id: &'a str,
    /// Its owner's name.
    pub name: &'a str,
    /// The address.
    pub email: &'a str,
    /// The owner's language.
    pub language: Option<&'a str>,
    /// The digest of the code that proves the address, `None` for one that is proved.
    pub code: Option<&'a str>,
    /// Until when the code is good.
    pub expire_time: DateTime<Utc>,
}

/// Keeps addresses.
///
/// # Errors
///
/// Every method: the service cannot answer.
#[async_trait]
pub trait EmailSettings: Debug + Send + Sync {
    /// Notes the address of a new account.
    async fn create(&self, work: &mut Work, settings: &NewEmailSettings<'_>) -> Result<()>;

    /// Notes that an address is proved, if this is the digest of its code and the code is still
    /// good, and tells the address. A code is good once.
    async fn verify(&self, work: &mut Work, account: &str, code: &str) -> Result<Option<String>>;
}

/// Addresses on the facade's database.
#[derive(Debug)]
pub struct SqlEmailSettings;

#[async_trait]
impl EmailSettings for SqlEmailSettings {
    async fn create(&self, work: &mut Work, settings: &NewEmailSettings<'_>) -> Result<()> {
        sqlx::query(
            "INSERT INTO email_settings
                 (id, name, email, language, verified, ver_code, ver_expire_time)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(settings.id)
        .bind(settings.name)
        .bind(settings.email)
        .bind(settings.language)
        .bind(i64::from(settings.code.is_none()))
        .bind(settings.code)
        .bind(settings.expire_time.timestamp_millis())
        .execute(work.connection())
        .await
        .map_err(fault)?;
        Ok(())
    }

    async fn verify(&self, work: &mut Work, account: &str, code: &str) -> Result<Option<String>> {
        let done = sqlx::query(
            "UPDATE email_settings SET verified = 1, ver_code = NULL, ver_expire_time = NULL
             WHERE id = $1 AND ver_code = $2 AND ver_expire_time > $3",
        )
        .bind(account)
        .bind(code)
        .bind(Utc::now().timestamp_millis())
        .execute(work.connection())
        .await
        .map_err(fault)?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        sqlx::query_scalar("SELECT email FROM email_settings WHERE id = $1")
            .bind(account)
            .fetch_optional(work.connection())
            .await
            .map_err(fault)
    }
}
