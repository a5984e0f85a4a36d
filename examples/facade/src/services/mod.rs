//! What the facade stands in front of: a trait for each service, and each on the facade's own
//! database. To move one elsewhere, implement its trait by a client and put that in its place.

use std::sync::Arc;

use auth_poem::fault::{BoxError, Error};
use example_kit::{
    Database,
    database::{MigrationError, Transaction},
};

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

/// What a service answers. That it cannot is a fault, which decides nothing; what it answers may
/// well be "no".
pub type Result<T> = std::result::Result<T, Error>;

/// Changes that happen together or not at all: what is not committed is undone.
///
/// A service on the facade's database joins the transaction. One that is elsewhere cannot: it does
/// its part at once, so what could still be refused comes before it.
#[derive(Debug)]
pub struct Work(Transaction);

impl Work {
    /// Where the statements of the work run.
    pub fn connection(&mut self) -> &mut Transaction {
        &mut self.0
    }

    /// Makes the changes last.
    ///
    /// # Errors
    ///
    /// - the database cannot answer
    pub async fn commit(self) -> Result<()> {
        self.0.commit().await.map_err(fault)
    }
}

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
    pub async fn on(database: &Database) -> std::result::Result<Self, MigrationError> {
        let migrations = [
            accounts::TABLE,
            accounts::login_index(database.engine()),
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

    /// Begins changes that belong together.
    ///
    /// On SQLite a transaction that reads first and writes later may find that somebody else wrote
    /// in between, so let the first statement write.
    ///
    /// # Errors
    ///
    /// - the database cannot answer
    pub async fn begin(&self) -> Result<Work> {
        self.database.pool().begin().await.map(Work).map_err(fault)
    }
}

/// The fault of a service that cannot answer.
pub(crate) fn fault(source: impl Into<BoxError>) -> Error {
    Error::Application(source.into())
}
