//! Model to tokens.

use proc_macro2::TokenStream;
use quote::quote;

use super::parse::Handler;
use crate::{operation, parse};

/// A unit struct in the function's place, which is an endpoint.
pub(super) fn endpoint(handler: &Handler) -> TokenStream {
    let Handler { runtime: p, docs, vis, author, operation } = handler;
    let (name, cfg) = (&operation.name, &operation.cfg);
    let marker = operation::marker(name);
    let policy = operation.policy(p);
    let extracted = operation.params.iter().map(|param| {
        let name = &param.name;
        let ty = param.extracted(p);
        quote! {
            let #name =
                <#ty as #p::poem::FromRequest<'_>>::from_request(&__auth_request, &mut __auth_body).await?;
        }
    });
    let values = operation.params.iter().map(|param| param.value());
    let call = match author.sig.asyncness {
        Some(_) => quote!(#name(#(#values),*).await),
        None => quote!(#name(#(#values),*)),
    };
    quote! {
        #(#docs)*
        #(#cfg)*
        #[allow(non_camel_case_types)]
        #vis struct #name;

        #(#cfg)*
        #[allow(non_camel_case_types)]
        const _: () = {
            use #p::OtherParameter as _;
            #policy
            #[automatically_derived]
            impl #p::poem::Endpoint for #name {
                type Output = #p::poem::Response;
                async fn call(
                    &self,
                    __auth_request: #p::poem::Request,
                ) -> #p::poem::Result<#p::poem::Response> {
                    #author
                    #[allow(unused_mut)]
                    let (__auth_request, mut __auth_body) = __auth_request.split();
                    let __auth_gate =
                        #p::Gate::<#marker>::open(&__auth_request, &mut __auth_body).await?;
                    #(#extracted)*
                    let __auth_result = #p::poem::error::IntoResult::into_result(#call);
                    __auth_gate.settle(__auth_result.map(#p::poem::IntoResponse::into_response))
                }
            }
        };
    }
}

/// The endpoint without a function, beside the mistakes, and the function, so that nothing else
/// fails for want of them.
pub(super) fn nothing(handler: &Handler) -> TokenStream {
    let Handler { runtime: p, vis, operation, .. } = handler;
    let (name, cfg) = (&operation.name, &operation.cfg);
    let mut author = handler.author.clone();
    author.attrs.retain(|attr| !parse::is_named(attr, "handler"));
    if author.sig.receiver().is_some() {
        return quote!(#(#cfg)* #vis #author);
    }
    quote! {
        #(#cfg)*
        #[allow(non_camel_case_types)]
        #vis struct #name;
        #(#cfg)*
        const _: () = {
            #[allow(dead_code)]
            #author
            impl #p::poem::Endpoint for #name {
                type Output = #p::poem::Response;
                async fn call(&self, _: #p::poem::Request) -> #p::poem::Result<#p::poem::Response> {
                    ::core::unreachable!()
                }
            }
        };
    }
}
