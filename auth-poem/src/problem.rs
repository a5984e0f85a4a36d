//! The problem document in the generated document.

use std::{collections::HashMap, sync::Mutex};

use auth_core::responder::PROBLEM_JSON;
use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::Type,
};

use crate::form::Content;

/// The schema's name among the components.
const SCHEMA: &str = "Problem";

/// Problem documents as the bodies of errors.
pub(crate) const CONTENT: Content = Content {
    content_type: PROBLEM_JSON,
    schema: || MetaSchemaRef::Reference(SCHEMA.into()),
    register,
};

/// Adds the schema to the components.
fn register(registry: &mut Registry) {
    registry.create_schema::<Problem, _>(SCHEMA.into(), |_| {
        let text = |description| {
            MetaSchemaRef::Inline(Box::new(MetaSchema {
                description: Some(description),
                ..MetaSchema::new("string")
            }))
        };
        MetaSchema {
            description: Some("Why a request was refused (RFC 9457)."),
            required: vec!["title", "status", "code", "detail"],
            properties: vec![
                ("title", text("The status in words.")),
                ("status", u16::schema_ref()),
                ("code", text("What happened; stable, for programs.")),
                ("detail", text("What happened, for people.")),
            ],
            ..MetaSchema::new("object")
        }
    });
}

/// Names the schema's type towards the registry.
struct Problem;

/// A text that lives as long as the process, once however often it is asked for.
///
/// poem-openapi's documents hold `&'static str`, and some of our texts are known only at run time:
/// the cookie's name, the roles of an operation. They are few, and the same every time a document
/// is made.
pub(crate) fn intern(text: &str) -> &'static str {
    static TEXTS: Mutex<Option<HashMap<String, &'static str>>> = Mutex::new(None);
    let mut texts = TEXTS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let texts = texts.get_or_insert_with(HashMap::new);
    if let Some(known) = texts.get(text) {
        return known;
    }
    let leaked: &'static str = Box::leak(text.to_owned().into_boxed_str());
    texts.insert(text.to_owned(), leaked);
    leaked
}
