use proc_macro2::TokenStream;
use quote::quote;
use syn::parse_quote;

use super::attribute;
use crate::testing::{has, items, says, text};

#[track_caller]
fn expands(args: TokenStream, input: TokenStream) -> String {
    let shown = items(&attribute(args, input));
    assert!(!shown.contains("compile_error"), "{shown}");
    shown
}

#[track_caller]
fn refused(input: TokenStream, message: &str) -> String {
    let shown = items(&attribute(quote!(), input));
    says(&shown, message);
    shown
}

#[test]
fn an_operation_is_forwarded_behind_the_gate() {
    let shown = expands(
        quote!(prefix_path = "/user", tag = "Tag::User"),
        quote! {
            impl UserApi {
                /// The user of that id.
                #[oai(path = "/:id", method = "get")]
                async fn show(&self, user: User, Path(id): Path<Uuid>, who: Option<Admin>) -> Json<View> {
                    body(id)
                }
            }
        },
    );
    has(
        &shown,
        quote! {
            impl UserApi {
                /// The user of that id.
                async fn show(&self, user: User, Path(id): Path<Uuid>, who: Option<Admin>) -> Json<View> {
                    body(id)
                }
            }
        },
    );
    has(
        &shown,
        quote! {
            const POLICY: &'static Policy = &Policy {
                name: "show",
                public: false,
                parameters: &[
                    <Probe<User>>::PARAMETER, <Probe<Path<Uuid>>>::PARAMETER, <Probe<Option<Admin>>>::PARAMETER
                ],
                requirement: Requirement::LoggedIn,
                conceal: false,
                path: &[("id", "param0")],
                subject: ::core::option::Option::None,
                schemes: &[],
                rejects: &[],
            };
        },
    );
    has(
        &shown,
        quote!(
            const _: () = check::protected(<__op_show as Operation>::POLICY);
        ),
    );
    has(
        &shown,
        quote! {
            #[poem_openapi::OpenApi(prefix_path = "/user", tag = "Tag::User",)]
            impl __AuthShim0 {
                /// The user of that id.
                #[oai(path = "/:id", method = "get")]
                async fn show(
                    &self, __auth_gate: Gate<__op_show>, user: Arg<User>, id: Path<Uuid>, who: OptionArg<Admin>
                ) -> Guarded<__op_show> {
                    __auth_gate.finish(<UserApi>::show(&self.0, user.0, id, who.0)).await
                }
            }
        },
    );
    assert!(!shown.contains("check :: public") && !shown.contains("check :: requirable"));
}

#[test]
fn attributes_become_policy_and_checks() {
    let shown = expands(
        quote!(),
        quote! {
            impl Api {
                #[public]
                #[rejects(username_taken = 409, weak_password = 422)]
                #[oai(path = "/a", method = "post")]
                async fn a(&self) {}

                #[auth_poem::require(any(role = "admin", role = "owner"), user = Admin)]
                #[oai(path = "/b", method = "post")]
                async fn b(&self, admin: Admin, user: User) -> Json<Self> {}
            }
        },
    );
    has(&shown, quote!(public: true, parameters: &[], requirement: Requirement::LoggedIn,));
    has(&shown, quote!(rejects: &[(409u16, "username_taken"), (422u16, "weak_password")],));
    has(
        &shown,
        quote!(
            const _: () = check::public(<__op_a as Operation>::POLICY);
        ),
    );
    has(
        &shown,
        quote!(
            type Output = ();
        ),
    );
    has(&shown, quote!(subject: <Probe<Admin>>::PARAMETER,));
    has(
        &shown,
        quote!(
            const _: () = check::requirable(<__op_b as Operation>::POLICY);
        ),
    );
    has(
        &shown,
        quote!(
            const _: () = check::role(<__op_b as Operation>::POLICY, "admin");
        ),
    );
    has(
        &shown,
        quote!(
            const _: () = check::role(<__op_b as Operation>::POLICY, "owner");
        ),
    );
    has(
        &shown,
        quote!(
            const _: &UserMeta = <Admin as AuthUser>::META;
        ),
    );
    has(
        &shown,
        quote!(
            type Output = Json<Api>;
        ),
    );
    assert!(!shown.contains("# [public]") && !shown.contains("# [rejects"));
}

