//! What the unit tests of the macros share: expansions are compared as text, with the runtime's path
//! left out.

use proc_macro2::TokenStream;
use quote::ToTokens;

use crate::paths;

/// The tokens as text.
pub(crate) fn text(tokens: impl ToTokens) -> String {
    let text = tokens.to_token_stream().to_string().replace(":: auth_poem :: __private :: ", "");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text of an expansion that reads as items and names only what [`paths::NAMES`] lists.
#[track_caller]
pub(crate) fn items(tokens: &TokenStream) -> String {
    let file: syn::Result<syn::File> = syn::parse2(tokens.clone());
    assert!(file.is_ok(), "not items: {tokens}");
    for rest in tokens.to_string().split("__private ::").skip(1) {
        let name: String =
            rest.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        assert!(paths::NAMES.contains(&name.as_str()), "`{name}` is not listed");
    }
    text(tokens)
}

/// Fails unless the text has the part in it. White space does not count: where `quote!` puts it
/// depends on how the tokens came about.
#[track_caller]
pub(crate) fn has(shown: &str, part: impl ToTokens) {
    let part = text(part);
    let found = shown.replace(' ', "").contains(&part.replace(' ', ""));
    assert!(found, "{shown}\n\nlacks\n\n{part}");
}

/// Fails unless the text is a mistake that says this.
#[track_caller]
pub(crate) fn says(shown: &str, message: &str) {
    let quoted = format!("{message:?}");
    assert!(shown.contains("compile_error"), "no mistake: {shown}");
    assert!(shown.contains(quoted.trim_matches('"')), "{shown}\n\nlacks\n\n{message}");
}
