//! Documents without repetition: one entry for each path, one response for each status.

use poem_openapi::registry::{
    MetaApi, MetaMediaType, MetaPath, MetaResponse, MetaSchema, MetaSchemaRef,
};

use crate::problem::intern;

/// One entry for each path. Operations under `#[cfg]` come in a part of their own, as the APIs of a
/// tuple do, and a document that names a path twice loses what the first entry says.
pub(super) fn joined(apis: Vec<MetaApi>) -> Vec<MetaApi> {
    let mut paths: Vec<MetaPath> = Vec::new();
    for path in apis.into_iter().flat_map(|api| api.paths) {
        match paths.iter_mut().find(|known| known.path == path.path) {
            Some(known) => known.operations.extend(path.operations),
            None => paths.push(path),
        }
    }
    vec![MetaApi { paths }]
}

/// One response per status: descriptions joined, media types side by side, two schemas of one media
/// type as `anyOf`. Nothing that the author documented is lost.
pub(super) fn merged(responses: Vec<MetaResponse>) -> Vec<MetaResponse> {
    let mut merged: Vec<MetaResponse> = Vec::new();
    for response in responses {
        let same = merged.iter_mut().find(|earlier| {
            earlier.status == response.status && earlier.status_range == response.status_range
        });
        match same {
            Some(earlier) => join(earlier, response),
            None => merged.push(response),
        }
    }
    merged
}

fn join(earlier: &mut MetaResponse, later: MetaResponse) {
    if earlier.description.is_empty() {
        earlier.description = later.description;
    } else if !earlier.description.contains(later.description) {
        earlier.description = intern(&format!("{} {}", earlier.description, later.description));
    }
    for content in later.content {
        match earlier.content.iter_mut().find(|known| known.content_type == content.content_type) {
            Some(known) => add_schema(known, content.schema),
            None => earlier.content.push(content),
        }
    }
    for header in later.headers {
        if !earlier.headers.iter().any(|known| known.name.eq_ignore_ascii_case(&header.name)) {
            earlier.headers.push(header);
        }
    }
}

fn add_schema(known: &mut MetaMediaType, schema: MetaSchemaRef) {
    if known.schema == schema {
        return;
    }
    if let MetaSchemaRef::Inline(inline) = &mut known.schema
        && !inline.any_of.is_empty()
    {
        if !inline.any_of.contains(&schema) {
            inline.any_of.push(schema);
        }
        return;
    }
    let first = std::mem::replace(&mut known.schema, MetaSchemaRef::Reference(String::new()));
    known.schema = MetaSchemaRef::Inline(Box::new(MetaSchema {
        any_of: vec![first, schema],
        ..MetaSchema::ANY
    }));
}
