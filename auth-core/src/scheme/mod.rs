//! The ways to present a credential, and the chain that tries them.
//!
//! A scheme answers one of four: nothing was presented; what was presented does not hold; the
//! system cannot tell; a user is known. `identify` joins the answers of all schemes of a user
//! type into one, and loads the user once.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::{
    context::Context,
    error::Failure,
    http::{RequestHead, cross_site::is_cross_site},
    rejection::Rejection,
    secret::SecurityStamp,
    user::{AuthUser, UserKey},
};

mod basic;
mod bearer;
mod session;

pub(crate) use basic::BasicScheme;
use basic::NameAndPassword;
pub(crate) use bearer::BearerScheme;

/// The name of the session scheme in `#[auth(schemes(...))]`, and of its cookie in documents.
pub const SESSION: &str = "session";
/// The name of the session's header in documents.
pub const SESSION_HEADER: &str = "session_header";
/// The name of the bearer token scheme in `#[auth(schemes(...))]` and in documents.
pub const BEARER: &str = "bearer";
/// The name of HTTP Basic in `#[auth(schemes(...))]` and in documents.
pub const BASIC: &str = "basic";

/// A way to present a credential, as it is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemeKind {
    /// The session cookie or header.
    Session,
    /// A token in the `Authorization` header.
    Bearer,
    /// Name and password in the `Authorization` header.
    Basic,
}

impl SchemeKind {
    /// The scheme of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            SESSION => Some(Self::Session),
            BEARER => Some(Self::Bearer),
            BASIC => Some(Self::Basic),
            _ => None,
        }
    }

    /// The scheme's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Session => SESSION,
            Self::Bearer => BEARER,
            Self::Basic => BASIC,
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
    /// Whether browsers present it by themselves, also for pages of other sites.
    pub(crate) ambient: bool,
}

/// A user who has proved who he is. Clones share the user.
#[derive(Debug)]
pub struct Identity<U: ?Sized> {
    /// The user, as the store has him now.
    pub user: Arc<U>,
    /// By which scheme.
    pub scheme: SchemeKind,
    /// When he proved it.
    pub login_at: DateTime<Utc>,
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
        Self { user: self.user.clone(), scheme: self.scheme, login_at: self.login_at }
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

/// Tries the schemes of a user type in their order, and loads the user whom they name.
///
/// It goes on without waiting as long as the stores answer so: then a request needs no future for
/// it. Whatever is left waits in [`finish`](Self::finish).
///
/// # Errors
///
/// Both methods:
///
/// - an explicit credential that does not hold, two that disagree, a cookie from another site:
///   [`Failure::Rejected`]
/// - a store that cannot answer: [`Failure::Fault`], never "nobody"
#[derive(Debug, Default)]
pub(crate) struct Identification {
    /// How many schemes were tried.
    tried: usize,
    claims: Claims,
}

impl Identification {
    /// The outcome, `None` if a store has to be waited for.
    pub(crate) fn now<U: AuthUser>(
        &mut self,
        context: &Context,
        head: &RequestHead<'_>,
    ) -> Result<Option<Outcome<U>>, Failure> {
        let service = context.user_service::<U>()?;
        while let Some(&scheme) = service.schemes.get(self.tried) {
            let found = match scheme {
                SchemeKind::Session => {
                    if !context.session.load_now(context.sessions()?, head.headers)? {
                        return Ok(None);
                    }
                    session::find::<U>(context)
                }
                SchemeKind::Bearer => context.bearer()?.find::<U>(head, context),
                // A password is hashed on another thread.
                SchemeKind::Basic => match NameAndPassword::of(head)? {
                    Some(_) => return Ok(None),
                    None => Found::Absent,
                },
            };
            self.claims.add(found)?;
            self.tried += 1;
        }
        let user = match self.claims.id::<U>() {
            Some(id) => match service.store.by_id_now(&id) {
                Some(answer) => answer?,
                None => return Ok(None),
            },
            None => None,
        };
        std::mem::take(&mut self.claims).judge(user, context, head).map(Some)
    }

