//! The language of `#[require(...)]`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{
    Attribute, Ident, LitInt, LitStr, Meta, Token, Type, ext::IdentExt, parse::ParseStream,
    spanned::Spanned, token,
};

use crate::{diag::Mistakes, parse, paths::Runtime};

const HOW: &str = "say what the user needs, as in `#[require(role = \"admin\")]`";
const GUARDS: &[&str] = &["role", "permission", "fresh", "any", "all"];
const TOP: &[&str] = &["role", "permission", "fresh", "any", "all", "user"];

/// What one `#[require(...)]` says.
#[derive(Debug)]
pub(crate) struct Require {
    /// The attribute's name, where rustc shows that the requirement as a whole cannot hold.
    pub(crate) span: Span,
    /// `user = Type`: whose requirement it is, where an operation knows two users.
    pub(crate) user: Option<Type>,
    guards: Vec<Guard>,
}

#[derive(Debug)]
enum Guard {
    Role(LitStr),
    Permission(LitStr),
    /// Seconds, or the runtime's default.
    Fresh(Option<u64>),
    Any(Vec<Guard>),
    All(Vec<Guard>),
}

impl Require {
    /// Reads the attribute.
    pub(crate) fn read(attr: &Attribute, mistakes: &mut Mistakes) -> Self {
        let mut this = Self { span: attr.path().span(), user: None, guards: Vec::new() };
        if matches!(&attr.meta, Meta::Path(_)) {
            mistakes.at(attr, HOW);
            return this;
        }
        let mut empty = true;
        parse::entries(attr, mistakes, |key, input, mistakes| {
            empty = false;
            if key == "user" {
                input.parse::<Token![=]>()?;
                let user: Type = input.parse()?;
                if this.user.is_some() {
                    return Err(syn::Error::new_spanned(user, "two `user`s; there can be one"));
                }
                this.user = Some(user);
            } else {
                this.guards.push(Guard::read(key, input, mistakes, TOP)?);
            }
            Ok(())
        });
        if empty && matches!(&attr.meta, Meta::List(list) if list.tokens.is_empty()) {
            mistakes.at(attr, HOW);
        }
        this
    }

    /// The roles it names.
    pub(crate) fn roles(&self) -> Vec<&LitStr> {
        let mut roles = Vec::new();
        self.guards.iter().for_each(|guard| guard.roles(&mut roles));
        roles
    }

    /// The requirement as a constant expression.
    pub(crate) fn expand(&self, p: &Runtime) -> TokenStream {
        match &self.guards[..] {
            [] => logged_in(p),
            [guard] => guard.expand(p),
            guards => every(guards, p),
        }
    }
}

