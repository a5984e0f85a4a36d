//! Invitations: who is asked to come to a site, and as what.

use std::fmt::Debug;

use async_trait::async_trait;
use auth_poem::prelude::*;
use example_kit::{Nullable, database::Pool};
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, Row, any::AnyRow};

use super::{Result, Work, fault, sql};
use crate::{
    paging::{DataPage, Paging},
    user::{Grant, Role},
};

pub(super) const TABLE: &str = "
    CREATE TABLE invitations (
        id VARCHAR(64) PRIMARY KEY,
        site_id VARCHAR(64) NOT NULL,
        action VARCHAR(64) NOT NULL,
        invitee_email VARCHAR(320),
        create_time BIGINT NOT NULL,
        expire_time BIGINT NOT NULL,
        data TEXT NOT NULL
    );
    CREATE INDEX invitations_site ON invitations (site_id);
    CREATE INDEX invitations_email ON invitations (invitee_email);
    CREATE INDEX invitations_action ON invitations (action)";

/// An invitation.
#[derive(Debug, Clone, Object, Serialize, Deserialize)]
#[oai(skip_serializing_if_is_none)]
pub struct Invitation {
    /// Its id.
    pub id: String,
    /// The site.
    pub site_id: String,
    /// The site's name.
    pub site_name: String,
    /// When it was written.
    pub create_time: DateTime<Utc>,
    /// Who wrote it.
    pub creator_id: String,
    /// His name.
    pub creator_name: String,
    /// When it was last sent.
    pub sent_time: Option<DateTime<Utc>>,
    /// Until when it is good.
    pub expire_time: DateTime<Utc>,
    /// What happens to it.
    pub action: Action,
    /// As what the invitee comes.
    pub role: Role,
    /// The invitee's name.
    pub invitee_name: Option<String>,
    /// The invitee's address.
    pub invitee_email: Option<String>,
    /// The invitee's account.
    pub invitee_id: Option<String>,
}

impl Invitation {
    /// What the invitee becomes by it.
    pub(crate) fn grant(&self) -> Grant {
        Grant::in_scope(self.site_id.clone(), self.role)
    }
}

/// What happens to an invitation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Whoever proves the address comes to the site.
    #[default]
    Activate,
    /// Somebody at the site looks at it first.
    Approve,
    /// Nothing.
    Notify,
}

/// Keeps invitations.
///
/// # Errors
///
/// Every method: the service cannot answer.
#[async_trait]
pub trait Invitations: Debug + Send + Sync {
    /// The invitations to a site.
    async fn page(&self, site: &str, paging: Paging) -> Result<DataPage<Invitation>>;

    /// An invitation to a site.
    async fn by_id(&self, site: &str, id: &str) -> Result<Option<Invitation>>;

    /// Keeps an invitation. To change one, remove it first.
    async fn put(&self, work: &mut Work, invitation: &Invitation) -> Result<()>;

    /// Removes an invitation to a site, and tells what it was.
    async fn remove(&self, work: &mut Work, site: &str, id: &str) -> Result<Option<Invitation>>;

    /// Removes all invitations to a site.
    async fn remove_all(&self, work: &mut Work, site: &str) -> Result<()>;

    /// Removes the invitations to an address that its owner may act on now, and tells them.
    async fn activate(&self, work: &mut Work, email: &str) -> Result<Vec<Invitation>>;
}

/// Invitations on the facade's database.
#[derive(Debug)]
pub struct SqlInvitations(pub Pool);

#[async_trait]
impl Invitations for SqlInvitations {
    async fn page(&self, site: &str, paging: Paging) -> Result<DataPage<Invitation>> {
        let page = format!(
            "SELECT data FROM invitations WHERE site_id = $1 ORDER BY create_time, id
             LIMIT {} OFFSET {}",
            paging.take, paging.skip
        );
        let page = sqlx::query(AssertSqlSafe(page)).bind(site).try_map(read);
        let data = page.fetch_all(&self.0).await.map_err(fault)?;
        if !paging.total {
            return Ok(DataPage { data, total: Nullable(None) });
        }
        let count = sqlx::query("SELECT COUNT(*) FROM invitations WHERE site_id = $1").bind(site);
        let count = count.try_map(|row: AnyRow| row.try_get(0)).fetch_one(&self.0).await;
        Ok(DataPage { data, total: Nullable(Some(count.map_err(fault)?)) })
    }

    async fn by_id(&self, site: &str, id: &str) -> Result<Option<Invitation>> {
        sqlx::query("SELECT data FROM invitations WHERE id = $1 AND site_id = $2")
            .bind(id)
            .bind(site)
            .try_map(read)
            .fetch_optional(&self.0)
            .await
            .map_err(fault)
    }

    async fn put(&self, work: &mut Work, invitation: &Invitation) -> Result<()> {
        sqlx::query(
            "INSERT INTO invitations
                 (id, site_id, action, invitee_email, create_time, expire_time, data)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&invitation.id)
        .bind(&invitation.site_id)
        .bind(invitation.action.as_str())
        .bind(invitation.invitee_email.as_deref().map(str::to_lowercase))
        .bind(invitation.create_time.timestamp_millis())
        .bind(invitation.expire_time.timestamp_millis())
        .bind(sql::text(invitation)?)
        .execute(work.connection())
        .await
        .map_err(fault)?;
        Ok(())
    }

    async fn remove(&self, work: &mut Work, site: &str, id: &str) -> Result<Option<Invitation>> {
        let claim = claim();
        sqlx::query("UPDATE invitations SET action = $3 WHERE id = $1 AND site_id = $2")
            .bind(id)
            .bind(site)
            .bind(&claim)
            .execute(work.connection())
            .await
            .map_err(fault)?;
        Ok(take(work, &claim).await?.pop())
    }

    async fn remove_all(&self, work: &mut Work, site: &str) -> Result<()> {
        sqlx::query("DELETE FROM invitations WHERE site_id = $1")
            .bind(site)
            .execute(work.connection())
            .await
            .map_err(fault)?;
        Ok(())
    }

    async fn activate(&self, work: &mut Work, email: &str) -> Result<Vec<Invitation>> {
        let claim = claim();
        sqlx::query(
            "UPDATE invitations SET action = $4
             WHERE invitee_email = $1 AND action = $2 AND expire_time > $3",
        )
        .bind(email.to_lowercase())
        .bind(Action::Activate.as_str())
        .bind(Utc::now().timestamp_millis())
        .bind(&claim)
        .execute(work.connection())
        .await
        .map_err(fault)?;
        take(work, &claim).await
    }
}

impl Action {
    fn as_str(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Approve => "approve",
            Self::Notify => "notify",
        }
    }
}

fn read(row: AnyRow) -> sqlx::Result<Invitation> {
    sql::json(&row, "data")
}

/// What stands in place of the action of invitations that are about to be removed.
fn claim() -> String {
    format!("claimed:{}", Uuid::new_v4().simple())
}

/// Removes the invitations with this claim, and tells them. Not all engines can return what they
/// delete; the claim is why none is taken twice, and none is removed that was not told.
async fn take(work: &mut Work, claim: &str) -> Result<Vec<Invitation>> {
    let select = sqlx::query("SELECT data FROM invitations WHERE action = $1").bind(claim);
    let taken = select.try_map(read).fetch_all(work.connection()).await.map_err(fault)?;
    let delete = sqlx::query("DELETE FROM invitations WHERE action = $1").bind(claim);
    delete.execute(work.connection()).await.map_err(fault)?;
    Ok(taken)
}
