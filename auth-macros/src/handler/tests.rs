use proc_macro2::TokenStream;
use quote::quote;

use super::attribute;
use crate::testing::{has, items, says, text};

fn expand(input: TokenStream) -> String {
    items(&attribute(quote!(), input))
}

#[test]
fn a_function_becomes_an_endpoint_behind_the_gate() {
    let shown = expand(quote! {
        /// Counts.
        #[require(role = "admin")]
        #[inline]
        pub async fn stats(user: User, Json(Data { a }): Json<Data>, other: Option<Admin>) -> String { a }
    });
    has(
        &shown,
        quote!(
            #[doc = r" Counts."]
            #[allow(non_camel_case_types)]
            pub struct stats;
        ),
    );
    has(&shown, quote!(requirement: Requirement::Role("admin"),));
    has(
        &shown,
        quote!(
            const _: () = check::requirable(<__op_stats as Operation>::POLICY);
        ),
    );
    has(
        &shown,
        quote! {
            #[inline]
            async fn stats(user: User, Json(Data { a }): Json<Data>, other: Option<Admin>) -> String { a }
        },
    );
    has(&shown, quote!(Gate::<__op_stats>::open(&__auth_request, &mut __auth_body).await?;));
    has(&shown, quote!(<HandlerArg<User> as poem::FromRequest<'_>>::from_request));
    has(&shown, quote!(<Json<Data> as poem::FromRequest<'_>>::from_request));
    has(&shown, quote!(<OptionArg<Admin> as poem::FromRequest<'_>>::from_request));
    has(
        &shown,
        quote! {
            let __auth_result = poem::error::IntoResult::into_result(
                stats(__auth_p0.0, __auth_p1, __auth_p2.0).await
            );
            __auth_gate.settle(__auth_result.map(poem::IntoResponse::into_response))
        },
    );
}

#[test]
fn a_function_need_not_be_async() {
    let shown = expand(quote!(
        #[public]
        fn hello() -> &'static str {
            "hello"
        }
    ));
    has(&shown, quote!(public: true,));
    has(&shown, quote!(poem::error::IntoResult::into_result(hello())));
}

#[test]
fn cfg_goes_to_everything() {
    let shown = expand(quote!(
        #[cfg(x)]
        #[public]
        async fn a() {}
    ));
    has(
        &shown,
        quote!(
            #[cfg(x)]
            #[allow(non_camel_case_types)]
            struct a;
        ),
    );
    has(&shown, quote!(#[cfg(x)] #[allow(non_camel_case_types)] const _: () =));
}

#[test]
fn functions_that_cannot_be_are_refused() {
    for (input, message) in [
        (
            quote!(
                async fn a(&self) {}
            ),
            "a handler is a function of its own",
        ),
        (
            quote!(
                async fn a<T>(user: User) {}
            ),
            "a handler cannot be generic",
        ),
        (
            quote!(
                #[poem::handler]
                async fn a(user: User) {}
            ),
            "one handler attribute is enough",
        ),
        (
            quote!(
                #[require(role)]
                async fn a(user: User) {}
            ),
            "expected a string",
        ),
        (
            quote!(
                struct A;
            ),
            "`#[handler]` stands on a function",
        ),
    ] {
        says(&text(attribute(quote!(), input)), message);
    }
    let shown = attribute(
        quote!(crat = "x"),
        quote!(
            async fn a() {}
        ),
    )
    .to_string();
    assert!(shown.contains("unknown key `crat`; did you mean `crate`?"), "{shown}");
}
