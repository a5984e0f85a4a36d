//! Model to tokens.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{
    check::User,
    parse::{Field, Mark, Model, Roles},
};
use crate::types;

/// The trait, and what the core and the adapter add to it.
pub(super) fn user(user: &User<'_>) -> TokenStream {
    let User { runtime: p, ident, id, fields, .. } = user;
    let id_type = id.ty;
    let id_field = id.ident;
    let role = role(user);
    let meta = meta(user);
    let methods = [password(user), login_name(user), roles(user), state(user), setters(user)];
    let columns = fields.iter().map(|field| {
        let (name, ty, column, kind) = (field.ident, field.ty, &field.column, kind(field));
        quote!(#name: #ty = #column as #kind)
    });
    // Roles that are not in the user's row come with their scopes.
    let elsewhere = user.roles.filter(|field| !matches!(field.roles, Roles::Column));
    let scoped = elsewhere.map(|Field { ty, .. }| {
        let p = p.at(ty.span());
        quote_spanned!(ty.span()=> const _: () = #p::check::elsewhere::<#ident>();)
    });
    // Where the users are: in rows, or in claims, whose serde type the author derives.
    let (from_claims, source) = if user.claims {
        let p = p.at(id.ty.span());
        let from = quote_spanned!(id.ty.span()=> impl #p::ClaimsUser for #ident {});
        (
            quote!(
                const FROM_CLAIMS: bool = true;
            ),
            from,
        )
    } else {
        let rows = quote! {
            #p::impl_sql_user! { #ident; id = #id_type; fields { #(#columns),* } }
        };
        (TokenStream::new(), rows)
    };
    quote! {
        #scoped
        const _: () = {
            #[automatically_derived]
            impl #p::AuthUser for #ident {
                type Id = #id_type;
                type Role = #role;
                const META: &'static #p::UserMeta = &#meta;
                #from_claims
                fn id(&self) -> &#id_type {
                    &self.#id_field
                }
                #(#methods)*
            }
            #p::impl_user! { #ident }
            #source
        };
    }
}

/// A user that nobody is, beside the mistakes, so that nothing else fails for want of the trait.
pub(super) fn nobody(model: &Model<'_>) -> TokenStream {
    let Model { runtime: p, ident, generics, role, fields, .. } = model;
    if !generics.params.is_empty() {
        return TokenStream::new();
    }
    let id = fields
        .iter()
        .flatten()
        .find(|field| field.marks.iter().any(|(mark, _)| *mark == Mark::Id))
        .map_or_else(
            || quote!(::std::string::String),
            |field| {
                let ty = field.ty;
                quote!(#ty)
            },
        );
    let role = match role {
        Some(role) => quote!(#role),
        None => quote!(#p::NoRole),
    };
    quote! {
        const _: () = {
            #[automatically_derived]
            impl #p::AuthUser for #ident {
                type Id = #id;
                type Role = #role;
                const META: &'static #p::UserMeta = &#p::UserMeta {
                    name: "",
                    path: "",
                    table: "",
                    columns: &[],
                    id: "",
                    login: &[],
                    password: ::core::option::Option::None,
                    login_time: ::core::option::Option::None,
                    login_ip: ::core::option::Option::None,
                    epoch: ::core::option::Option::None,
                    active: ::core::option::Option::None,
                    token: ::core::option::Option::None,
                    roles: #p::RoleSource::Column,
                    schemes: &[],
                };
                fn id(&self) -> &#id {
                    ::core::unreachable!()
                }
                fn login_name(&self, _: usize) -> ::core::option::Option<&str> {
                    ::core::unreachable!()
                }
            }
            #p::impl_user! { #ident }
        };
    }
}

fn role(user: &User<'_>) -> TokenStream {
    let p = user.runtime;
    match user.role {
        Some(role) => quote!(#role),
        None => quote!(#p::NoRole),
    }
}

fn meta(user: &User<'_>) -> TokenStream {
    let User { runtime: p, table, schemes, fields, .. } = user;
    let name = user.ident.to_string();
    let columns = fields
        .iter()
        .filter(|field| !user.claims && matches!(field.roles, Roles::Column))
        .map(|field| &field.column);
    let roles = match user.roles {
        Some(Field { roles: Roles::Table(table), column, .. }) => {
            quote!(#p::RoleSource::Table { table: #table, field: #column })
        }
        Some(Field { roles: Roles::External, .. }) => quote!(#p::RoleSource::External),
        Some(Field { roles: Roles::Column, .. }) | None => quote!(#p::RoleSource::Column),
    };
    let id = &user.id.column;
    let login = user.login.iter().map(|(field, ignore_case)| {
        let column = &field.column;
        quote!(#p::LoginColumn { column: #column, ignore_case: #ignore_case })
    });
    let optional = |field: Option<&Field<'_>>| match field {
        Some(Field { column, .. }) => quote!(::core::option::Option::Some(#column)),
        None => quote!(::core::option::Option::None),
    };
    let password = optional(user.password);
    let login_time = optional(user.login_time);
    let login_ip = optional(user.login_ip);
    let epoch = optional(user.epoch);
    let active = optional(user.active);
    let token = optional(user.token);
    quote! {
        #p::UserMeta {
            name: #name,
            path: ::core::concat!(::core::module_path!(), "::", #name),
            table: #table,
            columns: &[#(#columns),*],
            id: #id,
            login: &[#(#login),*],
            password: #password,
            login_time: #login_time,
            login_ip: #login_ip,
            epoch: #epoch,
            active: #active,
            token: #token,
            roles: #roles,
            schemes: &[#(#schemes),*],
        }
    }
}

fn password(user: &User<'_>) -> TokenStream {
    let p = user.runtime;
    let Some(Field { ident, ty, .. }) = user.password else { return TokenStream::new() };
    let hash = match types::option(ty) {
        Some(_) => quote_spanned!(ty.span()=> self.#ident.as_ref()),
        None => quote_spanned!(ty.span()=> ::core::option::Option::Some(&self.#ident)),
    };
    quote! {
        fn password(&self) -> ::core::option::Option<&#p::PasswordHash> {
            #hash
        }
        fn set_password(&mut self, hash: #p::PasswordHash) {
            self.#ident = ::core::convert::From::from(hash);
        }
    }
}

fn login_name(user: &User<'_>) -> TokenStream {
    let arms = user.login.iter().enumerate().map(|(index, (field, _))| {
        let Field { ident, ty, .. } = field;
        match types::option(ty) {
            Some(_) => quote_spanned! {ty.span()=>
                #index => self.#ident.as_ref().map(::core::convert::AsRef::<str>::as_ref),
            },
            None => quote_spanned! {ty.span()=>
                #index => ::core::option::Option::Some(
                    ::core::convert::AsRef::<str>::as_ref(&self.#ident)
                ),
            },
        }
    });
    quote! {
        fn login_name(&self, index: usize) -> ::core::option::Option<&str> {
            match index {
                #(#arms)*
                _ => ::core::option::Option::None,
            }
        }
    }
}

fn roles(user: &User<'_>) -> TokenStream {
    let p = user.runtime;
    let has_role = user.roles.map(|Field { ident, ty, .. }| {
        let call = quote_spanned!(ty.span()=> <#ty as #p::RoleSet<Self::Role>>::has_role(&self.#ident, role));
        let call_in = quote_spanned! {ty.span()=>
            <#ty as #p::RoleSet<Self::Role>>::has_role_in(&self.#ident, scope, role)
        };
        let scoped = quote_spanned!(ty.span()=> <#ty as #p::RoleSet<Self::Role>>::SCOPED);
        quote! {
            const SCOPED_ROLES: bool = #scoped;
            fn has_role(&self, role: &str) -> bool {
                #call
            }
            fn has_role_in(&self, scope: &str, role: &str) -> bool {
                #call_in
            }
        }
    });
    let set_roles = user.roles.and_then(external).map(|Field { ident, ty, .. }| {
        let set = quote_spanned!(ty.span()=> self.#ident = roles;);
        quote! {
            fn set_roles(&mut self, roles: ::std::vec::Vec<#p::Scoped<Self::Role>>) {
                #set
            }
        }
    });
    let has_role = quote!(#has_role #set_roles);
    let granted = user.roles.map(|Field { ident, ty, .. }| {
        quote_spanned!(ty.span()=> <#ty as #p::RoleSet<Self::Role>>::grants(&self.#ident, permission))
    });
    let held = user.permissions.map(|Field { ident, ty, .. }| {
        quote_spanned!(ty.span()=> self.#ident.iter().any(|held| held == permission))
    });
    let either = match (held, granted) {
        (Some(held), Some(granted)) => quote!(#held || #granted),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => return quote!(#has_role),
    };
    quote! {
        #has_role
        fn has_permission(&self, permission: &str) -> bool {
            #either
        }
    }
}

fn external<'a>(field: &'a Field<'a>) -> Option<&'a Field<'a>> {
    matches!(field.roles, Roles::External).then_some(field)
}

fn state(user: &User<'_>) -> TokenStream {
    let p = user.runtime;
    let active = user.active.map(|Field { ident, ty, .. }| {
        let value = quote_spanned!(ty.span()=> self.#ident);
        quote! {
            fn is_active(&self) -> bool {
                #value
            }
        }
    });
    let epoch = user.epoch.map(|Field { ident, ty, .. }| {
        let value = quote_spanned!(ty.span()=> self.#ident);
        quote! {
            fn epoch(&self) -> ::core::option::Option<i64> {
                ::core::option::Option::Some(#value)
            }
            fn set_epoch(&mut self, epoch: i64) {
                self.#ident = epoch;
            }
        }
    });
    let token = user.token.map(|Field { ident, ty, .. }| {
        let value = quote_spanned!(ty.span()=> self.#ident.as_ref());
        quote! {
            fn token(&self) -> ::core::option::Option<&#p::TokenId> {
                #value
            }
            fn set_token(&mut self, token: ::core::option::Option<#p::TokenId>) {
                self.#ident = token;
            }
        }
    });
    quote!(#active #epoch #token)
}

fn setters(user: &User<'_>) -> TokenStream {
    let p = user.runtime;
    if user.login_time.is_none() && user.login_ip.is_none() {
        return TokenStream::new();
    }
    let time = user.login_time.map(|Field { ident, ty, .. }| {
        quote_spanned!(ty.span()=> self.#ident = ::core::convert::From::from(at);)
    });
    let ip = user.login_ip.map(|Field { ident, ty, .. }| match types::option(ty) {
        Some(_) => quote_spanned!(ty.span()=> self.#ident = ip;),
        // Without an address the last known one stays.
        None => quote_spanned! {ty.span()=>
            if let ::core::option::Option::Some(ip) = ip {
                self.#ident = ip;
            }
        },
    });
    quote! {
        #[allow(unused_variables)]
        fn set_login(
            &mut self,
            at: #p::chrono::DateTime<#p::chrono::Utc>,
            ip: ::core::option::Option<::std::net::IpAddr>,
        ) {
            #time
            #ip
        }
    }
}

/// How the column is read and written: sqlx knows the `plain` ones itself.
fn kind(field: &Field<'_>) -> TokenStream {
    let is = |mark| field.marks.iter().any(|(found, _)| *found == mark);
    let inner = types::option(field.ty).unwrap_or(field.ty);
    if is(Mark::Roles) {
        match field.roles {
            Roles::Column => quote!(roles),
            Roles::Table(_) => quote!(role_table),
            Roles::External => quote!(absent),
        }
    } else if is(Mark::Permissions) {
        quote!(list)
    } else if is(Mark::LoginIp) || types::ends_in(inner, "IpAddr") {
        quote!(ip)
    } else {
        quote!(plain)
    }
}
