//! The language of `#[require(...)]`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{
    Attribute, Ident, LitStr, Meta, Token, Type,
    ext::IdentExt,
    parse::{ParseStream, Parser},
    spanned::Spanned,
};

use crate::{diag::Mistakes, parse, paths::Runtime};

mod guard;
#[cfg(test)]
mod tests;

pub(crate) use guard::{CheckFn, Guard};

const HOW: &str = "say what the user needs, as in `#[require(role = \"admin\")]`";

/// What one `#[require(...)]` says.
#[derive(Debug, Clone)]
pub(crate) struct Require {
    /// The attribute's name, where rustc shows that the requirement as a whole cannot hold.
    pub(crate) span: Span,
    /// `user = Type`: whose requirement it is, where an operation knows two users.
    pub(crate) user: Option<Type>,
    /// Where `conceal` stands: whom the guards refuse finds nothing.
    pub(crate) conceal: Option<Span>,
    guards: Vec<Guard>,
}

impl Require {
    /// Reads the attribute.
    pub(crate) fn read(attr: &Attribute, mistakes: &mut Mistakes) -> Self {
        let span = attr.path().span();
        match &attr.meta {
            Meta::List(list) if !list.tokens.is_empty() => {
                let read = |input: ParseStream<'_>| Ok(Self::inside(span, input, mistakes));
                let read = read.parse2(list.tokens.clone());
                mistakes.keep(read).unwrap_or_else(|| Self::nothing(span))
            }
            Meta::Path(_) | Meta::List(_) | Meta::NameValue(_) => {
                mistakes.at(attr, HOW);
                Self::nothing(span)
            }
        }
    }

    /// Reads what is in the parentheses.
    pub(crate) fn inside(span: Span, input: ParseStream<'_>, mistakes: &mut Mistakes) -> Self {
        let mut this = Self::nothing(span);
        parse::list(input, mistakes, |input, mistakes| {
            let key = input.call(Ident::parse_any)?;
            if key == "user" {
                input.parse::<Token![=]>()?;
                let user: Type = input.parse()?;
                if this.user.is_some() {
                    return Err(syn::Error::new_spanned(user, "two `user`s; there can be one"));
                }
                this.user = Some(user);
            } else if key == "conceal" {
                this.conceal = Some(key.span());
            } else {
                this.guards.push(Guard::read(&key, input, mistakes)?);
            }
            Ok(())
        });
        this
    }

    fn nothing(span: Span) -> Self {
        Self { span, user: None, conceal: None, guards: Vec::new() }
    }

    /// This and what else is required of the same operation: both must hold.
    pub(crate) fn and(mut self, more: Self, mistakes: &mut Mistakes) -> Self {
        if let (Some(user), Some(_)) = (&more.user, &self.user)
            && self.user != more.user
        {
            mistakes.at(user, "the impl's `require(user = …)` names somebody else");
        }
        self.span = more.span;
        self.user = self.user.or(more.user);
        self.conceal = self.conceal.or(more.conceal);
        self.guards.extend(more.guards);
        self
    }

    /// `conceal` says how guards refuse, so there must be one.
    pub(crate) fn check(&self, mistakes: &mut Mistakes) {
        if let Some(span) = self.conceal
            && self.guards.is_empty()
        {
            mistakes.spanned(
                span,
                "`conceal` says how a guard refuses; name the guard too, as in \
                 `#[require(owner = \"{id}\", conceal)]`",
            );
        }
    }

    /// The roles it names, each where it stands.
    pub(crate) fn roles(&self) -> Vec<Role> {
        let mut roles = Vec::new();
        self.visit(&mut |guard| match guard {
            Guard::Role(role) => {
                roles.push(Role { span: role.span(), name: role.value(), scoped: false });
            }
            Guard::ScopedRole { written, role, .. } => {
                roles.push(Role { span: written.span(), name: role.clone(), scoped: true });
            }
            _ => {}
        });
        roles
    }

    /// The path parameters it names, each where it stands.
    pub(crate) fn path_params(&self) -> Vec<(&str, &LitStr)> {
        let mut params = Vec::new();
        self.visit(&mut |guard| match guard {
            Guard::ScopedRole { written, scope, .. } => params.push((scope.as_str(), written)),
            Guard::Owner { written, param } => params.push((param.as_str(), written)),
            _ => {}
        });
        params
    }

    /// The checks it names.
    pub(crate) fn checks(&self) -> Vec<&CheckFn> {
        let mut checks = Vec::new();
        self.visit(&mut |guard| {
            if let Guard::Check(check) = guard {
                checks.push(check);
            }
        });
        checks
    }

    fn visit<'a>(&'a self, see: &mut dyn FnMut(&'a Guard)) {
        self.guards.iter().for_each(|guard| guard.visit(see));
    }

    /// The requirement as a constant expression; `itself` is the type of the impl.
    pub(crate) fn expand(&self, p: &Runtime, itself: Option<&Type>) -> TokenStream {
        match &self.guards[..] {
            [] => logged_in(p),
            [guard] => guard.expand(p, itself),
            guards => guard::every(guards, p, itself),
        }
    }
}

/// A role that a requirement names.
#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) span: Span,
    pub(crate) name: String,
    /// Whether it is meant in a scope.
    pub(crate) scoped: bool,
}

/// The requirement of an operation that has no `#[require]`.
pub(crate) fn logged_in(p: &Runtime) -> TokenStream {
    quote!(#p::Requirement::LoggedIn)
}
