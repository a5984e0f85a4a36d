//! What a call sends besides credentials: given by the application, or made from the schemas.

use serde_json::Value;

use super::{
    document::{Document, Operation},
    schema,
};

/// Separates the parts of a multipart body.
const BOUNDARY: &str = "auth-poem-sample";

/// Parameters and body for one call of an operation.
///
/// What a sample leaves open is made from the document's schemas, so that a sample names only what
/// matters: a login its name and password, a deletion the id of something that is there.
///
/// # Examples
///
/// ```
/// use auth_poem::testing::Sample;
/// use serde_json::json;
///
/// let login = Sample::json(json!({"name": "ann", "password": "seven purple giraffes"}));
/// let search = Sample::new().parameter("page", "2");
/// let upload = Sample::new().body("text/csv", "id,name\n1,ann\n");
/// let stream = Sample::skip("never ends");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Sample {
    parameters: Vec<(String, String)>,
    body: Option<Body>,
    skip: Option<String>,
}

/// A body as it is sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Body {
    pub(super) content_type: String,
    pub(super) bytes: Vec<u8>,
}

/// A parameter as it is sent; more than one value for a list in a query.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) place: String,
    pub(super) name: String,
    pub(super) values: Vec<String>,
}

impl Sample {
    /// A sample that leaves everything to the schemas.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A sample with a JSON body.
    pub fn json(body: impl Into<Value>) -> Self {
        Self::new().body("application/json", body.into().to_string())
    }

    /// Leaves the call out. The report lists it with the reason.
    pub fn skip(reason: impl Into<String>) -> Self {
        Self { skip: Some(reason.into()), ..Self::default() }
    }

    /// Sets a parameter: in path, query, header or cookie, wherever the document has it. Optional
    /// parameters are sent only when a sample sets them.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, content_type: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = Some(Body { content_type: content_type.into(), bytes: bytes.into() });
        self
    }

    pub(super) fn skipped(&self) -> Option<&str> {
        self.skip.as_deref()
    }

    /// A parameter that the document does not have.
    pub(super) fn unknown(&self, operation: &Operation) -> Option<&str> {
        let known = |name: &str| {
            operation.parameters.iter().any(|known| known["name"].as_str() == Some(name))
        };
        self.parameters.iter().map(|(name, _)| name.as_str()).find(|name| !known(name))
    }

    /// The parameters of a call.
    ///
    /// # Errors
    ///
    /// - why they cannot be made
    pub(super) fn parameters(
        &self,
        document: &Document,
        operation: &Operation,
    ) -> Result<Vec<Parameter>, String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut parameters = Vec::new();
        for parameter in &operation.parameters {
            let (place, name) = (text(&parameter["in"]), text(&parameter["name"]));
            let given = self.parameters.iter().filter(|(given, _)| *given == name);
            let mut values: Vec<String> = given.map(|(_, value)| value.clone()).collect();
            if values.is_empty() {
                if parameter["required"] != true {
                    continue;
                }
                let example = Some(&parameter["example"]).filter(|example| !example.is_null());
                let value = match example {
                    Some(example) => example.clone(),
                    None => schema::value(document, &parameter["schema"]),
                };
                values = plain(&value)
                    .ok_or_else(|| format!("no sample can be made of the parameter `{name}`"))?;
            }
            parameters.push(Parameter { place, name, values });
        }
        Ok(parameters)
    }

    /// The body of a call: the given one, or one that the document requires.
    ///
    /// # Errors
    ///
    /// - why it cannot be made
    pub(super) fn body_of(
        &self,
        document: &Document,
        operation: &Operation,
    ) -> Result<Option<Body>, String> {
        if let Some(body) = &self.body {
            return Ok(Some(body.clone()));
        }
        let Some(body) = operation.body.as_ref().filter(|body| body["required"] == true) else {
            return Ok(None);
        };
        let content = body["content"].as_object().into_iter().flatten();
        let kinds: Vec<&str> = content.clone().map(|(kind, _)| kind.as_str()).collect();
        content
            .filter_map(|(kind, media)| {
                let example = Some(&media["example"]).filter(|example| !example.is_null());
                let value = match example {
                    Some(example) => example.clone(),
                    None => schema::value(document, &media["schema"]),
                };
                written(kind, &value)
            })
            .next()
            .map(Some)
            .ok_or_else(|| format!("no sample can be made of a body of {}", kinds.join(", ")))
    }
}

/// A value as a body of a content type, if that is one of those that can be made.
fn written(content_type: &str, value: &Value) -> Option<Body> {
    let essence = essence(content_type);
    let bytes = match essence.as_str() {
        "application/x-www-form-urlencoded" => {
            let mut pairs = Vec::new();
            for (name, value) in value.as_object()? {
                pairs.extend(
                    plain(value)?.iter().map(|value| format!("{}={}", escape(name), escape(value))),
                );
            }
            pairs.join("&").into_bytes()
        }
        "multipart/form-data" => {
            let mut body = String::new();
            for (name, value) in value.as_object()? {
                for value in plain(value)? {
                    body += &format!(
                        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n\
                         {value}\r\n"
                    );
                }
            }
            let content_type = format!("{essence}; boundary={BOUNDARY}");
            let bytes = format!("{body}--{BOUNDARY}--\r\n").into_bytes();
            return Some(Body { content_type, bytes });
        }
        "application/octet-stream" | "text/plain" => plain(value)?.concat().into_bytes(),
        _ if essence == "application/json" || essence.ends_with("+json") => {
            value.to_string().into_bytes()
        }
        _ => return None,
    };
    Some(Body { content_type: content_type.to_owned(), bytes })
}

/// A media type without its parameters, in lower case.
pub(super) fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The value as texts, several for a list; `None` for objects, which have no plain form.
fn plain(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Null => Some(vec![String::new()]),
        Value::Bool(value) => Some(vec![value.to_string()]),
        Value::Number(value) => Some(vec![value.to_string()]),
        Value::String(value) => Some(vec![value.clone()]),
        Value::Array(values) => {
            let values: Option<Vec<_>> = values.iter().map(plain).collect();
            values.map(|values| values.concat())
        }
        Value::Object(_) => None,
    }
}

/// A text as a part of a path, query or form.
pub(super) fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
