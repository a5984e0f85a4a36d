//! An OpenAPI document, as far as a walk reads it.

use std::{collections::BTreeSet, fmt, marker::PhantomData};

use poem::http::{Method, StatusCode};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;

use crate::openapi::REQUIRES;

/// How deep references may refer to references.
const DEPTH: usize = 32;

/// Schemes that must be presented together.
pub(super) type Alternative = BTreeSet<String>;

/// What the document says.
#[derive(Debug, Default)]
pub(super) struct Document {
    root: Value,
    pub(super) operations: Vec<Operation>,
    pub(super) schemes: Vec<Scheme>,
    /// What is wrong with the document by itself.
    pub(super) problems: Vec<String>,
}

/// One operation of the document.
#[derive(Debug, Clone)]
pub struct Operation {
    method: Method,
    path: String,
    /// The alternatives; none means that the operation asks for nobody.
    pub(super) security: Vec<Alternative>,
    pub(super) parameters: Vec<Value>,
    pub(super) body: Option<Value>,
    responses: Value,
}

/// A way to present a credential.
#[derive(Debug, Clone)]
pub(super) struct Scheme {
    pub(super) name: String,
    pub(super) place: Place,
}

/// Where a credential stands in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Cookie(String),
    Header(String),
    Query(String),
    /// In `Authorization`, behind this word.
    Authorization(String),
    /// Nowhere that a request in process has, such as a client certificate.
    Elsewhere,
}

impl Operation {
    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path as the document writes it: without the prefix, parameters in braces.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether the document says that being logged in is not enough.
    #[must_use]
    pub fn has_requirement(&self) -> bool {
        !self.saying(REQUIRES).is_empty()
    }

    /// The statuses of whose answers the document says this.
    pub(super) fn saying(&self, sentence: &str) -> Vec<StatusCode> {
        let responses = self.responses.as_object().into_iter().flatten();
        responses
            .filter(|(_, response)| {
                response["description"].as_str().is_some_and(|text| text.contains(sentence))
            })
            .filter_map(|(status, _)| status.parse().ok())
            .collect()
    }

    /// Whether the operation can do without a credential.
    pub(super) fn is_open(&self) -> bool {
        self.security.is_empty() || self.security.iter().any(Alternative::is_empty)
    }

    /// Whether some alternative names the scheme.
    pub(super) fn lists(&self, scheme: &str) -> bool {
        self.security.iter().any(|alternative| alternative.contains(scheme))
    }

    /// What the document says of a status.
    pub(super) fn response<'a>(
        &'a self,
        document: &'a Document,
        status: StatusCode,
    ) -> Option<&'a Value> {
        let class = status.as_u16() / 100;
        [status.as_str(), &format!("{class}XX"), &format!("{class}xx"), "default"]
            .into_iter()
            .find_map(|key| self.responses.get(key))
            .map(|response| document.resolve(response))
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl Document {
    pub(super) fn parse(json: &str) -> Self {
        let mut document = Self::default();
        let outline = match (serde_json::from_str(json), serde_json::from_str::<Outline>(json)) {
            (Ok(root), Ok(outline)) => {
                document.root = root;
                outline
            }
            (Err(error), _) | (_, Err(error)) => {
                document.problems.push(format!("the document cannot be read: {error}"));
                return document;
            }
        };
        document.read_schemes();
        document.read_operations(outline);
        document
    }

    pub(super) fn scheme(&self, name: &str) -> Option<&Scheme> {
        self.schemes.iter().find(|scheme| scheme.name == name)
    }

    /// What a value means that may be a reference to another part of the document.
    pub(super) fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let mut value = value;
        for _ in 0..DEPTH {
            let Some(reference) = value["$ref"].as_str() else { break };
            let target = reference.strip_prefix('#').and_then(|path| self.root.pointer(path));
            value = target.unwrap_or(&Value::Null);
        }
        value
    }

    fn read_schemes(&mut self) {
        let Some(schemes) = self.root["components"]["securitySchemes"].as_object() else { return };
        let place = |scheme: &Value| {
            let text = |key: &str| scheme[key].as_str().unwrap_or_default();
            let name = text("name").to_owned();
            match (text("type"), text("in")) {
                ("apiKey", "cookie") => Place::Cookie(name),
                ("apiKey", "header") => Place::Header(name),
                ("apiKey", "query") => Place::Query(name),
                ("http", _) if text("scheme").eq_ignore_ascii_case("bearer") => {
                    Place::Authorization("Bearer".into())
                }
                ("http", _) => Place::Authorization(text("scheme").into()),
                ("oauth2" | "openIdConnect", _) => Place::Authorization("Bearer".into()),
                _ => Place::Elsewhere,
            }
        };
        self.schemes = schemes
            .iter()
            .map(|(name, scheme)| Scheme { name: name.clone(), place: place(self.resolve(scheme)) })
            .collect();
    }

    fn read_operations(&mut self, outline: Outline) {
        let mut paths = BTreeSet::new();
        for (path, item) in outline.paths.0 {
            if !paths.insert(path.clone()) {
                self.problems.push(format!(
                    "the document has {path} twice; most readers see only one of them"
                ));
            }
            let shared = item.0.iter().find(|(key, _)| key == "parameters").map(|(_, list)| list);
            for (key, operation) in &item.0 {
                let Some(method) = method(key) else { continue };
                let operation = self.read_operation(method, &path, operation, shared);
                self.check(&operation);
                self.operations.push(operation);
            }
        }
    }

    fn read_operation(
        &self,
        method: Method,
        path: &str,
        value: &Value,
        shared: Option<&Value>,
    ) -> Operation {
        let security = value.get("security").unwrap_or(&self.root["security"]);
        let alternative = |value: &Value| {
            value.as_object().map(|names| names.keys().cloned().collect()).unwrap_or_default()
        };
        let mut parameters: Vec<Value> = Vec::new();
        let lists = [value.get("parameters"), shared].into_iter().flatten();
        for parameter in lists.filter_map(Value::as_array).flatten() {
            let parameter = self.resolve(parameter);
            // An operation's own parameter replaces the path's.
            let known = |other: &Value| {
                other["name"] == parameter["name"] && other["in"] == parameter["in"]
            };
            if !parameters.iter().any(known) {
                parameters.push(parameter.clone());
            }
        }
        Operation {
            method,
            path: path.to_owned(),
            security: security.as_array().into_iter().flatten().map(alternative).collect(),
            parameters,
            body: value.get("requestBody").map(|body| self.resolve(body).clone()),
            responses: value["responses"].clone(),
        }
    }

    fn check(&mut self, operation: &Operation) {
        let names: BTreeSet<&String> = operation.security.iter().flatten().collect();
        for name in names {
            if self.scheme(name).is_none() {
                self.problems.push(format!(
                    "{operation} lists `{name}`, which is no scheme of the document"
                ));
            }
        }
    }
}

fn method(key: &str) -> Option<Method> {
    Some(match key {
        "get" => Method::GET,
        "put" => Method::PUT,
        "post" => Method::POST,
        "delete" => Method::DELETE,
        "options" => Method::OPTIONS,
        "head" => Method::HEAD,
        "patch" => Method::PATCH,
        "trace" => Method::TRACE,
        _ => return None,
    })
}

/// The paths in their order. Where a document has one twice, maps of `serde_json` would keep the
/// last and the walk would miss operations.
#[derive(Debug, Deserialize)]
struct Outline {
    #[serde(default)]
    paths: Entries<Entries<Value>>,
}

#[derive(Debug)]
struct Entries<T>(Vec<(String, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Entries<T>, M::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Reader(PhantomData))
    }
}
