//! Tokens to model.

use syn::{Data, DeriveInput, Fields, Generics, Ident, LitStr, ext::IdentExt};

use crate::{
    diag::Mistakes,
    parse,
    paths::{self, Runtime},
};

/// The struct as it was written.
#[derive(Debug)]
pub(super) struct Schema<'a> {
    pub(super) runtime: Runtime,
    pub(super) ident: &'a Ident,
    pub(super) generics: &'a Generics,
    /// Whether it serialises as an object.
    pub(super) is_object: bool,
    pub(super) name: LitStr,
    pub(super) keep_on_error: bool,
}

pub(super) fn schema<'a>(input: &'a DeriveInput, mistakes: &mut Mistakes) -> Schema<'a> {
    let mut named = None;
    let mut name = LitStr::new(&input.ident.unraw().to_string(), input.ident.span());
    let mut keep_on_error = true;
    for attr in parse::named(&input.attrs, "session") {
        parse::entries(attr, mistakes, |key, input, _| {
            match key.to_string().as_str() {
                "name" => name = parse::text(key, input)?,
                "discard_on_error" => keep_on_error = false,
                "crate" => named = Some(paths::crate_path(&parse::text(key, input)?)?),
                _ => {
                    let known = &["name", "discard_on_error", "crate"];
                    return Err(parse::unknown("key", key, known));
                }
            }
            Ok(())
        });
    }
    let is_object =
        matches!(&input.data, Data::Struct(data) if matches!(data.fields, Fields::Named(_)));
    Schema {
        runtime: Runtime::find(named.as_ref()),
        ident: &input.ident,
        generics: &input.generics,
        is_object,
        name,
        keep_on_error,
    }
}
