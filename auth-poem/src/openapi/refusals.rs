//! With what an operation can be refused, for its document.

use std::{borrow::Cow, time::Duration};

use auth_core::{
    guard::{Parameter, Policy, Principal},
    rejection::Rejection,
    scheme::SchemeKind,
};
use poem::http::{Method, StatusCode};

use super::{Configured, REQUIRES};

/// A refusal, and the sentence that documents say of it.
pub(crate) type Refusal = (Rejection, Cow<'static, str>);

/// What a login refuses; only operations with a handle to log in do.
pub(crate) const LOGIN: [Refusal; 2] = [
    (Rejection::WrongCredentials, Cow::Borrowed("The name or the password is wrong.")),
    (TOO_MANY_ATTEMPTS, Cow::Borrowed(TOO_MANY)),
];

const TOO_MANY_ATTEMPTS: Rejection = Rejection::TooManyAttempts { retry_after: Duration::ZERO };

const TOO_MANY: &str = "Too many failed attempts.";
const NOBODY: &str = "Nobody is logged in.";
const ENDED: &str = "The session has ended.";
const DOES_NOT_HOLD: &str = "A credential does not hold.";

/// Every refusal of the gate and the handles, in the order in which documents speak of them.
pub(super) fn refusals(
    policy: &'static Policy,
    configured: &Configured,
    method: &Method,
) -> Vec<Refusal> {
    let mut refusals = unauthenticated(policy, configured);
    let takes = |scheme| policy.users().any(|user| configured.has(&user.user, scheme));
    refusals.extend(policy.requirement.refusals().into_iter().map(|rejection| {
        let requires = format!("{REQUIRES}{}.", policy.requirement);
        match rejection {
            Rejection::RequirementNotMet(_) if policy.conceal => {
                (Rejection::NotFound, format!("{requires} Others find nothing.").into())
            }
            // Said to those who have all else, so it must not say what that is.
            other if policy.conceal => (other, "The login is too long ago.".into()),
            other => (other, requires.into()),
        }
    }));
    let by_cookie = touches_session(policy, configured) && configured.cookie().is_some();
    if (by_cookie || takes(SchemeKind::Basic)) && !is_safe(method) {
        let text = "A page of another site sent the request.";
        refusals.push((Rejection::CrossSite, text.into()));
    }
    if takes(SchemeKind::Bearer) {
        let text = "The token was issued for another audience.";
        refusals.push((Rejection::WrongAudience, text.into()));
    }
    if takes(SchemeKind::Basic) {
        refusals.push((TOO_MANY_ATTEMPTS, TOO_MANY.into()));
    }
    for (status, code) in policy.rejects {
        // Checked by the macro: a status between 400 and 499.
        if let Ok(status) = StatusCode::from_u16(*status) {
            refusals.push((Rejection::new(status, code, ""), format!("`{code}`.").into()));
        }
    }
    refusals
}

/// The refusals of somebody who is not known.
fn unauthenticated(policy: &Policy, configured: &Configured) -> Vec<Refusal> {
    let mut refusals: Vec<Refusal> = Vec::new();
    let users: Vec<&Principal> = policy.users().collect();
    let required = || users.iter().filter(|user| !user.optional);
    let takes = |scheme| users.iter().any(|user| configured.has(&user.user, scheme));

    if required().next().is_some() {
        refusals.push((Rejection::MissingCredentials, NOBODY.into()));
    }
    // A cookie that resolves to nothing is removed where users are optional, a header is refused.
    let by_header = touches_data(policy, configured) && configured.session_header().is_some();
    if by_header || required().any(|user| configured.has(&user.user, SchemeKind::Session)) {
        refusals.push((Rejection::InvalidSession, ENDED.into()));
    }
    if takes(SchemeKind::Bearer) {
        refusals.push((Rejection::InvalidToken, DOES_NOT_HOLD.into()));
    }
    if takes(SchemeKind::Basic) {
        refusals.push((Rejection::WrongCredentials, DOES_NOT_HOLD.into()));
    }
    if takes(SchemeKind::Bearer) || takes(SchemeKind::Basic) {
        refusals.push((Rejection::MalformedCredentials, DOES_NOT_HOLD.into()));
    }
    if users.iter().any(|user| configured.schemes(&user.user).len() > 1) {
        refusals.push((Rejection::ConflictingCredentials, DOES_NOT_HOLD.into()));
    }
    refusals
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

/// Whether the operation looks at the session before it runs.
fn touches_data(policy: &Policy, configured: &Configured) -> bool {
    policy.asks().any(|parameter| match parameter {
        Parameter::User(user) => configured.has(&user.user, SchemeKind::Session),
        Parameter::Handle(_) => false,
        Parameter::Session => true,
    })
}

/// Whether it does, or may start one.
fn touches_session(policy: &Policy, configured: &Configured) -> bool {
    let starts = |parameter: &Parameter| match parameter {
        Parameter::Handle(user) => configured.has(user, SchemeKind::Session),
        Parameter::User(_) | Parameter::Session => false,
    };
    touches_data(policy, configured) || policy.asks().any(starts)
}
