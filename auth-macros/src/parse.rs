//! What the macros share in reading attributes.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt};
use syn::{
    Attribute, Ident, LitStr, Signature, Token, Visibility,
    ext::IdentExt,
    parenthesized,
    parse::{Parse, ParseStream},
};

use crate::diag::Mistakes;

/// Whether the attribute is called this, by whatever path.
pub(crate) fn is_named(attr: &Attribute, name: &str) -> bool {
    attr.path().segments.last().is_some_and(|segment| segment.ident == name)
}

/// The attributes of that name.
pub(crate) fn named<'a>(
    attrs: &'a [Attribute],
    name: &'a str,
) -> impl Iterator<Item = &'a Attribute> {
    attrs.iter().filter(move |attr| is_named(attr, name))
}

/// Reads `#[name(key …, key …)]`. `read` takes what follows a key; after a mistake the reading goes
/// on behind the next comma.
pub(crate) fn entries(
    attr: &Attribute,
    mistakes: &mut Mistakes,
    mut read: impl FnMut(&Ident, ParseStream<'_>, &mut Mistakes) -> syn::Result<()>,
) {
    let result = attr.parse_args_with(|input: ParseStream<'_>| {
        list(input, mistakes, |input, mistakes| {
            let key = input.call(Ident::parse_any)?;
            read(&key, input, mistakes)
        });
        Ok(())
    });
    mistakes.keep(result);
}

/// Reads items separated by commas; after a mistake the reading goes on behind the next comma.
pub(crate) fn list(
    input: ParseStream<'_>,
    mistakes: &mut Mistakes,
    mut item: impl FnMut(ParseStream<'_>, &mut Mistakes) -> syn::Result<()>,
) {
    while !input.is_empty() {
        let read = item(input, mistakes).and_then(|()| {
            if input.is_empty() || input.peek(Token![,]) {
                Ok(())
            } else {
                Err(input.error("expected `,`"))
            }
        });
        if mistakes.keep(read).is_none() {
            until_comma(input);
        }
        // At the end of the input there is none.
        let _ = input.parse::<Token![,]>();
    }
}

/// Reads what is in the parentheses that stand here. After a mistake the rest in them is left alone,
/// so that syn does not add that it was left.
pub(crate) fn inside<T>(
    input: ParseStream<'_>,
    read: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    let content;
    parenthesized!(content in input);
    let result = read(&content).and_then(|value| {
        if content.is_empty() { Ok(value) } else { Err(content.error("one thing too many")) }
    });
    if result.is_err() {
        content.parse::<TokenStream>()?;
    }
    result
}

/// Takes the tokens before the next comma.
pub(crate) fn until_comma(input: ParseStream<'_>) -> TokenStream {
    let mut taken = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        match input.parse::<TokenTree>() {
            Ok(token) => taken.append(token),
            Err(_) => break,
        }
    }
    taken
}

/// Reads `= "text"`.
pub(crate) fn text(key: &Ident, input: ParseStream<'_>) -> syn::Result<LitStr> {
    let expected =
        |span| syn::Error::new(span, format!("expected a string, as in `{key} = \"…\"`"));
    if !input.peek(Token![=]) {
        return Err(expected(key.span()));
    }
    input.parse::<Token![=]>()?;
    input.parse::<LitStr>().map_err(|error| expected(error.span()))
}

/// The mistake of a key that does not exist.
pub(crate) fn unknown(what: &str, key: &Ident, known: &[&str]) -> syn::Error {
    let written = key.to_string();
    let message = match nearest(&written, known) {
        Some(near) => format!("unknown {what} `{written}`; did you mean `{near}`?"),
        None => {
            let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
            format!("unknown {what} `{written}`; there is {}", known.join(", "))
        }
    };
    syn::Error::new(key.span(), message)
}

/// The known name that was probably meant: at most one edit in three characters away.
pub(crate) fn nearest<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    let reach = (written.chars().count() / 3).max(1);
    known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(written, name), *name))
        .filter(|(distance, _)| *distance <= reach)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Whether the text can stand as the name of a table or column: `[A-Za-z_][A-Za-z0-9_]*`, at most
/// 63 characters, which is what PostgreSQL keeps of a name.
pub(crate) fn is_identifier(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A function whose body is not looked at, so that half-typed code in it is rustc's business.
#[derive(Debug, Clone)]
pub(crate) struct RawFn {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Group,
}

impl RawFn {
    /// Reads what follows the attributes.
    pub(crate) fn after(attrs: Vec<Attribute>, input: ParseStream<'_>) -> syn::Result<Self> {
        let vis = input.parse()?;
        let sig = input.parse()?;
        match input.parse::<TokenTree>()? {
            TokenTree::Group(body) => Ok(Self { attrs, vis, sig, body }),
            other => Err(syn::Error::new(other.span(), "expected the body of the function")),
        }
    }
}

impl Parse for RawFn {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Self::after(input.call(Attribute::parse_outer)?, input)
    }
}

impl ToTokens for RawFn {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.append_all(&self.attrs);
        self.vis.to_tokens(tokens);
        self.sig.to_tokens(tokens);
        self.body.to_tokens(tokens);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_miss_is_recognised() {
        assert_eq!(nearest("rolle", &["role", "permission"]), Some("role"));
        assert_eq!(nearest("passwd", &["password", "roles"]), Some("password"));
        assert_eq!(nearest("logintime", &["login", "login_time"]), Some("login_time"));
        assert_eq!(nearest("colour", &["role", "permission"]), None);
    }

    #[test]
    fn identifiers_are_plain() {
        for good in ["users", "_x", "a1", &"a".repeat(63)] {
            assert!(is_identifier(good), "{good}");
        }
        for bad in ["", "1a", "a-b", "a b", "a\"", "übung", &"a".repeat(64)] {
            assert!(!is_identifier(bad), "{bad}");
        }
    }
}
