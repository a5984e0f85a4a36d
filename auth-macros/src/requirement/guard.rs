//! One guard: what it may say, and what it becomes.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{
    Ident, LitInt, LitStr, Path, Token, Type, ext::IdentExt, parse::ParseStream, spanned::Spanned,
    token,
};

use crate::{diag::Mistakes, parse, paths::Runtime};

const GUARDS: &[&str] = &["role", "permission", "owner", "fresh", "check", "any", "all"];
/// What stands beside the guards.
const TOP: &[&str] =
    &["role", "permission", "owner", "fresh", "check", "any", "all", "conceal", "user"];

/// One guard of a `#[require(...)]`.
#[derive(Debug, Clone)]
pub(crate) enum Guard {
    Role(LitStr),
    /// `"{site_id}:manager"`.
    ScopedRole {
        written: LitStr,
        scope: String,
        role: String,
    },
    Permission(LitStr),
    /// `"{user_id}"`.
    Owner {
        written: LitStr,
        param: String,
    },
    /// Seconds, or the runtime's default.
    Fresh(Option<u64>),
    Check(CheckFn),
    Any(Vec<Guard>),
    All(Vec<Guard>),
}

/// `check = path::to::function` or `check = Self::method`.
#[derive(Debug, Clone)]
pub(crate) struct CheckFn(Path);

impl Guard {
    pub(super) fn read(
        key: &Ident,
        input: ParseStream<'_>,
        mistakes: &mut Mistakes,
    ) -> syn::Result<Self> {
        Self::read_of(key, input, mistakes, TOP)
    }

    fn read_of(
        key: &Ident,
        input: ParseStream<'_>,
        mistakes: &mut Mistakes,
        known: &[&str],
    ) -> syn::Result<Self> {
        match key.to_string().as_str() {
            "role" => role(key, input),
            "permission" => name(key, input).map(Self::Permission),
            "owner" => owner(key, input),
            "fresh" => age(input).map(Self::Fresh),
            "check" => CheckFn::read(key, input).map(Self::Check),
            "any" => group(key, input, mistakes).map(Self::Any),
            "all" => group(key, input, mistakes).map(Self::All),
            "user" | "conceal" => Err(syn::Error::new(
                key.span(),
                format!("`{key}` stands at the top of `#[require]`, not inside `any` or `all`"),
            )),
            _ => Err(parse::unknown("guard", key, known)),
        }
    }

    /// Sees this guard and those inside of it.
    pub(super) fn visit<'a>(&'a self, see: &mut dyn FnMut(&'a Self)) {
        see(self);
        if let Self::Any(guards) | Self::All(guards) = self {
            guards.iter().for_each(|guard| guard.visit(see));
        }
    }

