//! Rules of a session schema.

use super::parse::Schema;
use crate::{diag::Mistakes, parse};

pub(super) fn schema(schema: &Schema<'_>, mistakes: &mut Mistakes) {
    if !schema.generics.params.is_empty() {
        mistakes.at(
            schema.generics,
            "a session schema cannot be generic: its name would stand for several types",
        );
    }
    if !schema.is_object {
        mistakes.at(
            schema.ident,
            "a session schema is a struct with named fields: it is stored as an object",
        );
    }
    if !parse::is_identifier(&schema.name.value()) {
        mistakes
            .at(&schema.name, "not a plain name for a schema: letters, digits and `_`, at most 63");
    }
}
