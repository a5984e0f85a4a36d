//! Rules of an impl block of operations.

use std::collections::HashSet;

use proc_macro2::Span;
use syn::{GenericParam, ReceiverKind, ReturnType, Safety, ext::IdentExt};

use super::parse::{Api, Method};
use crate::{diag::Mistakes, types};

pub(super) fn api(api: &Api, mistakes: &mut Mistakes) {
    let Some(head) = &api.head else { return };
    if let Some(implemented) = &head.implemented {
        mistakes.at(
            implemented,
            "`#[auth_api]` stands on an inherent impl; the operations of a trait have no types of \
             their own to protect",
        );
        return;
    }
    if !head.generics.params.is_empty() {
        mistakes.at(
            &head.generics,
            "`#[auth_api]` cannot stand on a generic impl: what guards an operation is a constant, \
             and a constant has no type parameters; write the impl for one concrete type",
        );
    }
    if api.methods().next().is_none() {
        mistakes.spanned(
            Span::call_site(),
            "no method here has `#[oai(...)]`; if `#[OpenApi]` stands above, it has used them up: \
             write `#[auth_api(...)]` in place of `#[OpenApi(...)]`",
        );
        return;
    }
    for attr in &api.stray {
        let name = attr.path().segments.last().map(|last| last.ident.to_string());
        let name = name.unwrap_or_default();
        mistakes.at(
            attr,
            format!("`#[{name}]` needs `#[oai(...)]`: this is no operation, nobody can call it"),
        );
    }
    let mut names = HashSet::new();
    for method in api.methods() {
        signature(method, mistakes);
        path(method, mistakes);
        // Where `#[cfg]` chooses between two of one name, rustc sees only the one that stays.
        if method.operation.cfg.is_empty() && !names.insert(method.operation.name.unraw()) {
            mistakes.at(&method.operation.name, "two operations of this name");
        }
    }
}

fn signature(method: &Method, mistakes: &mut Mistakes) {
    let sig = &method.author.sig;
    if sig.asyncness.is_none() {
        mistakes.at(sig.fn_token, "an operation is `async`: write `async fn`");
    }
    if let Safety::Unsafe(token) = &sig.safety {
        mistakes.at(token, "an operation cannot be `unsafe`");
    }
    match sig.receiver() {
        Some(receiver) if matches!(receiver.kind, ReceiverKind::Reference(_, _, None)) => {}
        Some(receiver) => {
            mistakes.at(receiver, "an operation takes `&self`: many requests share it")
        }
        None => mistakes.at(&sig.ident, "an operation takes `&self` as its first parameter"),
    }
    if let ReturnType::Type(_, output) = &sig.output
        && let Some(span) = types::borrowed(output)
    {
        mistakes.spanned(span, "an operation returns what it owns: nobody keeps what it borrows");
    }
    for param in &sig.generics.params {
        match param {
            GenericParam::Lifetime(_) => {}
            GenericParam::Type(_) | GenericParam::Const(_) => {
                mistakes.at(param, "an operation cannot be generic: a route leads to one function");
            }
        }
    }
}

/// What the guards and the parameters make of the path.
fn path(method: &Method, mistakes: &mut Mistakes) {
    let operation = &method.operation;
    if let Some(require) = &operation.guards.require {
        require.check(mistakes);
        for (param, at) in require.path_params() {
            operation.route.check(param, at, mistakes);
        }
    }
    // poem-openapi gives the first `Path<…>` the first value, whatever its name is. A guard goes by
    // the name, and so does the document, so the two must not differ.
    let names: Vec<&str> = operation.route.numbered().collect();
    for (index, param) in operation.params.iter().filter(|param| param.is_path()).enumerate() {
        let name = param.documented_name();
        if names.get(index).is_some_and(|at| *at == name) {
            continue;
        }
        if names.contains(&name.as_str()) {
            mistakes.at(
                &param.name,
                format!(
                    "poem-openapi fills path parameters by their order, so `{name}` would hold \
                     another one's value; write them in the order of the path"
                ),
            );
        } else if !param.is_value() {
            continue;
        } else if operation.route.may_be_elsewhere(&name) {
            mistakes.at(
                &param.name,
                format!(
                    "poem-openapi does not read the parameters of `prefix_path` nor those inside of \
                     a segment, so `{name}` would hold another one's value or none; write \
                     `/:{name}` into `path`"
                ),
            );
        } else {
            operation.route.check(&name, &param.name, mistakes);
        }
    }
}
