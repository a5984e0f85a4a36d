//! One call as an HTTP request.

use std::fmt;

use poem::{
    Request,
    http::{HeaderName, HeaderValue, header},
};

use super::{
    document::{Document, Operation, Place},
    sample::{Body, Sample, escape},
};

/// A credential as it is presented: the value of a session cookie, a token, an API key.
///
/// The document says where in the request it stands, and with `http` schemes what stands in front
/// of it.
#[derive(Clone)]
pub struct Credential(String);

impl Credential {
    /// A credential.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// One that does not hold, in the form of one that does.
    pub(super) fn spoiled(&self) -> Self {
        Self(format!("{}x", self.0))
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(…)")
    }
}

/// The request of a call.
///
/// # Errors
///
/// - why it cannot be made
pub(super) fn request(
    document: &Document,
    operation: &Operation,
    prefix: &str,
    sample: &Sample,
    credentials: &[(Place, Credential)],
) -> Result<Request, String> {
    let mut parts = Parts {
        path: format!("{}{}", prefix.trim_end_matches('/'), operation.path()),
        ..Parts::default()
    };
    for parameter in sample.parameters(document, operation)? {
        for value in &parameter.values {
            match parameter.place.as_str() {
                "path" => {
                    let name = format!("{{{}}}", parameter.name);
                    parts.path = parts.path.replace(&name, &escape(value));
                }
                "query" => parts.query.push((parameter.name.clone(), value.clone())),
                "header" => parts.headers.push((parameter.name.clone(), value.clone())),
                "cookie" => parts.cookies.push((parameter.name.clone(), value.clone())),
                other => return Err(format!("`{}` is in {other:?}", parameter.name)),
            }
        }
    }
    for (place, Credential(value)) in credentials {
        match place {
            Place::Cookie(name) => parts.cookies.push((name.clone(), value.clone())),
            Place::Header(name) => parts.headers.push((name.clone(), value.clone())),
            Place::Query(name) => parts.query.push((name.clone(), value.clone())),
            Place::Authorization(word) => {
                parts.headers.push(("authorization".into(), format!("{word} {value}")));
            }
            Place::Elsewhere => return Err("the document does not say where it stands".into()),
        }
    }
    parts.build(operation, sample.body_of(document, operation)?)
}

#[derive(Debug, Default)]
struct Parts {
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    cookies: Vec<(String, String)>,
}

impl Parts {
    fn build(self, operation: &Operation, body: Option<Body>) -> Result<Request, String> {
        let query: Vec<String> = self
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
            .collect();
        let path = if self.path.is_empty() { "/".to_owned() } else { self.path };
        let uri = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
        let uri = uri.parse().map_err(|error| format!("{uri:?} is no address: {error}"))?;
        let mut request = Request::builder().method(operation.method().clone()).uri(uri).finish();
        let headers = request.headers_mut();
        // A server that compares Origin with it, or writes links, needs one.
        headers.insert(header::HOST, HeaderValue::from_static("localhost"));
        for (name, value) in self.headers {
            let name = HeaderName::try_from(&name).map_err(|_| format!("{name:?} is no header"))?;
            headers.append(name, text(&value)?);
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            headers.insert(header::COOKIE, text(&cookies.join("; "))?);
        }
        if let Some(body) = body {
            headers.insert(header::CONTENT_TYPE, text(&body.content_type)?);
            request.set_body(body.bytes);
        }
        Ok(request)
    }
}

fn text(value: &str) -> Result<HeaderValue, String> {
    HeaderValue::try_from(value).map_err(|_| "a value cannot stand in a header".to_owned())
}