/// The requirement of an operation that has no `#[require]`.
pub(crate) fn logged_in(p: &Runtime) -> TokenStream {
    quote!(#p::Requirement::LoggedIn)
}

fn every(guards: &[Guard], p: &Runtime) -> TokenStream {
    let guards = guards.iter().map(|guard| guard.expand(p));
    quote!(#p::Requirement::All(&[#(#guards),*]))
}

impl Guard {
    fn read(
        key: &Ident,
        input: ParseStream<'_>,
        mistakes: &mut Mistakes,
        known: &[&str],
    ) -> syn::Result<Self> {
        match key.to_string().as_str() {
            "role" => name(key, input).map(Self::Role),
            "permission" => name(key, input).map(Self::Permission),
            "fresh" => age(input).map(Self::Fresh),
            "any" => group(key, input, mistakes).map(Self::Any),
            "all" => group(key, input, mistakes).map(Self::All),
            "user" => Err(syn::Error::new(
                key.span(),
                "`user` stands at the top of `#[require]`, not inside `any` or `all`",
            )),
            _ => Err(parse::unknown("guard", key, known)),
        }
    }

    fn roles<'a>(&'a self, found: &mut Vec<&'a LitStr>) {
        match self {
            Self::Role(role) => found.push(role),
            Self::Permission(_) | Self::Fresh(_) => {}
            Self::Any(guards) | Self::All(guards) => {
                guards.iter().for_each(|guard| guard.roles(found));
            }
        }
    }

    fn expand(&self, p: &Runtime) -> TokenStream {
        match self {
            Self::Role(role) => quote!(#p::Requirement::Role(#role)),
            Self::Permission(permission) => quote!(#p::Requirement::Permission(#permission)),
            Self::Fresh(None) => quote!(#p::Requirement::Fresh(#p::FRESH)),
            Self::Fresh(Some(seconds)) => {
                quote!(#p::Requirement::Fresh(::core::time::Duration::from_secs(#seconds)))
            }
            Self::Any(guards) => {
                let guards = guards.iter().map(|guard| guard.expand(p));
                quote!(#p::Requirement::Any(&[#(#guards),*]))
            }
            Self::All(guards) => every(guards, p),
        }
    }
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
            guards.push(Guard::read(&key, input, mistakes, GUARDS)?);
            Ok(())
        });
        Ok(guards)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn expand(attr: &Attribute) -> Result<String, String> {
        let mut mistakes = Mistakes::new();
        let require = Require::read(attr, &mut mistakes);
        mistakes.finish().map_err(|tokens| tokens.to_string())?;
        Ok(require
            .expand(&Runtime::find(Some(&parse_quote!(p))))
            .to_string()
            .replace("p :: __private :: Requirement :: ", "")
            .replace("p :: __private :: ", "")
            .replace(' ', ""))
    }

    #[track_caller]
    fn refused(attr: &Attribute, message: &str) {
        let shown = expand(attr).expect_err("a mistake");
        let message = format!("{message:?}");
        assert!(shown.contains(&message), "{shown}\nlacks {message}");
    }

    #[test]
    fn every_guard_becomes_a_constant() {
        for (attr, expected) in [
            (parse_quote!(#[require(role = "admin")]), r#"Role("admin")"#),
            (parse_quote!(#[require(permission = "a:b")]), r#"Permission("a:b")"#),
            (parse_quote!(#[require(fresh)]), "Fresh(FRESH)"),
            (
                parse_quote!(#[require(fresh(minutes = 5))]),
                "Fresh(::core::time::Duration::from_secs(300u64))",
            ),
            (
                parse_quote!(#[require(fresh(seconds = 30),)]),
                "Fresh(::core::time::Duration::from_secs(30u64))",
            ),
            (
                parse_quote!(#[require(role = "a", any(role = "b", all(permission = "c", fresh)))]),
                r#"All(&[Role("a"),Any(&[Role("b"),All(&[Permission("c"),Fresh(FRESH)])])])"#,
            ),
            (parse_quote!(#[require(user = Admin)]), "LoggedIn"),
            (parse_quote!(#[require(user = Admin, role = "a")]), r#"Role("a")"#),
        ] {
            let attr: Attribute = attr;
            assert_eq!(expand(&attr).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn roles_are_found_at_any_depth() {
        let mut mistakes = Mistakes::new();
        let attr = parse_quote!(#[require(role = "a", any(role = "b", all(role = "c", fresh)))]);
        let require = Require::read(&attr, &mut mistakes);
        mistakes.finish().expect("no mistake");
        let roles: Vec<_> = require.roles().iter().map(|role| role.value()).collect();
        assert_eq!(roles, ["a", "b", "c"]);
    }

    #[test]
    fn a_guard_that_says_nothing_is_refused() {
        refused(&parse_quote!(#[require]), HOW);
        refused(&parse_quote!(#[require()]), HOW);
        refused(&parse_quote!(#[require(any())]), "`any` needs at least one guard");
        refused(&parse_quote!(#[require(all)]), "write `all(…)` with the guards inside");
        refused(&parse_quote!(#[require(role = " ")]), "the role has no name");
        refused(&parse_quote!(#[require(fresh(minutes = 0))]), "no login is that fresh");
        refused(
            &parse_quote!(#[require(fresh())]),
            "say how long ago, as in `fresh(minutes = 5)`, or write `fresh` alone",
        );
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        refused(
            &parse_quote!(#[require(rolle = "admin")]),
            "unknown guard `rolle`; did you mean `role`?",
        );
        refused(
            &parse_quote!(#[require(role = Role::Admin)]),
            "expected a string, as in `role = \"…\"`",
        );
        refused(
            &parse_quote!(#[require(role("admin"))]),
            "expected a string, as in `role = \"…\"`",
        );
        refused(
            &parse_quote!(#[require(any(user = Admin))]),
            "`user` stands at the top of `#[require]`, not inside `any` or `all`",
        );
        refused(
            &parse_quote!(#[require(fresh(minute = 5))]),
            "unknown unit `minute`; did you mean `minutes`?",
        );
    }

    #[test]
    fn every_mistake_of_one_attribute_is_shown() {
        let attr: Attribute = parse_quote!(#[require(rolle = "a", any(permision = "b"), role)]);
        let shown = expand(&attr).expect_err("three mistakes");
        assert_eq!(shown.matches("compile_error").count(), 3, "{shown}");
    }
}
