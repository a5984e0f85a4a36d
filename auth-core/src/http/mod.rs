//! What the framework reads of an HTTP request, and what it writes into the answer's headers.

use std::{any::Any, fmt, net::IpAddr};

use http::{HeaderMap, Method, Uri, header::AsHeaderName};

use self::authorization::Authorization;
use crate::rejection::Rejection;

pub mod authorization;
pub mod cookie;
pub mod cross_site;
pub mod excluded;
pub mod forwarded;
pub(crate) mod session_header;

/// The head of a request, as an adapter hands it over.
#[derive(Clone, Copy)]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a Method,
    /// The target.
    pub uri: &'a Uri,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The address at the other end of the connection.
    pub peer: Option<IpAddr>,
    /// What only the adapter can read.
    pub adapter: AdapterRequest<'a>,
}

impl<'a> RequestHead<'a> {
    /// The value of a header, `None` if it is not there.
    ///
    /// # Errors
    ///
    /// - it is there more than once, or its value is not text:
    ///   [`Rejection::MalformedCredentials`]
    pub fn header(&self, name: impl AsHeaderName) -> Result<Option<&'a str>, Rejection> {
        let mut values = self.headers.get_all(name).iter();
        let Some(value) = values.next() else { return Ok(None) };
        match (value.to_str(), values.next()) {
            (Ok(text), None) => Ok(Some(text)),
            _ => Err(Rejection::MalformedCredentials),
        }
    }

    /// What stands behind this scheme name in `Authorization`, `None` if there is no such header or
    /// another scheme in it.
    ///
    /// # Errors
    ///
    /// - the header cannot be read, or is there more than once:
    ///   [`Rejection::MalformedCredentials`]
    pub fn authorization(&self, scheme: &str) -> Result<Option<&'a str>, Rejection> {
        match Authorization::of(self.headers) {
            Authorization::Absent => Ok(None),
            Authorization::Malformed => Err(Rejection::MalformedCredentials),
            Authorization::Scheme { name, credentials } => {
                Ok(name.eq_ignore_ascii_case(scheme).then_some(credentials))
            }
        }
    }
}

/// The request as the adapter has it: its path parameters, and the request itself under its hidden
/// type.
#[derive(Clone, Copy)]
pub struct AdapterRequest<'a> {
    request: &'a (dyn Any + Send + Sync),
    path: for<'r> fn(&'r (dyn Any + Send + Sync), name: &str) -> PathParam<'r>,
}

/// A path parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathParam<'a> {
    /// Its value, percent-decoded.
    Value(&'a str),
    /// The client wrote a value that is no text.
    Unreadable,
    /// The route has no parameter of that name.
    Missing,
    /// The route has several of that name, one inside the other: which one is meant is a guess.
    Repeated,
}

impl<'a> AdapterRequest<'a> {
    /// No more than the head: no path parameters, no request.
    pub const NONE: Self = Self { request: &(), path: |_, _| PathParam::Missing };

    /// A request, and the function that reads its path parameters. The function gets the same
    /// request.
    pub fn new(
        request: &'a (dyn Any + Send + Sync),
        path: for<'r> fn(&'r (dyn Any + Send + Sync), name: &str) -> PathParam<'r>,
    ) -> Self {
        Self { request, path }
    }

    /// The path parameter that the route calls so.
    #[must_use]
    pub fn path_param(self, name: &str) -> PathParam<'a> {
        (self.path)(self.request, name)
    }

    /// The request, if it is of that type.
    #[must_use]
    pub fn downcast<T: 'static>(self) -> Option<&'a T> {
        self.request.downcast_ref()
    }
}

impl fmt::Debug for AdapterRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdapterRequest")
    }
}

impl fmt::Debug for RequestHead<'_> {
    /// Shows no values of headers and no query: there are credentials among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", self.method)
            .field("path", &self.uri.path())
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// The head of a request, kept for what happens after its handlers.
#[derive(Clone)]
pub(crate) struct KeptHead {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    peer: Option<IpAddr>,
}

impl KeptHead {
    pub(crate) fn of(head: &RequestHead<'_>) -> Self {
        Self {
            method: head.method.clone(),
            uri: head.uri.clone(),
            headers: head.headers.clone(),
            peer: head.peer,
        }
    }

    /// The head of a request that asks for nothing.
    pub(crate) fn empty() -> Self {
        Self { method: Method::GET, uri: Uri::default(), headers: HeaderMap::new(), peer: None }
    }

    pub(crate) fn as_head(&self) -> RequestHead<'_> {
        let Self { method, uri, headers, peer } = self;
        RequestHead { method, uri, headers, peer: *peer, adapter: AdapterRequest::NONE }
    }
}

impl fmt::Debug for KeptHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_head().fmt(f)
    }
}

/// What a session notes about a client, read once per request when a handle is made.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// The address, with trusted proxies taken into account.
    pub(crate) ip: Option<IpAddr>,
    /// The `User-Agent`, at most 255 bytes.
    pub(crate) user_agent: Option<String>,
    /// Whether a page of another site sent the request.
    pub(crate) cross_site: bool,
    /// The request, where the application fills columns from it.
    pub(crate) head: Option<Box<KeptHead>>,
}

/// The longest prefix of a text that has at most `max` bytes and ends between two characters.
pub(crate) fn truncated(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let end = (0..=max).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    &text[..end]
}
