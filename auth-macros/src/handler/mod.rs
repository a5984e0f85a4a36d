//! `#[handler]`: a plain poem function as an endpoint.

mod check;
mod expand;
mod parse;

use proc_macro2::TokenStream;

use crate::diag::Mistakes;

/// Whatever is wrong, the author's function stays.
pub(crate) fn attribute(args: TokenStream, input: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::new();
    let handler = parse::handler(args, input.clone(), &mut mistakes);
    if let Some(handler) = &handler {
        check::handler(handler, &mut mistakes);
    }
    match (mistakes.finish(), handler) {
        (Ok(()), Some(handler)) => expand::endpoint(&handler),
        (Ok(()), None) => input,
        (Err(errors), Some(handler)) => [errors, expand::nothing(&handler)].into_iter().collect(),
        (Err(errors), None) => [errors, input].into_iter().collect(),
    }
}

#[cfg(test)]
mod tests;
