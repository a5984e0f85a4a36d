//! The ways to present a credential, and the chain that tries them.
//!
//! A scheme answers one of four: nothing was presented; what was presented does not hold; the
//! system cannot tell; a user is known. `identify` joins the answers of all schemes of a user
//! type into one, and loads the user once.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::{
    context::Context,
    error::{Error, Failure},
    http::{RequestHead, cross_site::is_cross_site},
    rejection::Rejection,
    secret::SecurityStamp,
    user::{AuthUser, UserKey},
};

mod bearer;
mod session;

pub(crate) use bearer::BearerScheme;

/// The name of the session scheme in `#[auth(schemes(...))]` and in documents.
pub const SESSION: &str = "session";
/// The name of the bearer token scheme in `#[auth(schemes(...))]` and in documents.
pub const BEARER: &str = "bearer";

/// A way to present a credential, as it is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemeKind {
    /// The session cookie.
    Session,
    /// A token in the `Authorization` header.
    Bearer,
}

impl SchemeKind {
    /// The scheme of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            SESSION => Some(Self::Session),
            BEARER => Some(Self::Bearer),
            _ => None,
        }
    }

    /// The scheme's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Session => SESSION,
            Self::Bearer => BEARER,
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
    pub(crate) stamp: SecurityStamp,
    pub(crate) login_at: DateTime<Utc>,
    pub(crate) scheme: SchemeKind,
}

/// A user who has proved who he is.
#[derive(Debug)]
pub struct Identity<U> {
    /// The user, as the store has him now.
    pub user: Arc<U>,
    /// By which scheme.
    pub scheme: SchemeKind,
    /// When he proved it.
    pub login_at: DateTime<Utc>,
}

/// The outcome for one type of user.
#[derive(Debug)]
pub enum Outcome<U> {
    /// Nobody; `stale` if a session cookie was presented that resolves to nothing.
    Nobody {
        /// Whether a dead session was presented.
        stale: bool,
    },
    /// A known user.
    Known(Arc<Identity<U>>),
}

impl<U> Clone for Outcome<U> {
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

/// Tries the schemes of `U` in their order, and loads the user whom they name.
///
/// # Errors
///
/// - an explicit credential that does not hold, two that disagree, a cookie from another site:
///   [`Failure::Rejected`]
/// - a store that cannot answer: [`Failure::Fault`], never "nobody"
pub(crate) async fn identify<U: AuthUser>(
    context: &Context,
    head: &RequestHead<'_>,
) -> Result<Outcome<U>, Failure> {
    let service = context.user_service::<U>()?;
    let mut stale = false;
    let mut first: Option<Claim> = None;
    let mut others: Vec<Claim> = Vec::new();
    for &scheme in &service.schemes {
        let found = match scheme {
            SchemeKind::Session => session::find::<U>(context, head).await?,
            SchemeKind::Bearer => context.bearer()?.find::<U>(head, context.now()),
        };
        match found {
            Found::Absent => {}
            Found::Stale => stale = true,
            Found::Invalid(rejection) => return Err(rejection.into()),
            Found::Claim(claim) => match &first {
                None => first = Some(claim),
                Some(known) if known.user == claim.user => others.push(claim),
                Some(_) => return Err(Rejection::ConflictingCredentials.into()),
            },
        }
    }
    let Some(first) = first else {
        return Ok(Outcome::Nobody { stale });
    };
    let user = load::<U>(context, &first.user).await?;
    let mut known: Option<Claim> = None;
    for claim in std::iter::once(first).chain(others) {
        let holds =
            user.as_ref().is_some_and(|user| user.is_active() && stamp_of(&**user) == claim.stamp);
        match (holds, claim.scheme) {
            // An explicit credential is proof enough, wherever the page came from.
            (true, SchemeKind::Bearer) => known = Some(claim),
            (true, SchemeKind::Session) => known = known.or(Some(claim)),
            (false, SchemeKind::Bearer) => return Err(Rejection::InvalidToken.into()),
            (false, SchemeKind::Session) => {
                context.session.forget();
                stale = true;
            }
        }
    }
    let (Some(user), Some(claim)) = (user, known) else {
        return Ok(Outcome::Nobody { stale });
    };
    if claim.scheme == SchemeKind::Session && is_cross_site(head, context.allowed_origins()) {
        return Err(Rejection::CrossSite.into());
    }
    Ok(Outcome::Known(Arc::new(Identity { user, scheme: claim.scheme, login_at: claim.login_at })))
}

async fn load<U: AuthUser>(context: &Context, key: &UserKey) -> Result<Option<Arc<U>>, Error> {
    let Some(id) = key.id::<U>() else {
        return Ok(None);
    };
    let store = &context.user_service::<U>()?.store;
    match store.by_id_now(&id) {
        Some(answer) => answer,
        None => store.by_id(&id).await,
    }
}
