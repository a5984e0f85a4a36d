//! Values that fit a schema: the plainest ones.

use serde_json::{Map, Number, Value, json};

use super::document::Document;

/// How deep a schema may be nested before lists in it stay empty and the rest stays null.
const DEPTH: usize = 16;

/// A value that fits the schema, as far as a schema can say what fits.
///
/// What the document names as example, default or first choice is taken. Optional members are left
/// out, lists have one item, texts and numbers keep their bounds. A `pattern` is not read.
pub(super) fn value(document: &Document, schema: &Value) -> Value {
    at_depth(document, schema, 0)
}

fn at_depth(document: &Document, schema: &Value, depth: usize) -> Value {
    if depth > DEPTH {
        return Value::Null;
    }
    let schema = document.resolve(schema);
    let named = [&schema["example"], &schema["examples"][0], &schema["default"], &schema["const"]]
        .into_iter()
        .find(|value| !value.is_null());
    if let Some(named) = named {
        return named.clone();
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return together(parts.iter().map(|part| at_depth(document, part, depth + 1)));
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(first) = schema[choice].get(0) {
            return at_depth(document, first, depth + 1);
        }
    }
    match kind(schema) {
        "object" => object(document, schema, depth),
        "array" => array(document, schema, depth),
        "integer" => Value::Number(integer(schema).into()),
        "number" => number(schema),
        "boolean" => Value::Bool(true),
        "null" => Value::Null,
        _ => Value::String(text(schema)),
    }
}

/// The type; of several, the first that is not null.
fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(kind) => kind,
        Value::Array(kinds) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("null")
        }
        _ if schema["properties"].is_object() => "object",
        _ => "string",
    }
}

/// What fits all parts: their members in one object, or else the last part.
fn together(parts: impl Iterator<Item = Value>) -> Value {
    parts
        .reduce(|before, part| match (before, part) {
            (Value::Object(mut before), Value::Object(part)) => {
                before.extend(part);
                Value::Object(before)
            }
            (_, part) => part,
        })
        .unwrap_or_default()
}

fn object(document: &Document, schema: &Value, depth: usize) -> Value {
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let members: Map<String, Value> = required
        .map(|name| {
            let member = &schema["properties"][name];
            (name.to_owned(), at_depth(document, member, depth + 1))
        })
        .collect();
    Value::Object(members)
}

fn array(document: &Document, schema: &Value, depth: usize) -> Value {
    let fewest = schema["minItems"].as_u64().unwrap_or_default();
    // A list of itself would never end; where it may be empty, it is.
    let items = if fewest == 0 && depth >= DEPTH / 2 { 0 } else { fewest.max(1) };
    let item = || at_depth(document, &schema["items"], depth + 1);
    let mut list: Vec<Value> = (0..items).map(|_| item()).collect();
    if schema["uniqueItems"] == true {
        list.dedup();
    }
    Value::Array(list)
}

fn integer(schema: &Value) -> i64 {
    let bound = |key: &str| schema[key].as_f64().map(|bound| bound as i64);
    let step = bound("multipleOf").unwrap_or(1).max(1);
    // Exclusive bounds are flags in OpenAPI 3.0 and numbers in 3.1.
    let lowest = bound("minimum")
        .map(|bound| bound + i64::from(schema["exclusiveMinimum"] == true))
        .or_else(|| bound("exclusiveMinimum").map(|bound| bound + 1));
    let highest = bound("maximum")
        .map(|bound| bound - i64::from(schema["exclusiveMaximum"] == true))
        .or_else(|| bound("exclusiveMaximum").map(|bound| bound - 1));
    let wanted = lowest.unwrap_or(i64::MIN).max(1).min(highest.unwrap_or(i64::MAX));
    let rounded = wanted.div_euclid(step) * step;
    if rounded < lowest.unwrap_or(rounded) { rounded + step } else { rounded }
}

