//! `#[derive(AuthUser)]`: a struct as a type of user.

mod check;
mod expand;
mod parse;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::diag::Mistakes;

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let mut mistakes = Mistakes::new();
    let model = parse::user(input, &mut mistakes);
    let user = check::user(&model, &mut mistakes);
    match (mistakes.finish(), user) {
        (Ok(()), Some(user)) => expand::user(&user),
        (Ok(()), None) => TokenStream::new(),
        (Err(errors), _) => [errors, expand::nobody(&model)].into_iter().collect(),
    }
}

#[cfg(test)]
mod tests;
