//! Model to tokens.

use proc_macro2::TokenStream;
use quote::quote;

use super::parse::Schema;

pub(super) fn schema(schema: &Schema<'_>) -> TokenStream {
    let Schema { runtime: p, ident, name, keep_on_error, .. } = schema;
    quote! {
        #[automatically_derived]
        impl #p::SessionSchema for #ident {
            const NAME: &'static str = #name;
            const KEEP_ON_ERROR: bool = #keep_on_error;
        }
    }
}
