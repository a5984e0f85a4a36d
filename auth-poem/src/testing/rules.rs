//! What the document promises: which calls find it out, and what their answers must be.

use std::{collections::BTreeSet, fmt};

use poem::http::{Method, StatusCode};
use serde_json::Value;

use super::{
    document::{Alternative, Document, Operation, Place},
    sample::essence,
};

/// The media type of refusals.
const PROBLEM: &str = "application/problem+json";

/// Refusals of a caller whom the document lets in.
const ACCESS: [&str; 4] =
    ["forbidden", "reauthentication_required", "cross_site", "wrong_audience"];

/// Refusals that are about the body of a login and not about who sends it.
const ABOUT_THE_BODY: [&str; 1] = ["wrong_credentials"];

/// As whom a call is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Caller {
    /// Without a credential.
    Nobody,
    /// With a credential that does not hold.
    Bad(String),
    /// With a session cookie that no store knows.
    Stale(String),
    /// With these schemes of several that are needed together.
    Part(Alternative),
    /// With credentials of a user who may call.
    Entitled(Alternative),
    /// With credentials of a user who does not meet the requirement.
    Lacking(Alternative),
}

/// An answer, as far as the rules look at it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) content_type: Option<String>,
    /// The problem document, if it is one.
    pub(super) problem: Option<Value>,
    pub(super) is_empty: bool,
    pub(super) set_cookies: Vec<String>,
}

/// How an application refuses, and what else it answers.
#[derive(Debug, Default)]
pub(super) struct House {
    /// Statuses that refuse somebody who is not logged in, where it is not 401 with a problem.
    pub(super) own_refusals: Option<Vec<StatusCode>>,
    /// Statuses that the document need not know.
    pub(super) allowed: BTreeSet<u16>,
}

/// The calls that show whether the document is right about an operation.
pub(super) fn plan(document: &Document, operation: &Operation) -> Vec<Caller> {
    let mut callers = vec![Caller::Nobody];
    for scheme in &document.schemes {
        match scheme.place {
            Place::Cookie(_) => callers.push(Caller::Stale(scheme.name.clone())),
            Place::Authorization(_) => callers.push(Caller::Bad(scheme.name.clone())),
            _ if operation.lists(&scheme.name) => callers.push(Caller::Bad(scheme.name.clone())),
            _ => {}
        }
    }
    let all = operation.security.iter().filter(|alternative| !alternative.is_empty());
    for alternative in all {
        for left_out in alternative {
            let mut part = alternative.clone();
            part.remove(left_out);
            let enough = operation.security.iter().any(|other| other.is_subset(&part));
            if !part.is_empty() && !enough {
                callers.push(Caller::Part(part));
            }
        }
        callers.push(Caller::Entitled(alternative.clone()));
        if operation.has_requirement() {
            callers.push(Caller::Lacking(alternative.clone()));
        }
    }
    callers
}

/// What about an answer is not as the document says. `Ok(true)` if only an allowed status is.
pub(super) fn judge(
    house: &House,
    document: &Document,
    operation: &Operation,
    caller: &Caller,
    answer: &Answer,
) -> Result<bool, Vec<String>> {
    let mut mismatches = Vec::new();
    let mut allowed = false;
    if let Err(mismatch) = documented(document, operation, answer) {
        allowed = house.allowed.contains(&answer.status.as_u16());
        if !allowed {
            mismatches.push(mismatch);
        }
    }
    if answer.status.is_server_error() {
        mismatches.push("the server failed, so the call says nothing about access".to_owned());
    }
    mismatches.extend(about_problem(house, answer));
    mismatches.extend(about_caller(house, document, operation, caller, answer));
    if mismatches.is_empty() { Ok(allowed) } else { Err(mismatches) }
}

/// Whether the document has the status, with the content type.
fn documented(document: &Document, operation: &Operation, answer: &Answer) -> Result<(), String> {
    let status = answer.status.as_u16();
    let Some(response) = operation.response(document, answer.status) else {
        return Err(format!("{status} is not documented"));
    };
    if *operation.method() == Method::HEAD {
        return Ok(());
    }
    let content = response["content"].as_object();
    let kinds: Vec<&String> = content.into_iter().flat_map(|content| content.keys()).collect();
    let names = || kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" or ");
    match &answer.content_type {
        None if kinds.is_empty() && answer.is_empty => Ok(()),
        // An empty answer may say of what kind it would be.
        Some(_) if kinds.is_empty() && answer.is_empty => Ok(()),
        _ if kinds.is_empty() => Err(format!("{status} is documented without a body and has one")),
        None => Err(format!("{status} is documented as {} and has no type", names())),
        Some(actual) if kinds.iter().any(|kind| covers(kind, actual)) => Ok(()),
        Some(actual) => Err(format!("{status} is documented as {} and is {actual}", names())),
    }
}

/// Whether a documented media type, or range of them, takes in an answer's.
fn covers(documented: &str, actual: &str) -> bool {
    let (documented, actual) = (essence(documented), essence(actual));
    match documented.strip_suffix('*') {
        Some("*/") => true,
        Some(start) => actual.starts_with(start),
        None => documented == actual,
    }
}

