//! `#[auth_api]`: an impl block whose methods are operations.

mod check;
mod expand;
mod parse;

use proc_macro2::TokenStream;

use crate::diag::Mistakes;

/// Whatever is wrong, the author's impl stays, so that an editor keeps its methods.
pub(crate) fn attribute(args: TokenStream, input: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::new();
    let api = parse::api(args, input, &mut mistakes);
    check::api(&api, &mut mistakes);
    let author = expand::author(&api);
    match mistakes.finish() {
        Ok(()) => [author, expand::operations(&api)].into_iter().collect(),
        Err(errors) => [author, errors, expand::nothing(&api)].into_iter().collect(),
    }
}

#[cfg(test)]
mod tests;
