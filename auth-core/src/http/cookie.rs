//! The session cookie: its attributes, reading it, writing it.

use std::{borrow::Cow, io::BufRead, iter};

use cookie::Cookie;
pub use cookie::SameSite;
use http::{HeaderMap, HeaderValue, header::COOKIE};

use crate::secret::SessionToken;

/// The attributes of the session cookie.
///
/// The default is `__Host-sid`, `Secure`, `HttpOnly`, `SameSite=Lax`, `Path=/`: with this prefix
/// browsers take the cookie only over https, from this host, for the whole host
/// ([RFC 6265bis, 4.1.3](https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis)).
/// `HttpOnly` cannot be switched off.
///
/// # Examples
///
/// ```
/// use auth_core::http::cookie::SessionCookie;
///
/// let cookie = SessionCookie::new("__Secure-shop").domain("shop.example").path("/api");
/// assert_eq!(cookie.name(), "__Secure-shop");
/// ```
#[derive(Debug, Clone)]
pub struct SessionCookie {
    name: Cow<'static, str>,
    domain: Option<String>,
    path: String,
    secure: bool,
    same_site: SameSite,
}

impl Default for SessionCookie {
    fn default() -> Self {
        Self::new("__Host-sid")
    }
}

impl SessionCookie {
    /// A cookie of this name with the default attributes.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            domain: None,
            path: "/".into(),
            secure: true,
            same_site: SameSite::Lax,
        }
    }

    /// A cookie for development over plain http: the name is `sid`, and it is not `Secure`.
    ///
    /// # Security
    ///
    /// Everybody on the way between browser and server reads the session. The configuration writes
    /// a warning to the log when it is built. The name differs from the default's, so that a
    /// browser never sends a development cookie to the real site or the other way round.
    #[must_use]
    pub fn dangerous_plain_http() -> Self {
        Self { secure: false, ..Self::new("sid") }
    }

    /// Lets subdomains see the cookie. Default: none, only this host.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// Limits the cookie to a path as the client sees it. Default: `/`.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// When browsers send the cookie with requests of other sites. Default: `Lax`.
    #[must_use]
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// Gives the cookie another name, for [`dangerous_plain_http`](Self::dangerous_plain_http).
    #[must_use]
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// The cookie's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the cookie is sent over https only.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether browsers send the cookie in that mode.
    #[cfg(feature = "oidc")]
    pub(crate) fn is_same_site(&self, same_site: SameSite) -> bool {
        self.same_site == same_site
    }

    /// Whether browsers send the cookie to this path (RFC 6265, 5.1.4).
    #[cfg(feature = "oidc")]
    pub(crate) fn covers(&self, path: &str) -> bool {
        let rest = path.strip_prefix(self.path.as_str());
        self.path == "/"
            || rest.is_some_and(|rest| {
                rest.is_empty() || rest.starts_with('/') || self.path.ends_with('/')
            })
    }

    /// What browsers would not accept, one sentence each.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let name = &self.name;
        let token = |byte: u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte);
        if name.is_empty() || !name.bytes().all(token) {
            problems.push(format!("the session cookie cannot be named {name:?}"));
        }
        // Browsers compare the prefixes without regard to case.
        let prefixed = |prefix: &str| {
            name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        if (prefixed("__Host-") || prefixed("__Secure-")) && !self.secure {
            problems.push(format!("a cookie named {name} must be Secure"));
        }
        if prefixed("__Host-") && self.domain.is_some() {
            problems.push(format!("a cookie named {name} must not have a Domain"));
        }
        if prefixed("__Host-") && self.path != "/" {
            problems.push(format!("a cookie named {name} must have the Path /"));
        }
        if self.same_site == SameSite::None && !self.secure {
            problems.push("a cookie with SameSite=None must be Secure".into());
        }
        let fits = |byte: u8| byte.is_ascii_graphic() && byte != b';' && byte != b',';
        if !self.path.starts_with('/') {
            problems
                .push(format!("the session cookie's path {:?} does not begin with /", self.path));
        } else if !self.path.bytes().all(fits) {
            problems.push(format!(
                "the session cookie's path {:?} has characters that a cookie cannot carry",
                self.path
            ));
        }
        let in_domain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        if let Some(domain) = &self.domain
            && (domain.is_empty() || !domain.bytes().all(in_domain))
        {
            problems.push(format!("the session cookie's domain {domain:?} is no domain"));
        }
        problems
    }

    /// The `Set-Cookie` header that hands over a token. `max_age` in seconds; `None` for a cookie
    /// that ends with the browser.
    pub(crate) fn set(&self, token: &SessionToken, max_age: Option<i64>) -> HeaderValue {
        self.header(token.expose(), max_age)
    }

    /// The `Set-Cookie` header that removes the cookie: same Path, Domain and Secure, or browsers
    /// would keep it.
    pub(crate) fn remove(&self) -> HeaderValue {
        self.header(String::new(), Some(0))
    }

    fn header(&self, value: String, max_age: Option<i64>) -> HeaderValue {
        let mut cookie = Cookie::build((self.name.clone(), value))
            .path(self.path.as_str())
            .secure(self.secure)
            .http_only(true)
            .same_site(self.same_site);
        if let Some(domain) = &self.domain {
            cookie = cookie.domain(domain.as_str());
        }
        if let Some(seconds) = max_age {
            cookie = cookie.max_age(cookie::time::Duration::seconds(seconds));
        }
        HeaderValue::try_from(cookie.build().to_string())
            .expect("name, path and domain were checked when the configuration was built")
    }
}