fn number(schema: &Value) -> Value {
    let bound = |key: &str| schema[key].as_f64();
    match (bound("minimum"), bound("maximum")) {
        (Some(lowest), Some(highest)) => {
            Number::from_f64(f64::midpoint(lowest, highest)).map_or(json!(1), Value::Number)
        }
        (Some(lowest), None) => json!(lowest + 1.0),
        (None, Some(highest)) => json!(highest - 1.0),
        (None, None) => json!(1.5),
    }
}

fn text(schema: &Value) -> String {
    let text = match schema["format"].as_str().unwrap_or_default() {
        "uuid" => "6b3f0c52-9a51-4f0e-8f63-0d3d3c1f7a11",
        "date" => "2024-02-29",
        "date-time" => "2024-02-29T12:00:00Z",
        "time" => "12:00:00Z",
        "duration" => "PT1H",
        "email" => "sample@example.org",
        "hostname" => "example.org",
        "ip" | "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "uri" | "url" | "uri-reference" => "https://example.org/",
        "byte" | "base64" => "c2FtcGxl",
        _ => "sample",
    };
    let length = |key: &str| schema[key].as_u64().and_then(|length| usize::try_from(length).ok());
    let mut text = text.to_owned();
    while text.len() < length("minLength").unwrap_or_default() {
        text.push('x');
    }
    text.truncate(length("maxLength").unwrap_or(usize::MAX));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(schema: Value) -> Value {
        let components = json!({
            "Pet": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string"}, "age": {"type": "integer"}}},
            "Tree": {"type": "object", "required": ["children"], "properties": {
                "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}},
        });
        let document = json!({"paths": {}, "components": {"schemas": components}});
        value(&Document::parse(&document.to_string()), &schema)
    }

    #[test]
    fn makes_plain_values() {
        let cases = [
            (json!({"type": "string"}), json!("sample")),
            (json!({"type": "string", "minLength": 8, "maxLength": 8}), json!("samplexx")),
            (json!({"type": "string", "maxLength": 2}), json!("sa")),
            (json!({"type": "string", "enum": ["a", "b"]}), json!("a")),
            (json!({"type": "string", "default": "z"}), json!("z")),
            (json!({"type": "string", "example": "e", "default": "z"}), json!("e")),
            (json!({"type": ["null", "boolean"]}), json!(true)),
            (json!({"type": "integer"}), json!(1)),
            (json!({"type": "integer", "minimum": 3, "exclusiveMinimum": true}), json!(4)),
            (json!({"type": "integer", "exclusiveMinimum": 3}), json!(4)),
            (json!({"type": "integer", "maximum": -2}), json!(-2)),
            (json!({"type": "integer", "minimum": 7, "multipleOf": 5}), json!(10)),
            (json!({"type": "number", "minimum": 1, "maximum": 2}), json!(1.5)),
            (json!({"type": "array", "items": {"type": "integer"}}), json!([1])),
            (json!({"type": "array", "minItems": 2, "items": {"type": "integer"}}), json!([1, 1])),
            (json!({"$ref": "#/components/schemas/Pet"}), json!({"name": "sample"})),
            (json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}), json!(1)),
            (
                json!({"allOf": [
                    {"type": "object", "required": ["kind"], "properties": {
                        "kind": {"type": "string", "enum": ["Pet"]}}},
                    {"$ref": "#/components/schemas/Pet"},
                ]}),
                json!({"kind": "Pet", "name": "sample"}),
            ),
            (json!({"$ref": "#/components/schemas/Gone"}), json!("sample")),
        ];
        for (schema, expected) in cases {
            assert_eq!(of(schema.clone()), expected, "{schema}");
        }
    }

    #[test]
    fn ends_a_schema_that_holds_itself() {
        let mut tree = of(json!({"$ref": "#/components/schemas/Tree"}));
        while let Some(child) = tree["children"].get(0) {
            tree = child.clone();
        }
        assert_eq!(tree, json!({"children": []}));
    }
}