/// A problem document must be one.
fn about_problem(house: &House, answer: &Answer) -> Option<String> {
    if house.own_refusals.is_some() || !answer.is_problem() {
        return None;
    }
    let problem = answer.problem.as_ref();
    if problem.is_none_or(|problem| problem["status"] != answer.status.as_u16()) {
        return Some("the problem document's status is not the answer's".to_owned());
    }
    answer.code().is_none().then(|| "the problem document has no code".to_owned())
}

/// What the answer must be to this caller.
fn about_caller(
    house: &House,
    document: &Document,
    operation: &Operation,
    caller: &Caller,
    answer: &Answer,
) -> Vec<String> {
    let mut mismatches = Vec::new();
    match caller {
        Caller::Bad(scheme) if operation.lists(scheme) => {
            mismatches.extend(must_refuse(house, answer, "a credential that does not hold"));
        }
        // Who refuses is the scheme that is missing, in the form that the document says.
        Caller::Part(_) if house.own_refusals.is_none() => {
            let refused = answer.status == StatusCode::UNAUTHORIZED;
            if !refused {
                mismatches.push("a part of what is needed must be refused, with 401".to_owned());
            }
        }
        Caller::Nobody | Caller::Bad(_) | Caller::Stale(_) | Caller::Part(_) => {
            if operation.is_open() {
                mismatches.extend(must_admit(house, answer, "the operation needs no credential"));
            } else {
                mismatches.extend(must_refuse(house, answer, "nobody who is known"));
            }
        }
        Caller::Entitled(_) => {
            mismatches.extend(must_admit(house, answer, "the credential is good"));
        }
        Caller::Lacking(_) => {
            let expected = operation.refuses_with().unwrap_or(StatusCode::FORBIDDEN);
            if answer.status != expected {
                let expected = expected.as_u16();
                mismatches.push(format!("the requirement is not met, so it must be {expected}"));
            } else if house.own_refusals.is_none() && !answer.is_problem() {
                mismatches.push(format!("the refusal is not {PROBLEM}"));
            }
        }
    }
    if let Caller::Stale(scheme) = caller
        && operation.lists(scheme)
        && let Some(Place::Cookie(name)) = document.scheme(scheme).map(|scheme| &scheme.place)
        && !answer.set_cookies.iter().any(|cookie| removes(cookie, name))
    {
        mismatches.push(format!("the answer does not remove the cookie `{name}`"));
    }
    mismatches
}

fn must_refuse(house: &House, answer: &Answer, whom: &str) -> Option<String> {
    match &house.own_refusals {
        Some(statuses) => (!statuses.contains(&answer.status))
            .then(|| format!("{whom} must be refused, with {statuses:?}")),
        None if answer.status != StatusCode::UNAUTHORIZED => {
            Some(format!("{whom} must be refused, with 401"))
        }
        None => (!answer.is_problem()).then(|| format!("the refusal is not {PROBLEM}")),
    }
}

fn must_admit(house: &House, answer: &Answer, why: &str) -> Option<String> {
    let unauthenticated = match &house.own_refusals {
        Some(statuses) => {
            statuses.contains(&answer.status) && answer.status != StatusCode::FORBIDDEN
        }
        None => answer.status == StatusCode::UNAUTHORIZED,
    };
    let code = answer.code().unwrap_or_default();
    let refused = (unauthenticated && !ABOUT_THE_BODY.contains(&code)) || ACCESS.contains(&code);
    refused.then(|| format!("{why}, so it must not be refused"))
}

/// Whether a `Set-Cookie` removes the cookie of that name.
fn removes(set_cookie: &str, name: &str) -> bool {
    let mut parts = set_cookie.split(';').map(str::trim);
    let is_it = parts.next().and_then(|pair| pair.split_once('=')).is_some_and(|(n, _)| n == name);
    is_it
        && parts.any(|part| {
            let part = part.to_ascii_lowercase();
            part == "max-age=0" || part.starts_with("expires=") && part.contains(" 1970 ")
        })
}

impl Answer {
    pub(super) fn code(&self) -> Option<&str> {
        self.problem.as_ref()?["code"].as_str().filter(|code| !code.is_empty())
    }

    pub(super) fn is_problem(&self) -> bool {
        self.content_type.as_deref().is_some_and(|kind| essence(kind) == PROBLEM)
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |schemes: &Alternative| {
            schemes.iter().map(String::as_str).collect::<Vec<_>>().join(" and ")
        };
        match self {
            Self::Nobody => write!(f, "nobody"),
            Self::Bad(scheme) => write!(f, "bad {scheme}"),
            Self::Stale(scheme) => write!(f, "stale {scheme}"),
            Self::Part(schemes) => write!(f, "only {}", joined(schemes)),
            Self::Entitled(schemes) => write!(f, "{}", joined(schemes)),
            Self::Lacking(schemes) => write!(f, "{}, lacking", joined(schemes)),
        }
    }
}
