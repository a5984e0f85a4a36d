//! What the document promises: which calls find it out, and what their answers must be.

use std::{collections::BTreeSet, fmt};

use poem::http::{Method, StatusCode};
use serde_json::Value;

use super::{
    document::{Alternative, Document, Operation, Place},
    fits::fits,
    sample::essence,
};
use crate::openapi::{
    REQUIRES,
    refusals::{DOES_NOT_HOLD, ENDED, NOBODY, WRONG},
};

/// The media type of refusals.
const PROBLEM: &str = "application/problem+json";

/// A session cookie of the right form that no store knows.
pub(super) const STALE: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

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
    /// The body of an error, if it is JSON.
    pub(super) error: Option<Value>,
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
    if let Err(mismatch) = documented(house, document, operation, answer) {
        allowed = house.allowed.contains(&answer.status.as_u16());
        if !allowed {
            mismatches.push(mismatch);
        }
    }
    if answer.status.is_server_error() {
        mismatches.push("the server failed, so the call says nothing about access".to_owned());
    }
    mismatches.extend(about_problem(house, answer));
    mismatches.extend(about_schema(document, operation, answer));
    mismatches.extend(about_caller(house, document, operation, caller, answer));
    if mismatches.is_empty() { Ok(allowed) } else { Err(mismatches) }
}

/// Whether the document has the status, with the content type.
fn documented(
    house: &House,
    document: &Document,
    operation: &Operation,
    answer: &Answer,
) -> Result<(), String> {
    let status = answer.status.as_u16();
    let Some(response) = operation.response(document, answer.status) else {
        return Err(format!("{status} is not documented"));
    };
    if *operation.method() == Method::HEAD {
        return Ok(());
    }
    if house.own_refusals.is_some() && response.get("content").is_none() && status >= 400 {
        // Of a responder that does not describe its bodies documents say the status only.
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
    let problem = answer.error.as_ref();
    if problem.is_none_or(|problem| problem["status"] != answer.status.as_u16()) {
        return Some("the problem document's status is not the answer's".to_owned());
    }
    answer.code().is_none().then(|| "the problem document has no code".to_owned())
}

/// The body of an error must be what the document shows.
fn about_schema(document: &Document, operation: &Operation, answer: &Answer) -> Option<String> {
    let schema = schema_of(document, operation, answer)?;
    let problem = fits(document, schema, answer.error.as_ref()?).err()?;
    Some(format!("the body does not fit its schema: {problem}"))
}

/// The schema of a body of this status and media type.
fn schema_of<'a>(
    document: &'a Document,
    operation: &'a Operation,
    answer: &Answer,
) -> Option<&'a Value> {
    let actual = answer.content_type.as_deref()?;
    let content = operation.response(document, answer.status)?["content"].as_object()?;
    let (_, media) = content.iter().find(|(kind, _)| covers(kind, actual))?;
    media.get("schema")
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
    let asked = Asked { house, document, operation, answer };
    match caller {
        Caller::Bad(scheme) if operation.lists(scheme) => {
            let whom = "a credential that does not hold";
            mismatches.extend(must_refuse(asked, &[DOES_NOT_HOLD, ENDED], whom));
        }
        // Who refuses is the scheme that is missing, in the form that the document says.
        Caller::Part(_) if house.own_refusals.is_none() => {
            let refused = asked.statuses(&[NOBODY], StatusCode::UNAUTHORIZED);
            if answer.status != StatusCode::UNAUTHORIZED && !refused.contains(&answer.status) {
                mismatches.push("a part of what is needed must be refused, with 401".to_owned());
            }
        }
        Caller::Nobody | Caller::Bad(_) | Caller::Stale(_) | Caller::Part(_) => {
            if operation.is_open() {
                mismatches.extend(must_admit(asked, "the operation needs no credential"));
            } else {
                let sentences: &[&str] = match caller {
                    Caller::Nobody | Caller::Part(_) => &[NOBODY],
                    _ => &[NOBODY, ENDED, DOES_NOT_HOLD],
                };
                mismatches.extend(must_refuse(asked, sentences, "nobody who is known"));
            }
        }
        Caller::Entitled(_) => {
            mismatches.extend(must_admit(asked, "the credential is good"));
        }
        Caller::Lacking(_) => {
            let expected = asked.statuses(&[REQUIRES], StatusCode::FORBIDDEN);
            if expected.contains(&answer.status) {
                mismatches.extend(asked.form());
            } else {
                let expected = numbers(&expected);
                mismatches.push(format!("the requirement is not met, so it must be {expected}"));
            }
        }
    }
    if let Caller::Stale(scheme) = caller
        && operation.lists(scheme)
        && let Some(Place::Cookie(name)) = document.scheme(scheme).map(|scheme| &scheme.place)
        && !answer.set_cookies.iter().any(|cookie| removes(cookie, name) || replaces(cookie, name))
    {
        mismatches.push(format!("the answer does not remove the cookie `{name}`"));
    }
    mismatches
}

