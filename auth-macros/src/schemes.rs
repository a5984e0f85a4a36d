//! Lists of schemes: `session, bearer, custom = "badge"`.

use proc_macro2::Span;
use syn::{Ident, LitStr, Token, ext::IdentExt, parse::ParseStream};

use crate::{diag::Mistakes, parse};

/// The schemes that the core knows.
const KNOWN: &[&str] = &["session", "bearer", "basic", "api_key", "signature"];

/// The key of one that the application brings along.
const CUSTOM: &str = "custom";

/// Names that mean something else in documents.
const TAKEN: &[&str] = &["session", "session_header", "bearer", "basic", "api_key", "signature"];

/// Reads the list; each name once, with its place.
pub(crate) fn read(
    input: ParseStream<'_>,
    mistakes: &mut Mistakes,
    mut found: impl FnMut(String, Span),
) {
    let mut names: Vec<String> = Vec::new();
    parse::list(input, mistakes, |input, _| {
        let key = input.call(Ident::parse_any)?;
        let (name, span) = if key == CUSTOM {
            let name = custom(&key, input)?;
            (name.value(), name.span())
        } else {
            (known(&key)?, key.span())
        };
        if names.contains(&name) {
            return Err(syn::Error::new(span, format!("`{name}` stands twice")));
        }
        names.push(name.clone());
        found(name, span);
        Ok(())
    });
}

fn known(key: &Ident) -> syn::Result<String> {
    let name = key.to_string();
    if KNOWN.contains(&name.as_str()) {
        return Ok(name);
    }
    let all: Vec<&str> = KNOWN.iter().copied().chain([CUSTOM]).collect();
    if parse::nearest(&name, &all).is_some() {
        return Err(parse::unknown("scheme", key, &all));
    }
    let known: Vec<_> = KNOWN.iter().map(|name| format!("`{name}`")).collect();
    Err(syn::Error::new(
        key.span(),
        format!(
            "unknown scheme `{name}`; there is {}, and one of your own is `custom = \"{name}\"`",
            known.join(", ")
        ),
    ))
}

fn custom(key: &Ident, input: ParseStream<'_>) -> syn::Result<LitStr> {
    if !input.peek(Token![=]) {
        return Err(syn::Error::new(
            key.span(),
            "name the scheme, as in `custom = \"badge\"`; `AuthConfig::scheme` says what it is",
        ));
    }
    let name = parse::text(key, input)?;
    let text = name.value();
    if TAKEN.contains(&text.as_str()) {
        return Err(syn::Error::new(
            name.span(),
            format!("`{text}` is a name of the framework's; give your scheme another one"),
        ));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == '.';
    if text.is_empty() || !text.chars().all(fits) {
        return Err(syn::Error::new(
            name.span(),
            "not a name for a scheme: letters, digits, `_`, `-` and `.`",
        ));
    }
    Ok(name)
}
