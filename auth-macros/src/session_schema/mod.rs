//! `#[derive(SessionSchema)]`: a struct as one part of a session's data.

mod check;
mod expand;
mod parse;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::diag::Mistakes;

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let mut mistakes = Mistakes::new();
    let schema = parse::schema(input, &mut mistakes);
    check::schema(&schema, &mut mistakes);
    match mistakes.finish() {
        Ok(()) => expand::schema(&schema),
        // The trait asks for nothing that could fail besides, so it stays.
        Err(errors) if input.generics.params.is_empty() => {
            [errors, expand::schema(&schema)].into_iter().collect()
        }
        Err(errors) => errors,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;
    use syn::parse_quote;

    use crate::testing::{items, says};

    fn expand(input: &DeriveInput) -> String {
        items(&derive(input))
    }

    #[test]
    fn the_name_is_that_of_the_struct() {
        let shown = expand(&parse_quote!(
            struct EmailSession {
                code: Option<String>,
            }
        ));
        let expected = quote! {
            #[automatically_derived]
            impl SessionSchema for EmailSession {
                const NAME: &'static str = "EmailSession";
                const KEEP_ON_ERROR: bool = true;
            }
        };
        assert_eq!(shown, crate::testing::text(expected));
    }

    #[test]
    fn name_and_policy_may_be_said() {
        let shown = expand(&parse_quote! {
            #[session(name = "email", discard_on_error)]
            struct EmailSession { code: Option<String> }
        });
        assert!(shown.contains("NAME : & 'static str = \"email\""), "{shown}");
        assert!(shown.contains("KEEP_ON_ERROR : bool = false"), "{shown}");
    }

    #[test]
    fn each_rule_has_its_message() {
        let cases: [(DeriveInput, &str); 6] = [
            (
                parse_quote!(
                    struct A<T> {
                        a: T,
                    }
                ),
                "a session schema cannot be generic",
            ),
            (
                parse_quote!(
                    struct A(u8);
                ),
                "a session schema is a struct with named fields",
            ),
            (
                parse_quote!(
                    enum A {
                        B,
                    }
                ),
                "a session schema is a struct with named fields",
            ),
            (
                parse_quote!(
                    #[session(nme = "a")]
                    struct A {
                        a: u8,
                    }
                ),
                "unknown key `nme`; did you mean `name`?",
            ),
            (
                parse_quote!(
                    #[session(name = "a b")]
                    struct A {
                        a: u8,
                    }
                ),
                "not a plain name for a schema",
            ),
            (
                parse_quote!(
                    #[session(discard_on_error = true)]
                    struct A {
                        a: u8,
                    }
                ),
                "expected `,`",
            ),
        ];
        for (input, message) in cases {
            says(&expand(&input), message);
        }
    }
}
