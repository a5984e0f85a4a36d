//! With what an operation can be refused, for its document.

use std::{borrow::Cow, time::Duration};

use auth_core::{
    guard::{Parameter, Policy, Principal},
    rejection::Rejection,
    scheme::{SchemeInfo, SchemeKind},
};
use poem::http::{Method, StatusCode};

use super::{Configured, REQUIRES};

/// A refusal, and the sentence that documents say of it.
pub(crate) type Refusal = (Rejection, Cow<'static, str>);

/// What a login refuses; only operations with a handle to log in do.
pub(crate) const LOGIN: [Refusal; 2] = [
    (Rejection::WrongCredentials, Cow::Borrowed(WRONG)),
    (TOO_MANY_ATTEMPTS, Cow::Borrowed(TOO_MANY)),
];

const TOO_MANY_ATTEMPTS: Rejection = Rejection::TooManyAttempts { retry_after: Duration::ZERO };

const TOO_MANY: &str = "Too many failed attempts.";
const TOO_MANY_SESSIONS: &str = "The user is logged in as often as he may.";
/// What documents say of somebody who is not known; a walk through a document looks for these.
pub(crate) const NOBODY: &str = "Nobody is logged in.";
pub(crate) const ENDED: &str = "The session has ended.";
pub(crate) const DOES_NOT_HOLD: &str = "A credential does not hold.";
/// What they say of a login that fails.
pub(crate) const WRONG: &str = "The name or the password is wrong.";

/// Every refusal of the gate and the handles, in the order in which documents speak of them.
pub(super) fn refusals(
    policy: &'static Policy,
    configured: &Configured,
    users: &[Principal],
    method: &Method,
) -> Vec<Refusal> {
    Asked { policy, configured, users }.refusals(method)
}

/// What an operation asks of authentication, as it is configured.
struct Asked<'a> {
    policy: &'static Policy,
    configured: &'a Configured,
    users: &'a [Principal],
}

impl Asked<'_> {
    fn refusals(&self, method: &Method) -> Vec<Refusal> {
        let mut refusals = self.unauthenticated();
        let (requirement, conceal) = (&self.policy.requirement, self.policy.conceal);
        refusals.extend(requirement.refusals().into_iter().map(|rejection| {
            let requires = format!("{REQUIRES}{requirement}.");
            match rejection {
                Rejection::RequirementNotMet(_) if conceal => {
                    (Rejection::NotFound, format!("{requires} Others find nothing.").into())
                }
                // Said to those who have all else, so it must not say what that is.
                other if conceal => (other, "The login is too long ago.".into()),
                other => (other, requires.into()),
            }
        }));
        let is_safe =
            matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
        let ambient = self.takes(SchemeKind::Basic) || self.own().any(SchemeInfo::is_ambient);
        if !is_safe && (self.uses_cookie() || ambient) {
            let text = "A page of another site sent the request.";
            refusals.push((Rejection::CrossSite, text.into()));
        }
        if self.can_be_restricted() && !conceal {
            let text = "The credential does not reach that far.";
            refusals.push((Rejection::InsufficientScope(*requirement), text.into()));
        }
        if self.takes(SchemeKind::Bearer) {
            let text = "The token was issued for another audience.";
            refusals.push((Rejection::WrongAudience, text.into()));
        }
        if self.configured.refuses_sessions() && self.starts_session() {
            refusals.push((Rejection::TooManySessions, TOO_MANY_SESSIONS.into()));
        }
        if self.takes(SchemeKind::Basic) {
            refusals.push((TOO_MANY_ATTEMPTS, TOO_MANY.into()));
        }
        for (status, code) in self.policy.rejects {
            // Checked by the macro: a status between 400 and 499.
            if let Ok(status) = StatusCode::from_u16(*status) {
                refusals.push((Rejection::new(status, code, ""), format!("`{code}`.").into()));
            }
        }
        refusals
    }

    /// The refusals of somebody who is not known.
    fn unauthenticated(&self) -> Vec<Refusal> {
        let mut refusals: Vec<Refusal> = Vec::new();
        let required: Vec<&Principal> = self.users.iter().filter(|user| !user.optional).collect();
        let has = |user: &Principal, scheme| self.configured.has(&user.user, scheme);
        if !required.is_empty() {
            refusals.push((Rejection::MissingCredentials, NOBODY.into()));
            refusals.push((Rejection::UnsupportedScheme, NOBODY.into()));
        }
        // Where users are optional a cookie that resolves to nothing is removed; a header is
        // refused.
        let by_header = self.configured.session_header().is_some() && self.reads_session();
        if by_header || required.iter().any(|user| has(user, SchemeKind::Session)) {
            refusals.push((Rejection::InvalidSession, ENDED.into()));
        }
        let (bearer, basic) = (self.takes(SchemeKind::Bearer), self.takes(SchemeKind::Basic));
        let key = self.takes(SchemeKind::ApiKey);
        let signature = self.takes(SchemeKind::Signature);
        let malformed = bearer || basic || key || signature || self.own().next().is_some();
        let several = self.users.iter().any(|user| self.configured.schemes(&user.user).len() > 1);
        let invalid = [
            (bearer, Rejection::InvalidToken),
            (basic, Rejection::WrongCredentials),
            (key, Rejection::InvalidApiKey),
            (signature, Rejection::InvalidSignature),
            (malformed, Rejection::MalformedCredentials),
            (several, Rejection::ConflictingCredentials),
        ];
        let invalid = invalid.into_iter().filter(|(possible, _)| *possible);
        refusals.extend(invalid.map(|(_, rejection)| (rejection, DOES_NOT_HOLD.into())));
        let own = self.own().map(|scheme| (scheme.rejection().clone(), DOES_NOT_HOLD.into()));
        refusals.extend(own);
        refusals
    }

    /// Whether a user of the operation may prove by this scheme who he is.
    fn takes(&self, scheme: SchemeKind) -> bool {
        self.users.iter().any(|user| self.configured.has(&user.user, scheme))
    }

    /// The schemes of the application's own by which a user of the operation may do so.
    fn own(&self) -> impl Iterator<Item = &SchemeInfo> {
        let schemes = self.users.iter().flat_map(|user| self.configured.schemes(&user.user));
        schemes.filter_map(|scheme| match scheme {
            SchemeKind::Custom(name) => self.configured.info(name),
            _ => None,
        })
    }

    /// Whether a credential may reach less far than its user, where that makes a difference.
    fn can_be_restricted(&self) -> bool {
        let restricts = |scheme| {
            matches!(scheme, SchemeKind::ApiKey | SchemeKind::Signature | SchemeKind::Custom(_))
        };
        let mut schemes = self.users.iter().flat_map(|user| self.configured.schemes(&user.user));
        self.policy.requirement.asks_for_scope() && schemes.any(restricts)
    }

    /// Whether the operation looks at the session before it runs.
    fn reads_session(&self) -> bool {
        let data = |parameter: &Parameter| matches!(parameter, Parameter::Session);
        self.takes(SchemeKind::Session) || self.policy.asks().any(data)
    }

    /// Whether it reads the session cookie, or may set one.
    fn uses_cookie(&self) -> bool {
        self.configured.cookie().is_some() && (self.reads_session() || self.starts_session())
    }

    /// Whether it may log somebody in to a session.
    fn starts_session(&self) -> bool {
        self.policy.asks().any(|parameter| match parameter {
            Parameter::Handle(user) => self.configured.has(user, SchemeKind::Session),
            Parameter::User(_) | Parameter::Session => false,
        })
    }
}
