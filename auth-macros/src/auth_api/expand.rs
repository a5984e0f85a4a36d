//! Model to tokens.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, Ident, ReturnType, Type, parse_quote};

use super::parse::{Api, Item, Method};
use crate::{operation, paths::Runtime, types};

/// The author's impl, without the attributes that are used up.
pub(super) fn author(api: &Api) -> TokenStream {
    let Api { attrs, header, items, head, .. } = api;
    if head.is_none() && items.is_empty() {
        return quote!(#(#attrs)* #header);
    }
    let items = items.iter().map(|item| match item {
        Item::Other(tokens) => tokens.clone(),
        Item::Operation(method) => method.author.to_token_stream(),
    });
    quote!(#(#attrs)* #header { #(#items)* })
}

/// An empty `OpenApi`, beside the mistakes, so that nothing else fails for want of it. Without
/// operations poem-openapi has probably written one already.
pub(super) fn nothing(api: &Api) -> TokenStream {
    if api.methods().next().is_none() {
        return TokenStream::new();
    }
    let Some(head) = api.head.as_ref().filter(|head| head.implemented.is_none()) else {
        return TokenStream::new();
    };
    let p = &api.runtime;
    let itself = &head.itself;
    let (generics, _, bounds) = head.generics.split_for_impl();
    quote! {
        impl #generics #p::poem_openapi::OpenApi for #itself #bounds {
            fn meta() -> ::std::vec::Vec<#p::poem_openapi::registry::MetaApi> {
                ::std::vec::Vec::new()
            }
            fn register(_: &mut #p::poem_openapi::registry::Registry) {}
            fn add_routes(self, _: &mut #p::RouteTable) {}
        }
    }
}

/// Policies, shims and the author's `OpenApi`.
pub(super) fn operations(api: &Api) -> TokenStream {
    let Some(head) = &api.head else { return TokenStream::new() };
    let p = &api.runtime;
    let itself = &head.itself;
    let policies = api.methods().map(|method| method.operation.policy(p));
    let returns = api.methods().map(|method| returns(api, method, itself));
    let shims = shims(api);
    let shim_impls = shims.iter().map(|shim| shim.expand(api, itself));
    let (cfgs, names): (Vec<_>, Vec<_>) = shims.iter().map(|shim| (shim.cfg, &shim.name)).unzip();
    let cfgs: Vec<_> = cfgs.into_iter().map(|cfg| quote!(#(#cfg)*)).collect();
    let routes = shims.iter().map(|shim| shim.routes(p));
    let all = api.methods().map(|method| {
        let cfg = &method.operation.cfg;
        let marker = operation::marker(&method.operation.name);
        quote!(#(#cfg)* <#marker as #p::Operation>::POLICY)
    });
    quote! {
        #[allow(non_camel_case_types, deprecated, clippy::all, clippy::pedantic)]
        const _: () = {
            use #p::OtherParameter as _;
            #(#policies)*
            #(#returns)*
            const __POLICIES: &[&#p::Policy] = &[#(#all),*];
            #(#shim_impls)*
            #[automatically_derived]
            impl #p::poem_openapi::OpenApi for #itself {
                fn meta() -> ::std::vec::Vec<#p::poem_openapi::registry::MetaApi> {
                    let mut apis = ::std::vec::Vec::new();
                    #(#cfgs apis.extend(<#names as #p::poem_openapi::OpenApi>::meta());)*
                    #p::document(apis, __POLICIES)
                }
                fn register(registry: &mut #p::poem_openapi::registry::Registry) {
                    #(#cfgs <#names as #p::poem_openapi::OpenApi>::register(registry);)*
                    #p::register(registry, __POLICIES)
                }
                fn add_routes(self, routes: &mut #p::RouteTable) {
                    let api = ::std::sync::Arc::new(self);
                    #(#cfgs #routes)*
                }
            }
        };
    }
}

/// How many operations one shim carries. poem-openapi writes all routes of an impl into one function,
/// and rustc's time for a function grows faster than its length: 80 operations in one shim took
/// 13 s to check, in shims of 8 they took 4 s; fewer per shim gained no more.
const PER_SHIM: usize = 8;

/// A hidden type that carries the real `#[OpenApi]` impl for some operations with one and the same
/// `#[cfg]`. poem-openapi does not look at `#[cfg]` on methods, so each needs a type of its own.
struct Shim<'a> {
    name: Ident,
    cfg: &'a [Attribute],
    /// Whether a guard asks a method of the impl, so that the value must reach the gate.
    asked: bool,
    methods: Vec<&'a Method>,
}

fn shims(api: &Api) -> Vec<Shim<'_>> {
    let mut shims: Vec<Shim<'_>> = Vec::new();
    for method in api.methods() {
        let cfg = &method.operation.cfg[..];
        let require = method.operation.guards.require.as_ref();
        let asked =
            require.is_some_and(|require| require.checks().iter().any(|check| check.is_method()));
        let fits = |shim: &&mut Shim<'_>| {
            shim.cfg == cfg && shim.asked == asked && shim.methods.len() < PER_SHIM
        };
        match shims.iter_mut().find(fits) {
            Some(shim) => shim.methods.push(method),
            None => {
                let name = format_ident!("__AuthShim{}", shims.len());
                shims.push(Shim { name, cfg, asked, methods: vec![method] });
            }
        }
    }
    shims
}

impl Shim<'_> {
    /// Adds the routes, with the author's value where the gate needs it.
    fn routes(&self, p: &Runtime) -> TokenStream {
        let name = &self.name;
        if self.asked {
            return quote!(#p::add_routes_with(&api, #name, routes););
        }
        quote! {
            #p::poem_openapi::OpenApi::add_routes(#name(::std::sync::Arc::clone(&api)), routes);
        }
    }

    fn expand(&self, api: &Api, itself: &Type) -> TokenStream {
        let p = &api.runtime;
        let Self { name, cfg, methods, .. } = self;
        let args = &api.args;
        let methods = methods.iter().map(|method| forward(api, method, itself));
        quote! {
            #(#cfg)*
            struct #name(::std::sync::Arc<#itself>);
            #(#cfg)*
            #[#p::poem_openapi::OpenApi(#args)]
            impl #name { #(#methods)* }
        }
    }
}

/// The operation as poem-openapi sees it: the gate first, so that a stranger's body is never read.
fn forward(api: &Api, method: &Method, itself: &Type) -> TokenStream {
    let p = &api.runtime;
    let Method { attrs, operation, .. } = method;
    let name = &operation.name;
    let marker = operation::marker(name);
    let params = operation.params.iter().map(|param| {
        let (attrs, name) = (&param.attrs, &param.name);
        let ty = param.extracted(p);
        quote!(#(#attrs)* #name: #ty)
    });
    let values = operation.params.iter().map(|param| param.value());
    quote! {
        #(#attrs)*
        async fn #name(&self, __auth_gate: #p::Gate<#marker>, #(#params),*) -> #p::Guarded<#marker> {
            __auth_gate.finish(<#itself>::#name(&self.0, #(#values),*)).await
        }
    }
}

/// What the operation returns, and how poem turns that into a response: known only here, where the
/// type is spelt out.
fn returns(api: &Api, method: &Method, itself: &Type) -> TokenStream {
    let p = &api.runtime;
    let Method { operation, author, .. } = method;
    let (cfg, marker) = (&operation.cfg, operation::marker(&operation.name));
    let output: Type = match &author.sig.output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, ty) => types::outside(ty, Some(itself)),
    };
    quote! {
        #(#cfg)*
        impl #p::Returns for #marker {
            type Output = #output;
            fn into_response(output: Self::Output) -> #p::poem::Result<#p::poem::Response> {
                #p::poem::error::IntoResult::into_result(output)
                    .map(#p::poem::IntoResponse::into_response)
            }
        }
    }
}
