//! What documents say of authentication, written from the same policies that the gate enforces.

use std::{cell::RefCell, collections::HashMap};

use auth_core::{
    config::Authenticator,
    guard::{Parameter, Policy},
};
use poem::http::{Method, StatusCode};
use poem_openapi::{
    payload::{Payload, PlainText},
    registry::{
        MetaApi, MetaMediaType, MetaOperation, MetaPath, MetaResponse, MetaSchema, MetaSchemaRef,
        Registry,
    },
};

use crate::{
    form::{self, Form},
    problem::intern,
};

pub(crate) mod refusals;
mod schemes;

use refusals::{LOGIN, refusals};
use schemes::Configured;

/// How the document of an operation with a requirement begins to say so; a walk through a document
/// looks for it.
pub(crate) const REQUIRES: &str = "The operation requires: ";

const MALFORMED: &str = "The request cannot be read.";
const UNSUPPORTED: &str = "The body is missing or of a type that is not read.";

/// One alternative of an operation's security: all of these schemes, with their scopes.
type Alternative = HashMap<&'static str, Vec<&'static str>>;

thread_local! {
    /// The configuration whose documents are being made, and the policies seen meanwhile. poem-openapi
    /// makes documents in one go on one thread, so the scope is a call on the stack, not a setting of
    /// the process.
    static SCOPE: RefCell<Option<Scope>> = const { RefCell::new(None) };
}

struct Scope {
    auth: Authenticator,
    seen: Seen,
}

/// What documents speak of.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The policies of all operations, hidden ones too.
    pub(crate) policies: Vec<&'static Policy>,
    /// The documented operations.
    pub(crate) operations: Vec<(Method, String, &'static Policy)>,
}

/// Makes documents for a configuration, and says of what they speak.
pub(crate) fn within<R>(auth: &Authenticator, make: impl FnOnce() -> R) -> (R, Seen) {
    /// Restores what was there before, also when `make` panics.
    struct Restore(Option<Scope>);
    impl Drop for Restore {
        fn drop(&mut self) {
            SCOPE.set(self.0.take());
        }
    }
    let scope = Scope { auth: auth.clone(), seen: Seen::default() };
    let restore = Restore(SCOPE.replace(Some(scope)));
    let made = make();
    let seen = SCOPE.take().map(|scope| scope.seen).unwrap_or_default();
    drop(restore);
    (made, seen)
}

/// Asks how errors look in the documents that are being made.
pub(crate) fn with_form<R>(ask: impl FnOnce(Form<'_>) -> R) -> R {
    let auth = SCOPE.with_borrow(|scope| scope.as_ref().map(|scope| scope.auth.clone()));
    ask(auth.as_ref().map_or(form::DEFAULT, Form::of))
}

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
    with_form(|form| form.register(registry));
    let configured = Configured::here();
    for user in policies.iter().flat_map(|policy| policy.users()) {
        configured.register(registry, &user.user);
    }
}

/// One entry for each path. Operations under `#[cfg]` come in a part of their own, and a document that
/// names a path twice loses what the first entry says.
fn joined(apis: Vec<MetaApi>) -> Vec<MetaApi> {
    let mut paths: Vec<MetaPath> = Vec::new();
    for path in apis.into_iter().flat_map(|api| api.paths) {
        match paths.iter_mut().find(|known| known.path == path.path) {
            Some(known) => known.operations.extend(path.operations),
            None => paths.push(path),
        }
    }
    vec![MetaApi { paths }]
}

/// Writes the policies into the operations that they belong to.
#[must_use]
pub fn document(apis: Vec<MetaApi>, policies: &[&'static Policy]) -> Vec<MetaApi> {
    let configured = Configured::here();
    let mut apis = joined(apis);
    let mut operations = Vec::new();
    for path in apis.iter_mut().flat_map(|api| &mut api.paths) {
        for operation in &mut path.operations {
            let policy = policies.iter().find(|policy| {
                let marker = marker(policy);
                operation.security.iter().any(|alternative| alternative.contains_key(marker))
            });
            if let Some(policy) = policy {
                describe(operation, policy, &configured);
                operations.push((operation.method.clone(), path.path.clone(), *policy));
            }
        }
    }
    SCOPE.with_borrow_mut(|scope| {
        if let Some(Scope { seen, .. }) = scope {
            seen.policies.extend(policies);
            seen.operations.extend(operations);
        }
    });
    apis
}

fn describe(operation: &mut MetaOperation, policy: &'static Policy, configured: &Configured) {
    let marker = marker(policy);
    let foreign: Vec<Alternative> = std::mem::take(&mut operation.security)
        .into_iter()
        .filter(|alternative| !alternative.contains_key(marker))
        .collect();
    let responses = &mut operation.responses.responses;
    if !foreign.is_empty() {
        responses.push(foreign_refusal());
    }
    operation.security = security(policy, configured, foreign);
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
        let refusals = refusals(policy, configured, &operation.method);
        responses.extend(refusals.iter().map(|(rejection, text)| form.refusal(rejection, text)));
        if policy.asks().next().is_some() {
            responses.push(form.fault());
        }
    });
    *responses = merged(std::mem::take(responses));
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
    policy: &Policy,
    configured: &Configured,
    foreign: Vec<Alternative>,
) -> Vec<Alternative> {
    let mut product = vec![Alternative::new()];
    for user in policy.users() {
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

/// One response per status: descriptions joined, media types side by side, two schemas of one media
/// type as `anyOf`. Nothing that the author documented is lost.
fn merged(responses: Vec<MetaResponse>) -> Vec<MetaResponse> {
    let mut merged: Vec<MetaResponse> = Vec::new();
    for response in responses {
        let same = merged.iter_mut().find(|earlier| {
            earlier.status == response.status && earlier.status_range == response.status_range
        });
        match same {
            Some(earlier) => join(earlier, response),
            None => merged.push(response),
        }
    }
    merged
}

fn join(earlier: &mut MetaResponse, later: MetaResponse) {
    if earlier.description.is_empty() {
        earlier.description = later.description;
    } else if !earlier.description.contains(later.description) {
        earlier.description = intern(&format!("{} {}", earlier.description, later.description));
    }
    for content in later.content {
        match earlier.content.iter_mut().find(|known| known.content_type == content.content_type) {
            Some(known) => add_schema(known, content.schema),
            None => earlier.content.push(content),
        }
    }
    for header in later.headers {
        if !earlier.headers.iter().any(|known| known.name.eq_ignore_ascii_case(&header.name)) {
            earlier.headers.push(header);
        }
    }
}

fn add_schema(known: &mut MetaMediaType, schema: MetaSchemaRef) {
    if known.schema == schema {
        return;
    }
    if let MetaSchemaRef::Inline(inline) = &mut known.schema
        && !inline.any_of.is_empty()
    {
        if !inline.any_of.contains(&schema) {
            inline.any_of.push(schema);
        }
        return;
    }
    let first = std::mem::replace(&mut known.schema, MetaSchemaRef::Reference(String::new()));
    known.schema = MetaSchemaRef::Inline(Box::new(MetaSchema {
        any_of: vec![first, schema],
        ..MetaSchema::ANY
    }));
}
