//! What other programs remember of an account: the facade hands it on, and they write it.

use std::fmt::Debug;

use async_trait::async_trait;
use example_kit::database::Pool;
use serde_json::Value;
use sqlx::any::AnyRow;

use super::{Result, fault, sql};

pub(super) const TABLE: &str =
    "CREATE TABLE settings (id VARCHAR(64) PRIMARY KEY, section TEXT NOT NULL)";

/// Keeps settings.
///
/// # Errors
///
/// Every method: the service cannot answer.
#[async_trait]
pub trait Settings: Debug + Send + Sync {
    /// The settings of an account, an object; `None` if nobody wrote any.
    async fn section(&self, account: &str) -> Result<Option<Value>>;
}

/// Settings on the facade's database.
#[derive(Debug)]
pub struct SqlSettings(pub Pool);

#[async_trait]
impl Settings for SqlSettings {
    async fn section(&self, account: &str) -> Result<Option<Value>> {
        sqlx::query("SELECT section FROM settings WHERE id = $1")
            .bind(account)
            .try_map(|row: AnyRow| sql::json(&row, "section"))
            .fetch_optional(&self.0)
            .await
            .map_err(fault)
    }
}
