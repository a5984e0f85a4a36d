//! Whether an answer is what the document says, also where it is no error.

use example_kit::testing::Answer;
use serde_json::Value;

/// The document of a started example.
#[derive(Debug)]
pub(crate) struct Document(Value);

impl Document {
    pub(crate) fn new(document: Value) -> Self {
        Self(document)
    }

    /// The schemes that it names.
    pub(crate) fn schemes(&self) -> Vec<&str> {
        let schemes = self.0["components"]["securitySchemes"].as_object();
        schemes.into_iter().flatten().map(|(name, _)| name.as_str()).collect()
    }

    /// Fails unless the operation is there, and the answer's status, media type and body are among
    /// those that it has.
    #[track_caller]
    pub(crate) fn check(&self, method: &str, path: &str, answer: &Answer) {
        let operation = &self.0["paths"][path][method.to_ascii_lowercase()];
        assert!(operation.is_object(), "{method} {path} is not documented");
        let response = &operation["responses"][answer.status.to_string()];
        assert!(response.is_object(), "{method} {path}: {} is not documented", answer.status);
        let Some(content) = response.get("content") else {
            assert!(answer.body.is_null(), "{method} {path}: a body where none is documented");
            return;
        };
        let essence = |kind: &str| kind.split(';').next().unwrap_or_default().trim().to_owned();
        let kind = essence(answer.header("content-type").unwrap_or_default());
        let media = content.as_object().unwrap().iter().find(|(known, _)| essence(known) == kind);
        let (_, media) = media.unwrap_or_else(|| panic!("{method} {path}: {kind} in {content}"));
        if let Err(problem) = self.fits(&media["schema"], &answer.body) {
            panic!("{method} {path}: {problem}\n{}", answer.body);
        }
    }

    /// Why a value does not fit a schema. Members that the schema does not name do not fit either.
    fn fits(&self, schema: &Value, value: &Value) -> Result<(), String> {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = self.0.pointer(reference.trim_start_matches('#'));
            return self.fits(target.ok_or(format!("{reference} leads nowhere"))?, value);
        }
        if value.is_null() && schema["nullable"] == true {
            return Ok(());
        }
        for (keyword, all) in [("allOf", true), ("anyOf", false), ("oneOf", false)] {
            let Some(parts) = schema[keyword].as_array() else { continue };
            let mut fitting = parts.iter().map(|part| self.fits(part, value));
            return if all { fitting.collect() } else { one_of(fitting.by_ref()) };
        }
        let expected = schema["type"].as_str().unwrap_or_default();
        let fits = match expected {
            "object" => return self.members_fit(schema, value),
            "array" => {
                let items = value.as_array().ok_or("no array")?;
                return items.iter().try_for_each(|item| self.fits(&schema["items"], item));
            }
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "" => true,
            other => return Err(format!("the type {other} is unknown")),
        };
        fits.then_some(()).ok_or(format!("{value} is no {expected}"))
    }

    fn members_fit(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let members = value.as_object().ok_or("no object")?;
        for name in schema["required"].as_array().into_iter().flatten() {
            let name = name.as_str().unwrap_or_default();
            if !members.contains_key(name) {
                return Err(format!("{name} is missing"));
            }
        }
        for (name, value) in members {
            let known = schema["properties"].get(name).or(schema.get("additionalProperties"));
            let known = known.ok_or(format!("{name} is not documented"))?;
            self.fits(known, value).map_err(|problem| format!("{name}: {problem}"))?;
        }
        Ok(())
    }
}

fn one_of(fitting: &mut dyn Iterator<Item = Result<(), String>>) -> Result<(), String> {
    let mut problems = Vec::new();
    for fit in fitting {
        match fit {
            Ok(()) => return Ok(()),
            Err(problem) => problems.push(problem),
        }
    }
    Err(problems.join("; "))
}
