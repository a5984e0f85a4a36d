//! Roles: who may do what where.

use std::fmt::Debug;

use async_trait::async_trait;
use auth_poem::prelude::*;
use example_kit::database::Pool;
use poem_openapi::Object;

use super::{Result, Work, fault};
use crate::user::Grant;

pub(super) const TABLE: &str = "
    CREATE TABLE roles (
        account VARCHAR(64) NOT NULL,
        role VARCHAR(80) NOT NULL,
        PRIMARY KEY (account, role)
    )";

/// The roles of an account.
#[derive(Debug, Object)]
pub struct UserRoles {
    /// The account.
    pub id: String,
    /// The roles, as in `admin` and `1:manager`.
    pub roles: Vec<String>,
    /// When they were changed.
    pub update_time: DateTime<Utc>,
}

/// Keeps roles.
///
/// # Errors
///
/// Every method: the service cannot answer.
#[async_trait]
pub trait Roles: Debug + Send + Sync {
    /// The roles of an account.
    async fn of(&self, account: &str) -> Result<Vec<Grant>>;

    /// Gives an account roles, in addition to those that it has.
    async fn grant(&self, work: &mut Work, account: &str, grants: &[Grant]) -> Result<()>;

    /// Takes roles from an account, as far as it has them.
    async fn revoke(&self, work: &mut Work, account: &str, grants: &[Grant]) -> Result<()>;

    /// Gives an account these roles and no others.
    async fn replace(&self, work: &mut Work, account: &str, grants: &[Grant]) -> Result<()>;
}

/// Roles on the facade's database.
#[derive(Debug)]
pub struct SqlRoles(pub Pool);

#[async_trait]
impl Roles for SqlRoles {
    async fn of(&self, account: &str) -> Result<Vec<Grant>> {
        let texts: Vec<String> =
            sqlx::query_scalar("SELECT role FROM roles WHERE account = $1 ORDER BY role")
                .bind(account)
                .fetch_all(&self.0)
                .await
                .map_err(fault)?;
        texts.iter().map(|text| text.parse().map_err(fault)).collect()
    }

    async fn grant(&self, work: &mut Work, account: &str, grants: &[Grant]) -> Result<()> {
        let insert = "INSERT INTO roles (account, role) VALUES ($1, $2)";
        for grant in grants {
            let insert = sqlx::query(insert).bind(account).bind(grant.to_string());
            work.connection().insert(insert).await.map_err(fault)?;
        }
        Ok(())
    }

    async fn revoke(&self, work: &mut Work, account: &str, grants: &[Grant]) -> Result<()> {
        for grant in grants {
            sqlx::query("DELETE FROM roles WHERE account = $1 AND role = $2")
                .bind(account)
                .bind(grant.to_string())
                .execute(work.connection())
                .await
                .map_err(fault)?;
        }
        Ok(())
    }

    async fn replace(&self, work: &mut Work, account: &str, grants: &[Grant]) -> Result<()> {
        sqlx::query("DELETE FROM roles WHERE account = $1")
            .bind(account)
            .execute(work.connection())
            .await
            .map_err(fault)?;
        self.grant(work, account, grants).await
    }
}
