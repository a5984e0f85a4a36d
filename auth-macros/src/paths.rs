//! Where generated code finds the runtime, and what it may name there.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{LitStr, Path};

/// Every name of the runtime's `__private` that an expansion uses. Paths of `poem` and
/// `poem_openapi` go through it too, so that an application need not depend on the versions by
/// itself.
#[cfg(test)]
pub(crate) const NAMES: &[&str] = &[
    // types of users, roles, session data
    "AuthRole",
    "AuthUser",
    "ClaimsUser",
    "LoginColumn",
    "NoRole",
    "PasswordHash",
    "RoleSet",
    "RoleSource",
    "Scoped",
    "SessionSchema",
    "TokenId",
    "UnknownRole",
    "UserMeta",
    "chrono",
    "impl_sql_user",
    "impl_user",
    // operations
    "Arg",
    "Check",
    "FRESH",
    "Gate",
    "Guarded",
    "HandlerArg",
    "OtherParameter",
    "Operation",
    "OptionArg",
    "Policy",
    "Probe",
    "Requirement",
    "Returns",
    "RouteTable",
    "add_routes_with",
    "ask",
    "check",
    "document",
    "is_handler_param",
    "is_param",
    "poem",
    "poem_openapi",
    "register",
];

/// The runtime's `__private` module as a path; interpolate it as `#p::Name`.
#[derive(Debug, Clone)]
pub(crate) struct Runtime(TokenStream);

impl Runtime {
    /// The facade under the name it has in the application's `Cargo.toml`, else the core, unless
    /// the application names the crate itself.
    pub(crate) fn find(named: Option<&Path>) -> Self {
        if let Some(path) = named {
            return Self(quote!(#path::__private));
        }
        let name = match crate_name("auth-poem") {
            Ok(found) => local_name(found, "auth_poem"),
            Err(_) => match crate_name("auth-core") {
                Ok(found) => local_name(found, "auth_core"),
                // rustc then says which crate is missing.
                Err(_) => "auth_poem".to_owned(),
            },
        };
        let name = Ident::new(&name, Span::call_site());
        Self(quote!(::#name::__private))
    }

    /// The same path as if it stood there: rustc shows a path where its first token is.
    pub(crate) fn at(&self, span: Span) -> Self {
        let moved = self.0.clone().into_iter().map(|mut token| {
            token.set_span(span);
            token
        });
        Self(moved.collect())
    }
}

/// Inside the crate itself, its tests and examples the crate has its own name, by way of
/// `extern crate self as …`.
fn local_name(found: FoundCrate, itself: &str) -> String {
    match found {
        FoundCrate::Itself => itself.to_owned(),
        FoundCrate::Name(name) => name,
    }
}

impl ToTokens for Runtime {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

/// Reads the value of `crate = "path"`.
pub(crate) fn crate_path(value: &LitStr) -> syn::Result<Path> {
    value.parse::<Path>().map_err(|_| {
        syn::Error::new(value.span(), "not a path; write `crate = \"::auth_poem\"` or the like")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn the_facade_is_the_default() {
        assert_eq!(Runtime::find(None).to_token_stream().to_string(), ":: auth_poem :: __private");
    }

    #[test]
    fn an_application_may_name_the_crate() {
        let path = crate_path(&parse_quote!("crate::facade")).expect("a path");
        assert_eq!(
            Runtime::find(Some(&path)).to_token_stream().to_string(),
            "crate :: facade :: __private"
        );
        assert!(crate_path(&parse_quote!("not a path")).is_err());
    }
}
