//! With what an operation can be refused, for its document.

use std::{borrow::Cow, time::Duration};

use auth_core::{
    guard::{Parameter, Policy, Principal},
    rejection::Rejection,
    scheme::{BEARER, SESSION},
};
use poem::http::{Method, StatusCode};

use super::{REQUIRES, schemes};
use crate::problem;

/// A refusal, and the sentence that documents say of it.
pub(crate) type Refusal = (Rejection, Cow<'static, str>);

/// What a login refuses; only operations with a handle to log in do.
pub(crate) const LOGIN: [Refusal; 2] = [
    (Rejection::WrongCredentials, Cow::Borrowed("The name or the password is wrong.")),
    (
        Rejection::TooManyAttempts { retry_after: Duration::ZERO },
        Cow::Borrowed("Too many failed attempts."),
    ),
];

const NOBODY: &str = "Nobody is logged in.";
const ENDED: &str = "The session has ended.";
const DOES_NOT_HOLD: &str = "A credential does not hold.";

/// The status with which a refusal is answered.
pub(crate) fn status_of(rejection: &Rejection) -> StatusCode {
    rejection.status()
}

/// The answers that the gate and the handles give, whatever the author documents: one for each
/// status.
pub(super) fn answers(policy: &'static Policy, method: &Method) -> Vec<(StatusCode, String)> {
    let mut answers: Vec<(StatusCode, String)> = Vec::new();
    for (rejection, text) in refusals(policy, method) {
        let status = status_of(&rejection);
        match answers.iter_mut().find(|(known, _)| *known == status) {
            Some((_, known)) if known.contains(&*text) => {}
            Some((_, known)) => *known = format!("{known} {text}"),
            None => answers.push((status, text.into_owned())),
        }
    }
    if policy.asks().next().is_some() {
        answers.push((StatusCode::SERVICE_UNAVAILABLE, problem::UNAVAILABLE.to_owned()));
    }
    answers
}

/// Every refusal of the gate and the handles, in the order in which documents speak of them.
fn refusals(policy: &'static Policy, method: &Method) -> Vec<Refusal> {
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
        refusals.push((Rejection::MalformedCredentials, DOES_NOT_HOLD.into()));
    }
    if users.iter().any(|user| schemes(user).nth(1).is_some()) {
        refusals.push((Rejection::ConflictingCredentials, DOES_NOT_HOLD.into()));
    }
    for rejection in policy.requirement.refusals() {
        refusals.push((rejection, format!("{REQUIRES}{}.", policy.requirement).into()));
    }
    if touches_session(policy) && !is_safe(method) {
        let text = "A page of another site sent the session cookie.";
        refusals.push((Rejection::CrossSite, text.into()));
    }
    if takes(BEARER) {
        let text = "The token was issued for another audience.";
        refusals.push((Rejection::WrongAudience, text.into()));
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
