//! Whether a value fits a schema, as far as refusals need it.

use serde_json::Value;

use super::document::Document;

/// How deep a value may be nested before the rest passes unread.
const DEPTH: usize = 16;

/// What does not fit, as in `/errors/0/code is missing`.
///
/// # Errors
///
/// - the first thing that does not
pub(super) fn fits(document: &Document, schema: &Value, value: &Value) -> Result<(), String> {
    at(document, schema, value, "", 0)
}

fn at(
    document: &Document,
    schema: &Value,
    value: &Value,
    place: &str,
    depth: usize,
) -> Result<(), String> {
    if depth > DEPTH {
        return Ok(());
    }
    let schema = document.resolve(schema);
    let here = || if place.is_empty() { "the body" } else { place };
    let inner = |schema: &Value| at(document, schema, value, place, depth + 1);
    if value.is_null() && schema["nullable"] == true {
        return Ok(());
    }
    for part in list(&schema["allOf"]) {
        inner(part)?;
    }
    for choice in ["anyOf", "oneOf"] {
        let choices = list(&schema[choice]);
        if !choices.is_empty() && choices.iter().all(|choice| inner(choice).is_err()) {
            return Err(format!("{} is none of {choice}", here()));
        }
    }
    let choices = list(&schema["enum"]);
    if !choices.is_empty() && !choices.contains(value) {
        return Err(format!("{} is none of its values", here()));
    }
    let is_it = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    if !is_it {
        return Err(format!("{} is not of type {}", here(), schema["type"]));
    }
    for name in list(&schema["required"]).iter().filter_map(Value::as_str) {
        if value.get(name).is_none() {
            return Err(format!("{place}/{name} is missing"));
        }
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        at(document, &schema["properties"][name], value, &format!("{place}/{name}"), depth + 1)?;
    }
    for (index, value) in list(value).iter().enumerate() {
        at(document, &schema["items"], value, &format!("{place}/{index}"), depth + 1)?;
    }
    Ok(())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn says_what_does_not_fit() {
        let components = json!({"Failure": {
            "type": "object",
            "required": ["code"],
            "properties": {
                "code": {"type": "string", "enum": ["a", "b"]},
                "more": {"type": "array", "items": {"type": "integer"}},
                "cause": {"nullable": true, "allOf": [{"$ref": "#/components/schemas/Failure"}]},
                "any": {"anyOf": [{"type": "boolean"}, {"type": "number"}]},
            },
        }});
        let document = json!({"paths": {}, "components": {"schemas": components}}).to_string();
        let document = Document::parse(&document);
        let schema = json!({"$ref": "#/components/schemas/Failure"});
        let check = |value| fits(&document, &schema, &value);
        for value in [
            json!({"code": "a"}),
            json!({"code": "b", "more": [1, 2], "cause": null, "any": 1.5, "unknown": {}}),
            json!({"code": "b", "cause": {"code": "a"}, "any": true}),
        ] {
            assert_eq!(check(value.clone()), Ok(()), "{value}");
        }
        for (value, problem) in [
            (json!("a"), "the body is not of type \"object\""),
            (json!({}), "/code is missing"),
            (json!({"code": 1}), "/code is none of its values"),
            (json!({"code": "a", "more": {}}), "/more is not of type \"array\""),
            (json!({"code": "a", "more": [1, 1.5]}), "/more/1 is not of type \"integer\""),
            (json!({"code": "a", "cause": {}}), "/cause/code is missing"),
            (json!({"code": "a", "any": "x"}), "/any is none of anyOf"),
            (json!({"code": null}), "/code is none of its values"),
        ] {
            assert_eq!(check(value.clone()), Err(problem.to_owned()), "{value}");
        }
    }
}
