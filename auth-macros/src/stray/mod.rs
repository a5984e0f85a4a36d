//! `#[require]`, `#[public]`, `#[schemes]`, `#[rejects]` where nothing reads them.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{
    Attribute,
    parse::{ParseStream, Parser},
};

use crate::{
    diag,
    parse::{self, RawFn},
};

/// The item, and what would have read the attribute.
pub(crate) fn attribute(name: &str, input: TokenStream) -> TokenStream {
    let message = message(name, &input);
    // Without `#[auth_api]` rustc would not know `#[oai]` either, which is not the point.
    let item = match syn::parse2::<RawFn>(input.clone()) {
        Ok(mut function) => {
            function.attrs.retain(|attr| !parse::is_named(attr, "oai"));
            function.into_token_stream()
        }
        _ => input,
    };
    [diag::refuse(Span::call_site(), &message), item].into_iter().collect()
}

fn message(name: &str, input: &TokenStream) -> String {
    let attrs = attributes.parse2(input.clone()).unwrap_or_default();
    let stands_below = |outer| parse::named(&attrs, outer).next().is_some();
    if stands_below("handler") {
        return format!("write `#[{name}]` below `#[handler]`, which reads it");
    }
    if name == "require" && (stands_below("auth_api") || stands_below("OpenApi")) {
        return "`#[require]` belongs to an operation: write it on the methods, or for all of them \
                `#[auth_api(require(…))]`"
            .to_owned();
    }
    if stands_below("auth_api") || stands_below("OpenApi") {
        return format!("`#[{name}]` belongs to an operation: write it on the methods");
    }
    let method = format!(
        "`#[{name}]` is read by `#[auth_api]` on the impl block; write `#[auth_api]` above the impl"
    );
    match syn::parse2::<RawFn>(input.clone()) {
        Ok(function) if function.sig.receiver().is_none() && !stands_below("oai") => {
            format!("`#[{name}]` alone protects nothing; write `#[auth_poem::handler]` above it")
        }
        Ok(_) => method,
        Err(_) if stands_below("oai") => method,
        Err(_) => format!(
            "`#[{name}]` belongs to an operation: a method of an `#[auth_api]` impl, or a function \
             with `#[auth_poem::handler]`"
        ),
    }
}

fn attributes(input: ParseStream<'_>) -> syn::Result<Vec<Attribute>> {
    let attrs = input.call(Attribute::parse_outer)?;
    input.parse::<TokenStream>()?;
    Ok(attrs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn the_message_says_what_is_missing() {
        for (input, expected) in [
            (
                quote!(
                    async fn a(&self) {}
                ),
                "write `#[auth_api]` above the impl",
            ),
            (
                quote!(
                    #[oai(path = "/")]
                    async fn a() {}
                ),
                "write `#[auth_api]` above the impl",
            ),
            (
                quote!(
                    async fn a(user: User) {}
                ),
                "write `#[auth_poem::handler]` above it",
            ),
            (
                quote!(
                    #[auth_poem::handler]
                    async fn a(user: User) {}
                ),
                "write `#[require]` below `#[handler]`",
            ),
            (
                quote!(
                    #[auth_api]
                    impl A {}
                ),
                "write it on the methods",
            ),
            (
                quote!(
                    struct A;
                ),
                "belongs to an operation: a method of",
            ),
        ] {
            let message = message("require", &input);
            assert!(message.contains(expected), "{message} lacks {expected}");
        }
    }

    #[test]
    fn the_item_stays() {
        let item = quote!(async fn a(user: User) { half. });
        let shown = attribute("public", item.clone()).to_string();
        assert!(shown.contains("compile_error") && shown.contains(&item.to_string()), "{shown}");
    }
}
