//! What the facade stands in front of: a trait for each service, and each on the facade's own
//! database. To move one elsewhere, implement its trait by a client and put that in its place.

use std::sync::Arc;

use auth_poem::Error;
use example_kit::Database;
use sqlx::{Any, Transaction};

pub mod accounts;
pub mod email_settings;
pub mod invitations;
pub mod roles;
pub mod settings;
pub mod sites;
mod sql;

use self::{
    accounts::{Accounts, SqlAccounts},
    email_settings::{EmailSettings, SqlEmailSettings},
    invitations::{Invitations, SqlInvitations},
    roles::{Roles, SqlRoles},
    settings::{Settings, SqlSettings},
    sites::{Sites, SqlSites},
};

/// Changes that happen together or not at all.
///
/// A service on the facade's database joins the transaction. One that is elsewhere cannot: it does
/// its part at once, so what could still be refused comes before it.
pub type Work = Transaction<'static, Any>;

/// The services.
#[derive(Debug, Clone)]
pub struct Services {
    /// Who can sign in.
    pub accounts: Arc<dyn Accounts>,
    /// What they may do.
    pub roles: Arc<dyn Roles>,
    /// Where they may do it.
    pub sites: Arc<dyn Sites>,
    /// Who is asked to come to a site.
    pub invitations: Arc<dyn Invitations>,
    /// What other programs remember of an account.
    pub settings: Arc<dyn Settings>,
    /// Where an account gets its mail.
    pub email_settings: Arc<dyn EmailSettings>,
    database: Database,
}

impl Services {
    /// All services on one database, whose tables are made if they are not there.
    ///
    /// # Errors
    ///
    /// - the database cannot answer
    pub async fn on(database: &Database) -> Result<Self, sqlx::Error> {
        let migrations = [
            accounts::TABLE,
            roles::TABLE,
            sites::TABLE,
            invitations::TABLE,
            settings::TABLE,
            email_settings::TABLE,
        ];
        database.migrate(&migrations).await?;
        let pool = || database.pool().clone();
        Ok(Self {
            accounts: Arc::new(SqlAccounts(pool())),
            roles: Arc::new(SqlRoles(pool())),
            sites: Arc::new(SqlSites(pool())),
            invitations: Arc::new(SqlInvitations(pool())),
            settings: Arc::new(SqlSettings(pool())),
            email_settings: Arc::new(SqlEmailSettings),
            database: database.clone(),
        })
    }

    /// Begins changes that belong together. What is not committed is undone.
    ///
    /// On SQLite a transaction that reads first and writes later may find that somebody else wrote
    /// in between, so let the first statement write.
    ///
    /// # Errors
    ///
    /// - the database cannot answer
    pub async fn begin(&self) -> auth_poem::Result<Work> {
        self.database.pool().begin().await.map_err(Error::fault)
    }
}
