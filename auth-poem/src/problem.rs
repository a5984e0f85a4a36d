//! The problem document in the generated document: its schema, and responses that carry it.

use std::{collections::HashMap, sync::Mutex};

use auth_core::responder::PROBLEM_JSON;
use poem::http::StatusCode;
use poem_openapi::{
    registry::{MetaHeader, MetaMediaType, MetaResponse, MetaSchema, MetaSchemaRef, Registry},
    types::Type,
};

/// The schema's name among the components.
const SCHEMA: &str = "Problem";

/// What documents say of every 503.
pub(crate) const UNAVAILABLE: &str = "The service cannot answer at the moment.";

/// Adds the schema to the components.
pub(crate) fn register(registry: &mut Registry) {
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

/// A documented answer with a problem document.
pub(crate) fn response(status: StatusCode, description: &str) -> MetaResponse {
    let headers = match status {
        StatusCode::TOO_MANY_REQUESTS => {
            vec![header("Retry-After", "When to try again, in seconds.", u64::schema_ref())]
        }
        _ => Vec::new(),
    };
    MetaResponse {
        description: intern(description),
        status: Some(status.as_u16()),
        status_range: None,
        content: vec![MetaMediaType {
            content_type: PROBLEM_JSON,
            schema: MetaSchemaRef::Reference(SCHEMA.into()),
        }],
        headers,
    }
}

fn header(name: &str, description: &str, schema: MetaSchemaRef) -> MetaHeader {
    MetaHeader {
        name: name.into(),
        description: Some(description.into()),
        required: false,
        deprecated: false,
        schema,
    }
}

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