/// The session token that a request presents.
#[derive(Debug)]
pub(crate) enum PresentedToken {
    /// No cookie of that name.
    None,
    /// Something that is no token, or two different ones.
    Unusable,
    /// A token; whether it names a session, the store knows.
    Token(SessionToken),
}

/// What stands between the semicolons of a header.
fn pairs(mut header: &[u8]) -> impl Iterator<Item = &[u8]> {
    iter::from_fn(move || {
        let whole = header;
        // Memory is read without errors. `split` would look at each byte by itself.
        let (pair, _) = whole.split_at_checked(header.skip_until(b';').ok()?)?;
        (!pair.is_empty()).then(|| pair.strip_suffix(b";").unwrap_or(pair))
    })
}

/// Reads the session cookie.
///
/// # Security
///
/// Two cookies of one name with different values resolve to nothing: one of them was planted, by a
/// sibling domain or over plain http, and nobody can tell which.
pub(crate) fn presented(headers: &HeaderMap, name: &str) -> PresentedToken {
    let mut found: Option<&[u8]> = None;
    // Bytes, not text: one cookie of the page's own with an umlaut in it must not hide this one.
    for pair in headers.get_all(COOKIE).iter().flat_map(|header| pairs(header.as_bytes())) {
        let Some(rest) = pair.trim_ascii_start().strip_prefix(name.as_bytes()) else { continue };
        let Some(value) = rest.trim_ascii_start().strip_prefix(b"=") else { continue };
        let value = value.trim_ascii();
        if found.is_some_and(|first| first != value) {
            return PresentedToken::Unusable;
        }
        found = Some(value);
    }
    match found {
        None => PresentedToken::None,
        Some(value) => {
            SessionToken::parse(value).map_or(PresentedToken::Unusable, PresentedToken::Token)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_a_header_is_looked_at() {
        for (header, expected) in [
            ("a=1", vec!["a=1"]),
            ("a=1; b=2;c", vec!["a=1", " b=2", "c"]),
            (";;a=1;", vec!["", "", "a=1"]),
            ("", vec![]),
        ] {
            let found: Vec<_> =
                pairs(header.as_bytes()).map(|pair| pair.escape_ascii().to_string()).collect();
            assert_eq!(found, expected, "{header:?}");
        }
    }
}
