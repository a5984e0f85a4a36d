//! What the framework reads of an HTTP request, and what it writes into the answer's headers.

use std::{fmt, net::IpAddr};

use http::{HeaderMap, Method, Uri};

pub mod authorization;
pub mod cookie;
pub mod cross_site;
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

/// What a session notes about a client, read once per request when a handle is made.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// The address, with trusted proxies taken into account.
    pub(crate) ip: Option<IpAddr>,
    /// The `User-Agent`, at most 255 bytes.
    pub(crate) user_agent: Option<String>,
    /// Whether a page of another site sent the request.
    pub(crate) cross_site: bool,
}

/// The longest prefix of a text that has at most `max` bytes and ends between two characters.
pub(crate) fn truncated(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let end = (0..=max).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    &text[..end]
}
