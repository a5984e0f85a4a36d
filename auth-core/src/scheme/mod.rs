//! The ways to present a credential, and the chain that tries them.
//!
//! A scheme answers one of four: nothing was presented; what was presented does not hold; the
//! system cannot tell; a user is known. `identify` joins the answers of all schemes of a user
//! type into one, and loads the user once.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::{
    rejection::Rejection,
    scopes::Scopes,
    secret::{SecurityStamp, TokenId},
    user::{AuthUser, UserKey},
};

mod api_key;
mod basic;
mod bearer;
mod custom;
mod identify;
mod session;
mod signature;

pub(crate) use api_key::ApiKeyScheme;
pub(crate) use basic::{BasicScheme, VerifiedPasswords};
pub(crate) use bearer::BearerScheme;
pub(crate) use custom::CustomScheme;
pub use custom::{Carrier, Proof, Scheme, SchemeInfo};
pub(crate) use identify::Identification;
pub(crate) use signature::{SignatureScheme, purpose as signed_purpose};

/// The name of the session scheme in `#[auth(schemes(...))]`, and of its cookie in documents.
pub const SESSION: &str = "session";
/// The name of the session's header in documents.
pub const SESSION_HEADER: &str = "session_header";
/// The name of the bearer token scheme in `#[auth(schemes(...))]` and in documents.
pub const BEARER: &str = "bearer";
/// The name of HTTP Basic in `#[auth(schemes(...))]` and in documents.
pub const BASIC: &str = "basic";

/// The name of API keys in `#[auth(schemes(...))]` and in documents.
pub const API_KEY: &str = "api_key";
/// The name of signed requests in `#[auth(schemes(...))]` and in documents.
pub const SIGNATURE: &str = "signature";

/// The names that mean something already: in `#[auth(schemes(...))]`, or in documents.
const RESERVED: [&str; 6] = [SESSION, SESSION_HEADER, BEARER, BASIC, API_KEY, SIGNATURE];

/// A way to present a credential, as it is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemeKind {
    /// The session cookie or header.
    Session,
    /// A token in the `Authorization` header.
    Bearer,
    /// Name and password in the `Authorization` header.
    Basic,
    /// An API key, in a header of its own or in `Authorization`.
    ApiKey,
    /// A signature over the request, with an access key.
    Signature,
    /// A [`Scheme`] of the application's own, by its name.
    Custom(&'static str),
}

impl SchemeKind {
    /// The scheme of that name; one of the application's own where the framework has none.
    #[must_use]
    pub fn from_name(name: &'static str) -> Self {
        match name {
            SESSION => Self::Session,
            BEARER => Self::Bearer,
            BASIC => Self::Basic,
            API_KEY => Self::ApiKey,
            SIGNATURE => Self::Signature,
            own => Self::Custom(own),
        }
    }

    /// The scheme's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Session => SESSION,
            Self::Bearer => BEARER,
            Self::Basic => BASIC,
            Self::ApiKey => API_KEY,
            Self::Signature => SIGNATURE,
            Self::Custom(name) => name,
        }
    }
}

/// What a scheme found in a request. The fourth answer, "the system cannot tell", is an
/// [`Error`].
#[derive(Debug)]
pub(crate) enum Found {
    /// Nothing was presented, or nothing that concerns this type of user.
    Absent,
    /// A session cookie that resolves to nothing. Browsers send such cookies by themselves, so an
    /// optional user is nobody then.
    Stale,
    /// A credential was presented and does not hold.
    Invalid(Rejection),
    /// Somebody.
    Claim(Claim),
}

/// Who a credential says its bearer is.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) user: UserKey,
    /// What must be the user's stamp. Without one the user only has to be active.
    pub(crate) stamp: Option<SecurityStamp>,
    /// What must be the user's only token, where there can be only one.
    pub(crate) token: Option<TokenId>,
    pub(crate) login_at: DateTime<Utc>,
    pub(crate) scheme: SchemeKind,
    /// Whether browsers present it by themselves, also for pages of other sites.
    pub(crate) ambient: bool,
    /// How far it reaches.
    pub(crate) scopes: Scopes,
}

/// A user who has proved who he is. Clones share the user.
#[derive(Debug)]
pub struct Identity<U: ?Sized> {
    /// The user, as the store has him now.
    pub user: Arc<U>,
    /// By which scheme.
    pub scheme: SchemeKind,
    /// When he proved it in person; 1970 where a credential says nothing of it.
    pub login_at: DateTime<Utc>,
    /// How far the credential reaches. What he may do is what he may do himself, within this.
    pub scopes: Scopes,
}

/// The outcome for one type of user.
#[derive(Debug)]
pub enum Outcome<U: ?Sized> {
    /// Nobody; `stale` if a session cookie was presented that resolves to nothing.
    Nobody {
        /// Whether a dead session was presented.
        stale: bool,
    },
    /// A known user.
    Known(Identity<U>),
}

impl<U: ?Sized> Clone for Identity<U> {
    fn clone(&self) -> Self {
        Self {
            user: self.user.clone(),
            scheme: self.scheme,
            login_at: self.login_at,
            scopes: self.scopes.clone(),
        }
    }
}

impl<U: ?Sized> Clone for Outcome<U> {
    fn clone(&self) -> Self {
        match self {
            Self::Nobody { stale } => Self::Nobody { stale: *stale },
            Self::Known(identity) => Self::Known(identity.clone()),
        }
    }
}

/// The fingerprint that the user's credentials must carry.
pub(crate) fn stamp_of<U: AuthUser>(user: &U) -> SecurityStamp {
    match (user.epoch(), user.password()) {
        (Some(epoch), _) => SecurityStamp::of_epoch(epoch),
        (None, Some(hash)) => hash.stamp(),
        (None, None) => SecurityStamp::of_epoch(0),
    }
}
