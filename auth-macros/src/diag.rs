//! Collects what is wrong, so that one build shows every mistake.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use std::fmt::Display;

/// The mistakes found so far.
///
/// Panics when dropped without [`finish`](Self::finish): a macro that forgets to look at the
/// mistakes would accept them.
#[derive(Debug, Default)]
pub(crate) struct Mistakes {
    found: Vec<syn::Error>,
    finished: bool,
}

impl Mistakes {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a mistake at these tokens.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.found.push(syn::Error::new_spanned(tokens, message));
    }

    /// Adds a mistake at a span.
    pub(crate) fn spanned(&mut self, span: Span, message: impl Display) {
        self.found.push(syn::Error::new(span, message));
    }

    /// Adds what a parser of syn found.
    pub(crate) fn add(&mut self, error: syn::Error) {
        self.found.push(error);
    }

    /// Keeps the value, or adds the error.
    pub(crate) fn keep<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    /// The end: nothing found, or every mistake as a `compile_error!`.
    pub(crate) fn finish(mut self) -> Result<(), TokenStream> {
        self.finished = true;
        if self.found.is_empty() {
            return Ok(());
        }
        Err(self.found.iter().map(syn::Error::to_compile_error).collect())
    }
}

impl Drop for Mistakes {
    fn drop(&mut self) {
        if !self.finished && !std::thread::panicking() {
            panic!("the mistakes of a macro were not looked at");
        }
    }
}

/// One mistake on its own, for macros that can say only one thing.
pub(crate) fn refuse(span: Span, message: &str) -> TokenStream {
    quote_spanned! {span=> ::core::compile_error! { #message } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_shown() {
        let mut mistakes = Mistakes::new();
        mistakes.spanned(Span::call_site(), "first");
        mistakes.spanned(Span::call_site(), "second");
        let shown = mistakes.finish().expect_err("two mistakes").to_string();
        assert!(shown.contains("first") && shown.contains("second"), "{shown}");
    }

    #[test]
    #[should_panic(expected = "not looked at")]
    fn mistakes_cannot_be_forgotten() {
        drop(Mistakes::new());
    }
}
