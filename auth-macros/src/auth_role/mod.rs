//! `#[derive(AuthRole)]`: an enum as the roles of a type of user.

mod check;
mod expand;
mod parse;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::diag::Mistakes;

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let mut mistakes = Mistakes::new();
    let roles = parse::roles(input, &mut mistakes);
    check::roles(&roles, &mut mistakes);
    match mistakes.finish() {
        Ok(()) => expand::roles(&roles),
        Err(errors) => [errors, expand::none(&roles)].into_iter().collect(),
    }
}

#[cfg(test)]
mod tests;