    pub(super) fn expand(&self, p: &Runtime, itself: Option<&Type>) -> TokenStream {
        match self {
            Self::Role(role) => quote!(#p::Requirement::Role(#role)),
            Self::ScopedRole { scope, role, .. } => {
                quote!(#p::Requirement::ScopedRole { scope: #scope, role: #role })
            }
            Self::Permission(permission) => quote!(#p::Requirement::Permission(#permission)),
            Self::Owner { param, .. } => quote!(#p::Requirement::Owner(#param)),
            Self::Fresh(None) => quote!(#p::Requirement::Fresh(#p::FRESH)),
            Self::Fresh(Some(seconds)) => {
                quote!(#p::Requirement::Fresh(::core::time::Duration::from_secs(#seconds)))
            }
            Self::Check(check) => {
                let check = check.expand(p, itself);
                quote!(#p::Requirement::Check(#check))
            }
            Self::Any(guards) => {
                let guards = guards.iter().map(|guard| guard.expand(p, itself));
                quote!(#p::Requirement::Any(&[#(#guards),*]))
            }
            Self::All(guards) => every(guards, p, itself),
        }
    }
}

pub(super) fn every(guards: &[Guard], p: &Runtime, itself: Option<&Type>) -> TokenStream {
    let guards = guards.iter().map(|guard| guard.expand(p, itself));
    quote!(#p::Requirement::All(&[#(#guards),*]))
}

impl CheckFn {
    fn read(key: &Ident, input: ParseStream<'_>) -> syn::Result<Self> {
        let expected = |span| {
            syn::Error::new(
                span,
                "expected a function, as in `check = may_edit` or, in an impl, \
                                   `check = Self::may_edit`",
            )
        };
        if !input.peek(Token![=]) {
            return Err(expected(key.span()));
        }
        input.parse::<Token![=]>()?;
        let path: Path = input.parse().map_err(|error: syn::Error| expected(error.span()))?;
        if path.is_ident("Self") {
            return Err(expected(path.span()));
        }
        Ok(Self(path))
    }

    /// Whether it is a method of the impl: `Self::…`.
    pub(crate) fn is_method(&self) -> bool {
        self.0.segments.first().is_some_and(|first| first.ident == "Self")
    }

    pub(crate) fn span(&self) -> Span {
        self.0.span()
    }

    /// The last name of the path.
    pub(crate) fn name(&self) -> String {
        self.0.segments.last().map(|last| last.ident.unraw().to_string()).unwrap_or_default()
    }

    /// The function as it is called from outside of the impl.
    pub(crate) fn function(&self, itself: Option<&Type>) -> TokenStream {
        let path = &self.0;
        match itself {
            Some(itself) if self.is_method() => {
                let method = path.segments.iter().skip(1);
                quote_spanned!(path.span()=> <#itself>::#(#method)::*)
            }
            _ => quote!(#path),
        }
    }

    /// The check as data: its name, and a function that finds the user and the request under their
    /// hidden types. The future is made here, where its type is known, so that rustc can tell
    /// whether it may go to another thread.
    fn expand(&self, p: &Runtime, itself: Option<&Type>) -> TokenStream {
        let (name, function, span) = (self.name(), self.function(itself), self.span());
        let p = p.at(span);
        let api = itself
            .filter(|_| self.is_method())
            .map(|itself| quote_spanned!(span=> #p::ask::api::<#itself>(__auth_request)?,));
        quote_spanned! {span=>
            #p::Check {
                name: #name,
                run: |__auth_user, __auth_request| ::std::boxed::Box::pin(async move {
                    #p::ask::said(
                        #function(#api #p::ask::user(__auth_user)?, #p::ask::request(__auth_request)?).await
                    )
                }),
            }
        }
    }
}

/// Reads `= "admin"` or `= "{site_id}:manager"`.
fn role(key: &Ident, input: ParseStream<'_>) -> syn::Result<Guard> {
    let written = name(key, input)?;
    let text = written.value();
    if !text.contains(['{', '}']) {
        return Ok(Guard::Role(written));
    }
    let parts = text.strip_prefix('{').and_then(|text| text.split_once("}:"));
    match parts {
        Some((scope, role))
            if is_param(scope) && !role.is_empty() && !role.contains(['{', '}']) =>
        {
            let (scope, role) = (scope.to_owned(), role.to_owned());
            Ok(Guard::ScopedRole { written, scope, role })
        }
        _ => Err(syn::Error::new(
            written.span(),
            "a role in a scope is written as `\"{site_id}:manager\"`: a path parameter in braces, \
             a colon, the role",
        )),
    }
}

/// Reads `= "{user_id}"`.
fn owner(key: &Ident, input: ParseStream<'_>) -> syn::Result<Guard> {
    let written = name(key, input)?;
    let text = written.value();
    match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        Some(param) if is_param(param) => Ok(Guard::Owner { param: param.to_owned(), written }),
        _ => Err(syn::Error::new(
            written.span(),
            "the owner is a path parameter in braces, as in `owner = \"{user_id}\"`",
        )),
    }
}

/// Whether a text can be the name of a path parameter.
fn is_param(name: &str) -> bool {
    !name.is_empty() && !name.contains(['{', '}', '/', ':', '*', '<', '>'])
}

fn name(key: &Ident, input: ParseStream<'_>) -> syn::Result<LitStr> {
    let text = parse::text(key, input)?;
    if text.value().trim().is_empty() {
        return Err(syn::Error::new(text.span(), format!("the {key} has no name")));
    }
    Ok(text)
}

/// Reads `(minutes = 5)` behind `fresh`, if it is there.
fn age(input: ParseStream<'_>) -> syn::Result<Option<u64>> {
    if !input.peek(token::Paren) {
        return Ok(None);
    }
    parse::inside(input, |content| {
        if content.is_empty() {
            return Err(syn::Error::new(
                content.span(),
                "say how long ago, as in `fresh(minutes = 5)`, or write `fresh` alone",
            ));
        }
        let unit = content.call(Ident::parse_any)?;
        let seconds = match unit.to_string().as_str() {
            "seconds" => 1,
            "minutes" => 60,
            "hours" => 60 * 60,
            _ => return Err(parse::unknown("unit", &unit, &["seconds", "minutes", "hours"])),
        };
        content.parse::<Token![=]>()?;
        let number: LitInt = content.parse()?;
        match number.base10_parse::<u64>()?.checked_mul(seconds) {
            Some(0) => Err(syn::Error::new(number.span(), "no login is that fresh")),
            Some(seconds) => Ok(Some(seconds)),
            None => Err(syn::Error::new(number.span(), "too long")),
        }
    })
}

fn group(key: &Ident, input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<Vec<Guard>> {
    if !input.peek(token::Paren) {
        return Err(syn::Error::new(
            key.span(),
            format!("write `{key}(…)` with the guards inside"),
        ));
    }
    parse::inside(input, |content| {
        // An empty `all` would let everybody pass, an empty `any` nobody.
        if content.is_empty() {
            return Err(syn::Error::new(key.span(), format!("`{key}` needs at least one guard")));
        }
        let mut guards = Vec::new();
        parse::list(content, mistakes, |input, mistakes| {
            let key = input.call(Ident::parse_any)?;
            guards.push(Guard::read_of(&key, input, mistakes, GUARDS)?);
            Ok(())
        });
        Ok(guards)
    })
}
