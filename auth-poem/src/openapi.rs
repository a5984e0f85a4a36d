//! What documents say of authentication, written from the same policies that the gate enforces.

use std::collections::HashMap;

use auth_core::{
    guard::{Parameter, Policy, Principal},
    scheme::SchemeKind,
};
use poem::http::StatusCode;
use poem_openapi::{
    payload::{Payload, PlainText},
    registry::{MetaApi, MetaMediaType, MetaOperation, MetaResponse, Registry},
};

use crate::problem::intern;

mod merge;
pub(crate) mod refusals;
mod schemes;
mod scope;

use merge::{joined, merged};
use refusals::{LOGIN, refusals};
use schemes::Configured;
use scope::SCOPE;
pub(crate) use scope::{Documented, Served, note, served, with_form, within};

/// How the document of an operation with a requirement begins to say so; a walk through a document
/// looks for it.
pub(crate) const REQUIRES: &str = "The operation requires: ";

const MALFORMED: &str = "The request cannot be read.";
const TOO_LARGE: &str = "The body is larger than that of a signed request may be.";
const UNSUPPORTED: &str = "The body is missing or of a type that is not read.";

/// One alternative of an operation's security: all of these schemes, with their scopes.
type Alternative = HashMap<&'static str, Vec<&'static str>>;

/// How the gate names its operation towards [`document`].
pub(crate) fn marker(policy: &Policy) -> &'static str {
    intern(&format!("gate of {}", policy.name))
}

/// How the gate says towards [`document`] that the author answers what the parameters refuse.
pub(crate) fn handled() -> MetaResponse {
    MetaResponse {
        description: "",
        status: None,
        status_range: Some("handled by the author".into()),
        content: Vec::new(),
        headers: Vec::new(),
    }
}