    /// The outcome, from where [`now`](Self::now) had to stop.
    pub(crate) async fn finish<U: AuthUser>(
        mut self,
        context: &Context,
        head: &RequestHead<'_>,
    ) -> Result<Outcome<U>, Failure> {
        let service = context.user_service::<U>()?;
        let mut verified = None;
        for &scheme in service.schemes.iter().skip(self.tried) {
            let found = match scheme {
                SchemeKind::Session => {
                    context.session.presented_session(context.sessions()?, head.headers).await?;
                    session::find::<U>(context)
                }
                SchemeKind::Bearer => context.bearer()?.find::<U>(head, context),
                SchemeKind::Basic => {
                    verified = verify::<U>(context, head).await?;
                    verified.as_ref().map_or(Found::Absent, |user| Found::proved(&**user, context))
                }
            };
            self.claims.add(found)?;
        }
        let user = match (verified, self.claims.id::<U>()) {
            // Whoever else is claimed is the same user.
            (Some(user), _) => Some(user),
            (None, Some(id)) => service.store.by_id(&id).await?,
            (None, None) => None,
        };
        self.claims.judge(user, context, head)
    }
}

/// The user whose name and password a request presents, if it presents any.
async fn verify<U: AuthUser>(
    context: &Context,
    head: &RequestHead<'_>,
) -> Result<Option<Arc<U>>, Failure> {
    let Some(presented) = NameAndPassword::of(head)? else { return Ok(None) };
    let check = context.password_check::<U>()?;
    let user = check.verify(presented.name(), presented.password()).await?;
    Ok(Some(user.ok_or(Rejection::WrongCredentials)?))
}

impl Found {
    /// A user who has just proved who he is by name and password.
    fn proved<U: AuthUser>(user: &U, context: &Context) -> Self {
        Self::Claim(Claim {
            user: UserKey::of(user),
            stamp: stamp_of(user),
            login_at: context.now(),
            scheme: SchemeKind::Basic,
            ambient: true,
        })
    }
}

/// What the schemes found.
#[derive(Debug, Default)]
struct Claims {
    first: Option<Claim>,
    others: Vec<Claim>,
    stale: bool,
}

impl Claims {
    /// Adds what the next scheme found; refuses what does not hold, and disagreement.
    fn add(&mut self, found: Found) -> Result<(), Rejection> {
        match found {
            Found::Absent => {}
            Found::Stale => self.stale = true,
            Found::Invalid(rejection) => return Err(rejection),
            Found::Claim(claim) => match &self.first {
                None => self.first = Some(claim),
                Some(known) if known.user == claim.user => self.others.push(claim),
                Some(_) => return Err(Rejection::ConflictingCredentials),
            },
        }
        Ok(())
    }

    /// The user whom the claims name.
    fn id<U: AuthUser>(&self) -> Option<U::Id> {
        self.first.as_ref()?.user.id::<U>()
    }

    /// Compares the claims with the user as the store has him.
    fn judge<U: AuthUser>(
        self,
        user: Option<Arc<U>>,
        context: &Context,
        head: &RequestHead<'_>,
    ) -> Result<Outcome<U>, Failure> {
        let mut stale = self.stale;
        let mut known: Option<Claim> = None;
        for claim in self.first.into_iter().chain(self.others) {
            let holds = user
                .as_ref()
                .is_some_and(|user| user.is_active() && stamp_of(&**user) == claim.stamp);
            if holds {
                // An explicit credential is proof enough, wherever the page came from; then the
                // more recent one.
                let weight = |claim: &Claim| (!claim.ambient, claim.login_at);
                if known.as_ref().is_none_or(|known| weight(known) < weight(&claim)) {
                    known = Some(claim);
                }
                continue;
            }
            match claim.scheme {
                SchemeKind::Bearer => return Err(Rejection::InvalidToken.into()),
                SchemeKind::Basic => return Err(Rejection::WrongCredentials.into()),
                SchemeKind::Session => {
                    context.session.forget();
                    if !claim.ambient {
                        return Err(Rejection::InvalidSession.into());
                    }
                    stale = true;
                }
            }
        }
        let (Some(user), Some(claim)) = (user, known) else {
            return Ok(Outcome::Nobody { stale });
        };
        if claim.ambient && is_cross_site(head, context.allowed_origins()) {
            return Err(Rejection::CrossSite.into());
        }
        Ok(Outcome::Known(Identity { user, scheme: claim.scheme, login_at: claim.login_at }))
    }
}