#[test]
fn cfg_goes_to_everything_of_an_operation() {
    let shown = expands(
        quote!(),
        quote! {
            impl Api {
                #[oai(path = "/a", method = "get")]
                async fn a(&self, user: User) {}

                #[cfg(feature = "x")]
                #[oai(path = "/b", method = "get")]
                async fn b(&self, user: User) {}
            }
        },
    );
    has(
        &shown,
        quote!(
            #[cfg(feature = "x")]
            struct __op_b;
        ),
    );
    has(&shown, quote!(#[cfg(feature = "x")] impl Operation for __op_b));
    has(&shown, quote!(#[cfg(feature = "x")] const _: () = check::protected));
    has(&shown, quote!(#[cfg(feature = "x")] #[poem_openapi::OpenApi()] impl __AuthShim1));
    has(
        &shown,
        quote!(
            #[cfg(feature = "x")]
            <__op_b as Operation>::POLICY
        ),
    );
    has(
        &shown,
        quote!(#[cfg(feature = "x")] apis.extend(<__AuthShim1 as poem_openapi::OpenApi>::meta());),
    );
}

#[test]
fn what_is_no_operation_stays_as_it_is() {
    let shown = expands(
        quote!(),
        quote! {
            impl Api {
                pub const LIMITS: Limits = Limits { a: 1 };
                pub const fn limit() -> Limits { Limits { a: 2 } }
                some_macro! { a b }
                fn helper<T: Into<String>>(&self, t: T) -> String { t.into() }
                #[tracing::instrument(skip_all)]
                #[oai(path = "/a", method = "get")]
                async fn a(&self, user: User) {}
            }
        },
    );
    has(
        &shown,
        quote!(
            pub const LIMITS: Limits = Limits { a: 1 };
        ),
    );
    has(&shown, quote!(some_macro! { a b }));
    has(
        &shown,
        quote!(
            pub const fn limit() -> Limits {
                Limits { a: 2 }
            }
        ),
    );
    has(
        &shown,
        quote!(
            fn helper<T: Into<String>>(&self, t: T) -> String {
                t.into()
            }
        ),
    );
    assert_eq!(shown.matches("tracing :: instrument").count(), 1, "{shown}");
}

#[test]
fn an_open_api_attribute_below_gives_its_arguments() {
    let shown = expands(
        quote!(),
        quote! {
            #[poem_openapi::OpenApi(tag = "Tag::A")]
            #[allow(dead_code)]
            impl Api {
                #[oai(path = "/a", method = "get")]
                async fn a(&self, user: User) {}
            }
        },
    );
    has(&shown, quote!(#[poem_openapi::OpenApi(tag = "Tag::A")] impl __AuthShim0));
    assert!(shown.starts_with("# [allow (dead_code)] impl Api"), "{shown}");
}

#[test]
fn the_crate_may_be_named() {
    let tokens = attribute(
        quote!(crate = "my::facade", tag = "Tag::A"),
        quote!(impl Api { #[oai(path = "/a", method = "get")] async fn a(&self, user: User) {} }),
    );
    let shown = text(&tokens);
    assert!(shown.contains("use my :: facade :: __private :: OtherParameter as _"), "{shown}");
    has(&shown, quote!(OpenApi(tag = "Tag::A",)));
    assert!(!shown.contains("auth_poem"), "{shown}");
}

#[test]
fn the_authors_impl_survives_every_mistake() {
    let tokens = attribute(
        quote!(),
        quote! {
            impl Api {
                #[public]
                #[require(rolle = "admin")]
                #[oai(path = "/a", method = "get")]
                async fn a(&self, user: User) { half. }
                fn helper(&self) {}
            }
        },
    );
    let shown = text(&tokens);
    says(&shown, "unknown guard `rolle`; did you mean `role`?");
    has(&shown, quote!(impl Api { async fn a(&self, user: User) { half. } fn helper(&self) {} }));
    has(&shown, quote!(impl poem_openapi::OpenApi for Api));
    assert!(shown.contains("an operation is either"), "all mistakes at once: {shown}");
}

#[test]
fn misplaced_attributes_are_refused() {
    let operation = |attrs: TokenStream| {
        quote! {
            impl Api { #attrs #[oai(path = "/a", method = "get")] async fn a(&self, user: User) {} }
        }
    };
    refused(operation(quote!(#[public] #[public])), "`#[public]` stands here twice");
    refused(
        operation(quote!(#[require(fresh)] #[public])),
        "an operation is either `#[public]` or has `#[require]`, not both",
    );
    refused(operation(quote!(#[require(fresh)] #[require(role = "a")])), "a second `#[require]`");
    refused(operation(quote!(#[public(yes)])), "`#[public]` takes no arguments");
    refused(operation(quote!(#[rejects(gone = 500)])), "a refusal has a status from 400 to 499");
    refused(operation(quote!(#[rejects(gone = 410, gone = 410)])), "`gone` stands twice");
    refused(operation(quote!(#[rejects])), "name the refusals");
    refused(
        quote! {
            impl Api {
                #[require(role = "a")] async fn a(&self, user: User) {}
                #[oai(path = "/b", method = "get")] async fn b(&self, user: User) {}
            }
        },
        "`#[require]` needs `#[oai(...)]`: this is no operation, nobody can call it",
    );
}

#[test]
fn impls_that_cannot_be_are_refused() {
    let one = quote!(
        #[oai(path = "/a", method = "get")]
        async fn a(&self, user: User) {}
    );
    refused(quote!(impl<T> Api<T> { #one }), "`#[auth_api]` cannot stand on a generic impl");
    refused(quote!(impl Trait for Api { #one }), "`#[auth_api]` stands on an inherent impl");
    refused(quote!(impl Api { fn a(&self) {} }), "no method here has `#[oai(...)]`");
    refused(
        quote!(
            struct Api {
                a: u8,
            }
        ),
        "`#[auth_api]` stands on an impl block",
    );
}

#[test]
fn signatures_that_cannot_be_are_refused() {
    let with =
        |method: TokenStream| quote!(impl Api { #[oai(path = "/a", method = "get")] #method });
    refused(
        with(quote!(
            fn a(&self, user: User) {}
        )),
        "an operation is `async`: write `async fn`",
    );
    refused(
        with(quote!(
            async fn a(&mut self) {}
        )),
        "an operation takes `&self`",
    );
    refused(
        with(quote!(
            async fn a(user: User) {}
        )),
        "`&self` as its first parameter",
    );
    refused(
        with(quote!(
            async fn a<T>(&self, user: User) {}
        )),
        "an operation cannot be generic",
    );
    let lifetime: syn::ItemImpl = parse_quote! {
        impl Api {
            #[oai(path = "/a", method = "get")]
            async fn a<'r>(&self, user: User, request: &'r Request) {}
        }
    };
    let shown = expands(quote!(), quote!(#lifetime));
    has(&shown, quote!(request: &'_ Request));

    let borrowed = "an operation returns what it owns";
    refused(
        with(quote!(
            async fn a(&self, user: User) -> Text<&str> {}
        )),
        borrowed,
    );
    refused(
        with(quote!(
            async fn a<'r>(&'r self, user: User) -> View<'r> {}
        )),
        borrowed,
    );
    refused(
        with(quote!(
            async fn a(&self, user: User) -> View<'_> {}
        )),
        borrowed,
    );
    expands(
        quote!(),
        with(quote!(
            async fn a(&self, user: User) -> Text<&'static str> {}
        )),
    );
}

#[test]
fn many_operations_are_spread_over_shims() {
    let methods = (0..9).map(|index| {
        let name = quote::format_ident!("a{index}");
        quote!(#[oai(path = "/a", method = "get")] async fn #name(&self, user: User) {})
    });
    let shown = expands(quote!(tag = "Tag::A"), quote!(impl Api { #(#methods)* }));
    for shim in ["__AuthShim0", "__AuthShim1"] {
        let shim = quote::format_ident!("{shim}");
        has(&shown, quote!(#[poem_openapi::OpenApi(tag = "Tag::A",)] impl #shim));
        has(&shown, quote!(apis.extend(<#shim as poem_openapi::OpenApi>::meta());));
    }
    assert!(!shown.contains("__AuthShim2"), "{shown}");
}

/// What an operation costs beside the author's own tokens. The work belongs to the runtime: if this
/// grows, ask what of it could be an ordinary function.
#[test]
fn an_operation_expands_to_little() {
    let operation = |name: &str| {
        let name = quote::format_ident!("{name}");
        quote! {
            #[require(role = "admin")]
            #[oai(path = "/:id", method = "get")]
            async fn #name(&self, user: User, id: Path<Uuid>) -> Json<View> { body }
        }
    };
    let (a, b) = (operation("a"), operation("b"));
    let one = size(attribute(quote!(), quote!(impl Api { #a })));
    let two = size(attribute(quote!(), quote!(impl Api { #a #b })));
    let cost = two - one - size(b);
    assert!(cost <= 480, "one operation costs {cost} tokens");
}

fn size(tokens: TokenStream) -> usize {
    tokens
        .into_iter()
        .map(|token| match token {
            proc_macro2::TokenTree::Group(group) => 2 + size(group.stream()),
            _ => 1,
        })
        .sum()
}