/// Adds to the components what every document of ours needs.
pub fn register(registry: &mut Registry, policies: &[&'static Policy]) {
    let configured = Configured::here();
    let users = policies.iter().flat_map(|policy| configured.principals(policy));
    register_users(registry, &configured, users);
}

/// Adds to the components what the guard around the API needs.
pub(crate) fn register_guard(registry: &mut Registry) {
    let user = served().guard.and_then(|guard| guard.user());
    register_users(registry, &Configured::here(), user.copied().into_iter());
}

fn register_users(
    registry: &mut Registry,
    configured: &Configured,
    users: impl Iterator<Item = Principal>,
) {
    with_form(|form| form.register(registry));
    for user in users {
        configured.register(registry, &user.user);
    }
}

/// Writes the policies into the operations that they belong to.
#[must_use]
pub fn document(apis: Vec<MetaApi>, policies: &[&'static Policy]) -> Vec<MetaApi> {
    let (served, configured) = (served(), Configured::here());
    let mut apis = joined(apis);
    let mut operations = Vec::new();
    for path in apis.iter_mut().flat_map(|api| &mut api.paths) {
        for operation in &mut path.operations {
            let policy = policies.iter().find(|policy| {
                let marker = marker(policy);
                operation.security.iter().any(|alternative| alternative.contains_key(marker))
            });
            if let Some(&policy) = policy {
                let guard = served.guard_of(&path.path);
                let configured = configured.of(policy);
                let users = callers(&configured, policy, guard.and_then(|guard| guard.user()));
                describe(operation, policy, &configured, &users);
                operations.push(Documented {
                    method: operation.method.clone(),
                    path: path.path.clone(),
                    policy: Some(policy),
                    guard: guard.cloned(),
                });
            }
        }
    }
    note(|seen| {
        seen.policies.extend(policies);
        seen.operations.extend(operations);
    });
    apis
}

/// Makes one API of the parts of a tuple, and writes the guard into operations that have no policy.
pub(crate) fn finish(apis: Vec<MetaApi>) -> Vec<MetaApi> {
    let (served, configured) = (served(), Configured::here());
    let mut apis = joined(apis);
    for path in apis.iter_mut().flat_map(|api| &mut api.paths) {
        for operation in &mut path.operations {
            let guard = served.guard_of(&path.path);
            if let Some(guard) = guard
                && !is_noted(operation, &path.path)
            {
                let users = callers(&configured, guard.policy(), None);
                let foreign = std::mem::take(&mut operation.security);
                operation.security = security(&users, &configured, foreign);
                describe_refusals(operation, guard.policy(), &configured, &users);
                let (method, path) = (operation.method.clone(), path.path.clone());
                let operation =
                    Documented { method, path, policy: None, guard: Some(guard.clone()) };
                note(|seen| seen.operations.push(operation));
            }
            let responses = &mut operation.responses.responses;
            *responses = merged(std::mem::take(responses));
        }
    }
    apis
}

/// Whether the operation has a policy, which [`document`] has written into it.
fn is_noted(operation: &MetaOperation, path: &str) -> bool {
    SCOPE.with_borrow(|scope| {
        let noted = scope.iter().flat_map(|scope| &scope.seen.operations);
        noted.into_iter().any(|noted| noted.path == path && noted.method == operation.method)
    })
}

/// The users of an operation. Whom the guard wants is required, also where the operation would go
/// without him.
fn callers(
    configured: &Configured,
    policy: &Policy,
    guard: Option<&'static Principal>,
) -> Vec<Principal> {
    let mut users = configured.principals(policy);
    let Some(guard) = guard else { return users };
    let is_it = |user: &Principal| (user.user.id)() == (guard.user.id)();
    users.iter_mut().filter(|user| is_it(user)).for_each(|user| user.optional = false);
    if !users.iter().any(is_it) {
        users.insert(0, *guard);
    }
    users
}

fn describe(
    operation: &mut MetaOperation,
    policy: &'static Policy,
    configured: &Configured,
    users: &[Principal],
) {
    let marker = marker(policy);
    let foreign: Vec<Alternative> = std::mem::take(&mut operation.security)
        .into_iter()
        .filter(|alternative| !alternative.contains_key(marker))
        .collect();
    let responses = &mut operation.responses.responses;
    if !foreign.is_empty() {
        responses.push(foreign_refusal());
    }
    operation.security = security(users, configured, foreign);
    if !policy.asks().any(|parameter| matches!(parameter, Parameter::Handle(_))) {
        // Our error type documents what a login answers; without a handle nobody can log in.
        responses.retain(|response| !is_login_answer(response));
    }
    let handled = handled().status_range;
    let by_us = responses.iter().all(|response| response.status_range != handled);
    responses.retain(|response| response.status_range != handled);
    let (reads_body, reads) =
        (operation.request.is_some(), operation.request.is_some() || !operation.params.is_empty());
    with_form(|form| {
        if by_us && reads {
            responses.push(form.other(StatusCode::BAD_REQUEST, MALFORMED));
        }
        if by_us && reads_body {
            responses.push(form.other(StatusCode::UNSUPPORTED_MEDIA_TYPE, UNSUPPORTED));
        }
        let signed = |user: &Principal| configured.has(&user.user, SchemeKind::Signature);
        if reads_body && users.iter().any(signed) {
            responses.push(form.other(StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE));
        }
    });
    describe_refusals(operation, policy, configured, users);
    let responses = &mut operation.responses.responses;
    *responses = merged(std::mem::take(responses));
}

fn describe_refusals(
    operation: &mut MetaOperation,
    policy: &'static Policy,
    configured: &Configured,
    users: &[Principal],
) {
    let responses = &mut operation.responses.responses;
    with_form(|form| {
        let refusals = refusals(policy, configured, users, &operation.method);
        responses.extend(refusals.iter().map(|(rejection, text)| form.refusal(rejection, text)));
        if policy.asks().next().is_some() || !users.is_empty() {
            responses.push(form.fault());
        }
    });
}

/// What poem-openapi answers itself when a scheme of its own is not satisfied.
fn foreign_refusal() -> MetaResponse {
    MetaResponse {
        description: "A further credential is missing or does not hold.",
        status: Some(StatusCode::UNAUTHORIZED.as_u16()),
        status_range: None,
        content: vec![MetaMediaType {
            content_type: PlainText::<String>::CONTENT_TYPE,
            schema: PlainText::<String>::schema_ref(),
        }],
        headers: Vec::new(),
    }
}

/// Whether our error type, and not the author, documented this answer.
fn is_login_answer(response: &MetaResponse) -> bool {
    LOGIN.iter().any(|(rejection, text)| {
        let status = with_form(|form| form.refusal_status(rejection)).as_u16();
        response.status == Some(status) && response.description == *text
    })
}

/// The alternatives: one of each user's schemes, together with one of what other extractors ask.
fn security(
    users: &[Principal],
    configured: &Configured,
    foreign: Vec<Alternative>,
) -> Vec<Alternative> {
    let mut product = vec![Alternative::new()];
    for user in users {
        let names = configured.names(&user.user).into_iter();
        let mut ways: Vec<Alternative> =
            names.map(|name| Alternative::from([(name, Vec::new())])).collect();
        if user.optional {
            ways.push(Alternative::new());
        }
        product = multiply(&product, &ways);
    }
    if !foreign.is_empty() {
        product = multiply(&product, &foreign);
    }
    // `security: [{}]` says the same as no security, at greater length.
    if product.iter().all(HashMap::is_empty) { Vec::new() } else { product }
}

fn multiply(left: &[Alternative], right: &[Alternative]) -> Vec<Alternative> {
    let mut product: Vec<Alternative> = Vec::new();
    for a in left {
        for b in right {
            let mut both = a.clone();
            both.extend(b.iter().map(|(name, scopes)| (*name, scopes.clone())));
            if !product.contains(&both) {
                product.push(both);
            }
        }
    }
    product
}
