//! One call as an HTTP request.

use std::fmt;

use auth_core::signature::{Message, Signer};
use chrono::{DateTime, Utc};
use poem::{
    Request,
    http::{HeaderName, HeaderValue, header, uri::Scheme},
    web::{LocalAddr, RemoteAddr},
};

use super::{
    document::{Document, Operation, Place},
    sample::{Body, Sample, escape},
};

/// A credential as it is presented: the value of a session cookie, a token, an API key, or who signs
/// the request.
///
/// The document says where in the request it stands, and with `http` schemes what stands in front
/// of it.
#[derive(Clone)]
pub struct Credential(Presented);

#[derive(Clone)]
enum Presented {
    Text(String),
    /// Signs the request, for this time; what is spoiled signs another path.
    Signature {
        signer: Box<Signer>,
        at: DateTime<Utc>,
        spoiled: bool,
    },
}

impl Credential {
    /// A credential that is text.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Presented::Text(value.into()))
    }

    /// A signature over the request, of this time by the application's clock.
    #[must_use]
    pub fn signed_by(signer: Signer, at: DateTime<Utc>) -> Self {
        Self(Presented::Signature { signer: Box::new(signer), at, spoiled: false })
    }

    /// One that does not hold, in the form of one that does.
    pub(super) fn spoiled(self) -> Self {
        Self(match self.0 {
            Presented::Text(value) => Presented::Text(format!("{value}x")),
            Presented::Signature { signer, at, .. } => {
                Presented::Signature { signer, at, spoiled: true }
            }
        })
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
    for (place, Credential(presented)) in credentials {
        let value = match presented {
            Presented::Text(value) => value,
            Presented::Signature { signer, at, spoiled } => {
                parts.signatures.push((signer, *at, *spoiled));
                continue;
            }
        };
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
struct Parts<'a> {
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    cookies: Vec<(String, String)>,
    /// Who signs, when, and whether another path.
    signatures: Vec<(&'a Signer, DateTime<Utc>, bool)>,
}

impl Parts<'_> {
    fn build(self, operation: &Operation, body: Option<Body>) -> Result<Request, String> {
        let query: Vec<String> = self
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
            .collect();
        let path = if self.path.is_empty() { "/".to_owned() } else { self.path };
        let uri = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
        let uri = uri.parse().map_err(|error| format!("{uri:?} is no address: {error}"))?;
        // As a server makes one: poem's own builder forgets the original address, which is signed.
        let (mut head, ()) = poem::http::Request::new(()).into_parts();
        (head.method, head.uri) = (operation.method().clone(), uri);
        let head = (head, LocalAddr::default(), RemoteAddr::default(), Scheme::HTTP);
        let mut request = Request::from_parts(head.into(), poem::Body::empty());
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
        let body = body.unwrap_or_default();
        if !body.content_type.is_empty() {
            headers.insert(header::CONTENT_TYPE, text(&body.content_type)?);
        }
        for (signer, at, spoiled) in self.signatures {
            for (name, value) in signature(&request, &body.bytes, signer, at, spoiled)? {
                request.headers_mut().insert(name, value);
            }
        }
        request.set_body(body.bytes);
        Ok(request)
    }
}

/// The headers of a signature over a request.
fn signature(
    request: &Request,
    body: &[u8],
    signer: &Signer,
    at: DateTime<Utc>,
    spoiled: bool,
) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let uri = match spoiled {
        true => format!("{}x", request.uri().path()).parse().map_err(|_| "no address")?,
        false => request.uri().clone(),
    };
    let message = Message { method: request.method(), uri: &uri, headers: request.headers() };
    signer.headers_for(&message, body, at).map_err(|error| error.to_string())
}

fn text(value: &str) -> Result<HeaderValue, String> {
    HeaderValue::try_from(value).map_err(|_| "a value cannot stand in a header".to_owned())
}