/// An answer, and what it is held against.
#[derive(Clone, Copy)]
struct Asked<'a> {
    house: &'a House,
    document: &'a Document,
    operation: &'a Operation,
    answer: &'a Answer,
}

impl Asked<'_> {
    /// The statuses of which the document says one of these, or else this one.
    fn statuses(&self, sentences: &[&str], otherwise: StatusCode) -> Vec<StatusCode> {
        let statuses: Vec<StatusCode> =
            sentences.iter().flat_map(|sentence| self.operation.saying(sentence)).collect();
        if statuses.is_empty() { vec![otherwise] } else { statuses }
    }

    /// What is wrong with the body of a refusal.
    fn form(&self) -> Option<String> {
        let Self { house, document, operation, answer } = self;
        let known = house.own_refusals.is_some()
            || answer.is_problem()
            || answer.error.is_some() && schema_of(document, operation, answer).is_some();
        (!known).then(|| format!("the refusal is not {PROBLEM}"))
    }
}

fn must_refuse(asked: Asked<'_>, sentences: &[&str], whom: &str) -> Option<String> {
    let expected = match &asked.house.own_refusals {
        Some(statuses) => statuses.clone(),
        None => asked.statuses(sentences, StatusCode::UNAUTHORIZED),
    };
    if expected.contains(&asked.answer.status) {
        return asked.form();
    }
    Some(format!("{whom} must be refused, with {}", numbers(&expected)))
}

fn must_admit(asked: Asked<'_>, why: &str) -> Option<String> {
    let status = asked.answer.status;
    let unauthenticated = match &asked.house.own_refusals {
        Some(statuses) => statuses.contains(&status) && status != StatusCode::FORBIDDEN,
        None => {
            let unknown = asked.statuses(&[NOBODY, ENDED, DOES_NOT_HOLD], StatusCode::UNAUTHORIZED);
            unknown.contains(&status) || status == StatusCode::UNAUTHORIZED
        }
    };
    let code = asked.answer.code().unwrap_or_default();
    // Where codes are the application's own, only the status tells a login that fails.
    let is_about_the_body = ABOUT_THE_BODY.contains(&code)
        || !asked.answer.is_problem() && asked.operation.saying(WRONG).contains(&status);
    let refused = unauthenticated && !is_about_the_body || ACCESS.contains(&code);
    refused.then(|| format!("{why}, so it must not be refused"))
}

fn numbers(statuses: &[StatusCode]) -> String {
    statuses.iter().map(StatusCode::as_str).collect::<Vec<_>>().join(" or ")
}

/// Whether a `Set-Cookie` puts a session that has just begun in the place of a dead one.
fn replaces(set_cookie: &str, name: &str) -> bool {
    let pair = set_cookie.split(';').next().and_then(|pair| pair.split_once('='));
    pair.is_some_and(|(found, value)| found == name && !value.is_empty() && value != STALE)
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
        self.error.as_ref()?["code"].as_str().filter(|code| !code.is_empty())
    }

    pub(super) fn is_problem(&self) -> bool {
        self.content_type.as_deref().is_some_and(|kind| essence(kind) == PROBLEM)
    }

    /// Whether the body is that of an error, and JSON.
    pub(super) fn is_json_error(&self) -> bool {
        let is_json = |kind: &str| {
            let kind = essence(kind);
            kind == "application/json" || kind.ends_with("+json")
        };
        (self.status.is_client_error() || self.status.is_server_error())
            && self.content_type.as_deref().is_some_and(is_json)
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
