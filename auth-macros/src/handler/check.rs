//! Rules of a handler.

use syn::GenericParam;

use super::parse::Handler;
use crate::{diag::Mistakes, parse};

pub(super) fn handler(handler: &Handler, mistakes: &mut Mistakes) {
    let sig = &handler.author.sig;
    if let Some(receiver) = sig.receiver() {
        mistakes.at(receiver, "a handler is a function of its own and takes no `self`");
    }
    for param in &sig.generics.params {
        match param {
            GenericParam::Lifetime(_) => {}
            GenericParam::Type(_) | GenericParam::Const(_) => mistakes.at(
                param,
                "a handler cannot be generic: what guards it is a constant, and a constant has no \
                 type parameters",
            ),
        }
    }
    if let Some(require) = &handler.operation.guards.require {
        require.check(mistakes);
        for check in require.checks().into_iter().filter(|check| check.is_method()) {
            mistakes.spanned(
                check.span(),
                "`Self` has a meaning only in an `#[auth_api]` impl; name a function, as in \
                 `check = may_edit`",
            );
        }
    }
    for attr in parse::named(&handler.author.attrs, "handler") {
        mistakes.at(attr, "one handler attribute is enough: remove this one");
    }
    for attr in parse::named(&handler.author.attrs, "oai") {
        mistakes.at(attr, "`#[oai(...)]` belongs to a method of an `#[auth_api]` impl");
    }
}
