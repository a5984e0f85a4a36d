//! Messages to people: into a folder, one JSON file each, or into the log.

use std::path::PathBuf;

use auth_poem::{Error, prelude::*};
use serde::Serialize;

/// Where messages go.
#[derive(Debug, Clone)]
pub struct Outbox {
    folder: Option<PathBuf>,
}

/// A message that carries a code.
#[derive(Debug, Serialize)]
pub struct Message<'a> {
    /// The address.
    pub to: &'a str,
    /// The line above it.
    pub subject: &'a str,
    /// What a person reads.
    pub text: String,
    /// What a test reads.
    pub code: &'a str,
}

impl Outbox {
    /// Writes to a folder, which must be there, or else to the log.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// Sends a message.
    ///
    /// # Errors
    ///
    /// - the folder cannot be written to
    pub async fn send(&self, message: &Message<'_>) -> auth_poem::Result<()> {
        let Some(folder) = &self.folder else {
            // A stand-in for a mail server: somebody has to see the code.
            tracing::info!(to = message.to, subject = message.subject, text = message.text);
            return Ok(());
        };
        let json = serde_json::to_vec(message).map_err(Error::fault)?;
        // Readers see a whole message or none.
        let name = Uuid::now_v7();
        let draft = folder.join(format!(".{name}.draft"));
        tokio::fs::write(&draft, json).await.map_err(Error::fault)?;
        tokio::fs::rename(draft, folder.join(format!("{name}.json"))).await.map_err(Error::fault)
    }
}
