//! With what an operation can be refused, for its document.

use std::{borrow::Cow, time::Duration};

use auth_core::{
    guard::{Parameter, Policy, Principal},
    rejection::Rejection,
    scheme::{BASIC, BEARER, SESSION},
};
use poem::http::{Method, StatusCode};

use super::{REQUIRES, schemes};

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
pub(super) fn refusals(policy: &'static Policy, method: &Method) -> Vec<Refusal> {
    let mut refusals: Vec<Refusal> = Vec::new();
    let users: Vec<&Principal> = policy.users().collect();
    let takes = |scheme| users.iter().any(|user| has(user, scheme));

    if users.iter().any(|user| !user.optional) {
        refusals.push((Rejection::MissingCredentials, NOBODY.into()));
    }
    if users.iter().any(|user| !user.optional && has(user, SESSION)) {
        refusals.push((Rejection::InvalidSession, ENDED.into()));
    }
    if takes(BEARER) {
        refusals.push((Rejection::InvalidToken, DOES_NOT_HOLD.into()));
    }
    if takes(BASIC) {
        refusals.push((Rejection::WrongCredentials, DOES_NOT_HOLD.into()));
    }
    if takes(BEARER) || takes(BASIC) {
        refusals.push((Rejection::MalformedCredentials, DOES_NOT_HOLD.into()));
    }
    if users.iter().any(|user| schemes(user).nth(1).is_some()) {
        refusals.push((Rejection::ConflictingCredentials, DOES_NOT_HOLD.into()));
    }
    for rejection in policy.requirement.refusals() {
        refusals.push((rejection, format!("{REQUIRES}{}.", policy.requirement).into()));
    }
    if (touches_session(policy) || takes(BASIC)) && !is_safe(method) {
        let text = "A page of another site sent the request.";
        refusals.push((Rejection::CrossSite, text.into()));
    }
    if takes(BEARER) {
        let text = "The token was issued for another audience.";
        refusals.push((Rejection::WrongAudience, text.into()));
    }
    if takes(BASIC) {
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

fn has(user: &Principal, scheme: &str) -> bool {
    schemes(user).any(|name| name == scheme)
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

/// Whether the operation looks at the session or starts one.
fn touches_session(policy: &Policy) -> bool {
    policy.asks().any(|parameter| match parameter {
        Parameter::User(user) => has(user, SESSION),
        Parameter::Handle(user) => user.meta.schemes.contains(&SESSION),
        Parameter::Session => true,
    })
}
