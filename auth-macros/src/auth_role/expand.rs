//! Model to tokens.

use proc_macro2::TokenStream;
use quote::quote;

use super::parse::Roles;

/// The trait, and both conversions to and from the name.
pub(super) fn roles(roles: &Roles<'_>) -> TokenStream {
    let Roles { runtime: p, ident, .. } = roles;
    let variants = roles.variants.as_deref().unwrap_or_default();
    let names: Vec<_> = variants.iter().map(|role| &role.name).collect();
    let idents: Vec<_> = variants.iter().map(|role| role.ident).collect();
    let granting: Vec<_> = variants.iter().filter(|role| !role.permissions.is_empty()).collect();
    let permissions = (!granting.is_empty()).then(|| {
        let arms = granting.iter().map(|role| {
            let (ident, permissions) = (role.ident, &role.permissions);
            quote!(Self::#ident => &[#(#permissions),*],)
        });
        let others = (granting.len() < variants.len()).then(|| quote!(_ => &[],));
        quote! {
            fn permissions(&self) -> &'static [&'static str] {
                match self {
                    #(#arms)*
                    #others
                }
            }
        }
    });
    quote! {
        const _: () = {
            #[automatically_derived]
            impl #p::AuthRole for #ident {
                const NAMES: &'static [&'static str] = &[#(#names),*];
                fn name(&self) -> &'static str {
                    match self {
                        #(Self::#idents => #names,)*
                    }
                }
                fn from_name(name: &str) -> ::core::option::Option<Self> {
                    match name {
                        #(#names => ::core::option::Option::Some(Self::#idents),)*
                        _ => ::core::option::Option::None,
                    }
                }
                #permissions
            }
            #[automatically_derived]
            impl ::core::fmt::Display for #ident {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    f.write_str(#p::AuthRole::name(self))
                }
            }
            #[automatically_derived]
            impl ::core::str::FromStr for #ident {
                type Err = #p::UnknownRole;
                fn from_str(name: &str) -> ::core::result::Result<Self, Self::Err> {
                    #p::AuthRole::from_name(name).ok_or(#p::UnknownRole)
                }
            }
        };
    }
}

/// The trait without any role, beside the mistakes, so that nothing else fails for want of it. It
/// knows every name that was read: a `#[require]` on one of them is not the mistake.
pub(super) fn none(roles: &Roles<'_>) -> TokenStream {
    let Roles { runtime: p, ident, generics, .. } = roles;
    if !generics.params.is_empty() {
        return TokenStream::new();
    }
    let names = roles.variants.iter().flatten().map(|role| &role.name);
    quote! {
        const _: () = {
            #[automatically_derived]
            impl #p::AuthRole for #ident {
                const NAMES: &'static [&'static str] = &[#(#names),*];
                fn name(&self) -> &'static str {
                    ::core::unreachable!()
                }
                fn from_name(_: &str) -> ::core::option::Option<Self> {
                    ::core::unreachable!()
                }
            }
        };
    }
}
