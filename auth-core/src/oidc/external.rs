//! What a provider says of a person: [`ExternalUser`].

use std::fmt;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::identities::ExternalId;

/// Somebody who has logged in at a provider, as the provider knows him.
///
/// Everything but [`id`](Self::id) is what the provider says and may change: a name, an address. Who
/// somebody is, the identity alone decides.
#[derive(Clone)]
#[non_exhaustive]
pub struct ExternalUser {
    /// The provider's name in the configuration.
    pub provider: String,
    /// Who it is.
    pub id: ExternalId,
    /// The address, if the provider tells it.
    pub email: Option<String>,
    /// Whether the provider says that it has verified the address. That is the provider's word; see
    /// [`Provider::trust_verified_email`](super::Provider::trust_verified_email).
    pub email_verified: bool,
    /// The name that the person goes by there: `preferred_username`, or GitHub's `login`.
    pub username: Option<String>,
    /// The full name.
    pub name: Option<String>,
    /// The address of a picture.
    pub picture: Option<String>,
    /// All claims as the provider sends them: those of the ID token over those of the userinfo
    /// endpoint; GitHub's user as it is.
    pub claims: Map<String, Value>,
    /// The provider's tokens. They are dropped with this value, unless the application keeps them.
    pub tokens: ProviderTokens,
}

/// The tokens that a provider has issued to this application.
///
/// # Security
///
/// `Debug` shows none of them. Who keeps them keeps them encrypted, as
/// [`SealingKeys::seal_token`](crate::sealing::SealingKeys::seal_token) does: they let whoever reads
/// them act for the user at the provider.
#[derive(Clone)]
#[non_exhaustive]
pub struct ProviderTokens {
    /// The access token.
    pub access: SecretString,
    /// The refresh token, if there is one.
    pub refresh: Option<SecretString>,
    /// When the access token ends, if the provider says so.
    pub expires_at: Option<DateTime<Utc>>,
    /// The ID token as it came, `None` from a provider without.
    pub id_token: Option<SecretString>,
}

impl fmt::Debug for ExternalUser {
    /// Shows who it is and nothing else of the person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExternalUser")
            .field("provider", &self.provider)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ProviderTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProviderTokens(…)")
    }
}
