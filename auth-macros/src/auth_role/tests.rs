use quote::quote;
use syn::{DeriveInput, parse_quote};

use super::derive;
use crate::testing::{has, items, says};

fn expand(input: &DeriveInput) -> String {
    items(&derive(input))
}

#[test]
fn variants_become_names_and_permissions() {
    let shown = expand(&parse_quote! {
        enum Role {
            #[role(permissions("users:read", "users:delete"))]
            SuperAdmin,
            #[role(name = "ed")]
            Editor,
        }
    });
    has(
        &shown,
        quote!(
            const NAMES: &'static [&'static str] = &["super_admin", "ed"];
        ),
    );
    has(&shown, quote!(Self::SuperAdmin => "super_admin", Self::Editor => "ed",));
    has(&shown, quote!("ed" => ::core::option::Option::Some(Self::Editor),));
    has(&shown, quote!(Self::SuperAdmin => &["users:read", "users:delete"], _ => &[],));
    has(&shown, quote!(impl ::core::fmt::Display for Role));
    has(
        &shown,
        quote!(
            type Err = UnknownRole;
        ),
    );
}

#[test]
fn roles_without_permissions_keep_the_default() {
    let shown = expand(&parse_quote!(
        enum Role {
            Admin,
        }
    ));
    assert!(!shown.contains("fn permissions"), "{shown}");
}

#[test]
fn each_rule_has_its_message() {
    let cases: [(DeriveInput, &str); 11] = [
        (
            parse_quote!(
                struct Role;
            ),
            "roles are an enum with one variant for each",
        ),
        (
            parse_quote!(
                enum Role {}
            ),
            "no role; users without roles",
        ),
        (
            parse_quote!(
                enum Role<T> {
                    A,
                }
            ),
            "roles cannot be generic",
        ),
        (
            parse_quote!(
                enum Role {
                    A(u8),
                }
            ),
            "a role has no fields",
        ),
        (
            parse_quote!(
                enum Role {
                    A,
                    #[role(name = "a")]
                    B,
                }
            ),
            "the name `a` is already that of `A`",
        ),
        (
            parse_quote!(
                enum Role {
                    #[role(name = "Big Boss")]
                    A,
                }
            ),
            "`Big Boss` is no name for a role",
        ),
        (
            parse_quote!(
                enum Role {
                    #[role(name = "")]
                    A,
                }
            ),
            "`` is no name for a role",
        ),
        (
            parse_quote!(
                enum Role {
                    #[role(nam = "a")]
                    A,
                }
            ),
            "unknown key `nam`; did you mean `name`?",
        ),
        (
            parse_quote!(
                enum Role {
                    #[role(permissions = "a")]
                    A,
                }
            ),
            "write `permissions(…)`",
        ),
        (
            parse_quote!(
                enum Role {
                    #[role(permissions("a", "a"))]
                    A,
                }
            ),
            "`a` stands twice",
        ),
        (
            parse_quote!(
                enum Role {
                    #[role(permissions(""))]
                    A,
                }
            ),
            "the permission has no name",
        ),
    ];
    for (input, message) in cases {
        says(&expand(&input), message);
    }
}
