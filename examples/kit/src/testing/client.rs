//! A client that keeps its cookies.

use std::collections::BTreeMap;

use serde_json::Value;
use ureq::{Agent, http};

use super::server::PATIENCE;

/// A client that keeps cookies as a browser would, and follows no redirect. Its clones go separate
/// ways.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    base: String,
    /// The cookies that it sends, by name.
    pub cookies: BTreeMap<String, String>,
    /// The bearer token that it sends.
    pub token: Option<String>,
    /// Further headers that it sends with every request.
    pub headers: Vec<(&'static str, String)>,
}

/// The body of a request.
#[derive(Debug, Clone)]
pub enum Body<'a> {
    /// None at all.
    Empty,
    /// A document.
    Json(Value),
    /// The fields of a form.
    Form(&'a [(&'a str, &'a str)]),
    /// A content type and any bytes.
    Raw(&'a str, Vec<u8>),
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: http::HeaderMap,
    /// The body: null if there is none, a string if it is no JSON.
    pub body: Value,
}

impl Client {
    /// A client without credentials; its paths continue `base`, as in `http://127.0.0.1:8000/api`.
    #[must_use]
    pub fn new(base: impl Into<String>) -> Self {
        let (agent, cookies, headers) = (agent(), BTreeMap::new(), Vec::new());
        Self { agent, base: base.into(), cookies, token: None, headers }
    }

    /// Sends a header with every request from now on, in place of an earlier one of that name.
    pub fn set_header(&mut self, name: &'static str, value: impl Into<String>) {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
    }

    /// Asks for a path.
    pub fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, Body::Empty)
    }

    /// Posts a document.
    pub fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Body::Json(body))
    }

    /// Posts a form.
    pub fn post_form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send("POST", path, Body::Form(fields))
    }

    /// Puts a document.
    pub fn put(&mut self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, Body::Json(body))
    }

    /// Deletes a path.
    pub fn delete(&mut self, path: &str) -> Answer {
        self.send("DELETE", path, Body::Empty)
    }

    /// Sends anything.
    pub fn send(&mut self, method: &str, path: &str, body: Body<'_>) -> Answer {
        self.try_send(method, path, body).unwrap()
    }

    /// Sends anything to a server that may end meanwhile.
    ///
    /// # Errors
    ///
    /// - there is no answer, or not all of it
    pub fn try_send(
        &mut self,
        method: &str,
        path: &str,
        body: Body<'_>,
    ) -> Result<Answer, ureq::Error> {
        let mut request =
            http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        if !self.cookies.is_empty() {
            let pairs: Vec<_> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("cookie", pairs.join("; "));
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let answer = match body.encode() {
            None => self.agent.run(request.body(()).unwrap()),
            Some((kind, bytes)) => {
                self.agent.run(request.header("content-type", kind).body(bytes).unwrap())
            }
        };
        let mut answer = answer?;
        let text = answer.body_mut().read_to_string()?;
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        };
        let answer =
            Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), body };
        for cookie in answer.set_cookies() {
            keep(&mut self.cookies, cookie);
        }
        Ok(answer)
    }
}

/// What sends requests: straight to the server, and it hands out every answer as it is.
pub(super) fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .timeout_global(Some(PATIENCE))
        .build()
        .into()
}

/// Does to a client's cookies what a `Set-Cookie` header says.
fn keep(cookies: &mut BTreeMap<String, String>, header: &str) {
    let (pair, attributes) = header.split_once(';').unwrap_or((header, ""));
    let (name, value) = pair.split_once('=').unwrap();
    let attributes = attributes.to_ascii_lowercase();
    let is_over = attributes.contains("max-age=0") || attributes.contains(" jan 1970 ");
    if value.is_empty() || is_over {
        cookies.remove(name);
    } else {
        cookies.insert(name.to_owned(), value.to_owned());
    }
}

impl Body<'_> {
    fn encode(self) -> Option<(String, Vec<u8>)> {
        match self {
            Self::Empty => None,
            Self::Json(value) => Some(("application/json".into(), value.to_string().into_bytes())),
            Self::Form(fields) => {
                let pairs: Vec<_> = fields
                    .iter()
                    .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
                    .collect();
                let form = pairs.join("&").into_bytes();
                Some(("application/x-www-form-urlencoded".into(), form))
            }
            Self::Raw(kind, bytes) => Some((kind.to_owned(), bytes)),
        }
    }
}

/// Writes text as it stands in a form.
fn escape(text: &str) -> String {
    let escape = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

impl Answer {
    /// The first header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The first `Set-Cookie` header.
    #[must_use]
    pub fn set_cookie(&self) -> Option<&str> {
        self.header("set-cookie")
    }

    fn set_cookies(&self) -> impl Iterator<Item = &str> {
        self.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap())
    }

    /// Checks status and body.
    #[track_caller]
    pub fn assert(&self, status: u16, body: &Value) {
        assert_eq!((self.status, &self.body), (status, body), "{self:#?}");
    }

    /// Checks a refusal: its status, that it is a problem document, its code.
    #[track_caller]
    pub fn assert_refused(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{self:#?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.body["status"], status);
        assert!(self.body["title"].is_string() && self.body["detail"].is_string(), "{}", self.body);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_cookies_until_they_are_removed() {
        let mut cookies = BTreeMap::new();
        keep(&mut cookies, "a=1; Path=/; Max-Age=60");
        keep(&mut cookies, "b=2");
        keep(&mut cookies, "c=x=y; HttpOnly");
        keep(&mut cookies, "d=4; Expires=Mon, 13 Jul 2026 00:00:00 GMT");
        assert_eq!(cookies.values().collect::<Vec<_>>(), ["1", "2", "x=y", "4"]);
        keep(&mut cookies, "a=gone; Max-Age=0; Path=/");
        keep(&mut cookies, "b=; Path=/");
        keep(&mut cookies, "c=DELETED;expires=Thu, 01 Jan 1970 00:00:00 GMT;  path=/; ");
        keep(&mut cookies, "d=5");
        assert_eq!(cookies, BTreeMap::from([("d".into(), "5".into())]));
    }

    #[test]
    fn writes_a_form_as_a_browser_may() {
        let fields = [("email", "bob@hbtn.io"), ("password", "a b&c=é")];
        let (kind, form) = Body::Form(&fields).encode().unwrap();
        assert_eq!(kind, "application/x-www-form-urlencoded");
        assert_eq!(form, b"email=bob%40hbtn%2Eio&password=a%20b%26c%3D%C3%A9");
    }
}
