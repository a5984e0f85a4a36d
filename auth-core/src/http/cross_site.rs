//! Whether a page of another site sent a request.
//!
//! Browsers attach cookies to requests that other sites trigger. An unsafe request that a cookie
//! authenticates, or that would set one, must therefore show that it comes from this site:
//! `Sec-Fetch-Site` says so in every current browser, `Origin` in older ones. A request with
//! neither comes from no browser, and nobody's cookies were borrowed for it.

use http::{
    HeaderMap, HeaderName, Method,
    header::{HOST, ORIGIN},
};

use super::RequestHead;

static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether this is an unsafe request that a page of another site sent.
///
/// `allowed` are origins that count as this site, as in `https://app.example`.
///
/// # Security
///
/// Where a browser says `cross-site` or `same-site`, only the list helps, not an `Origin` that
/// equals the host: that combination means the same host over another protocol, and a page that
/// came over plain http may be anybody's.
#[must_use]
pub fn is_cross_site(head: &RequestHead<'_>, allowed: &[String]) -> bool {
    if matches!(*head.method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE) {
        return false;
    }
    let site = head.headers.get(&SEC_FETCH_SITE).map(|value| value.as_bytes());
    if matches!(site, Some(b"same-origin" | b"none")) {
        return false;
    }
    match head.headers.get(ORIGIN) {
        None => site.is_some(),
        Some(origin) => {
            let Ok(origin) = origin.to_str() else {
                return true;
            };
            let listed = allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin));
            !listed && (site.is_some() || !is_own_host(origin, head))
        }
    }
}

fn is_own_host(origin: &str, head: &RequestHead<'_>) -> bool {
    let Some((_, authority)) = origin.split_once("://") else {
        return false;
    };
    host(head.headers)
        .or_else(|| head.uri.authority().map(|authority| authority.as_str()))
        .is_some_and(|host| host.eq_ignore_ascii_case(authority))
}

fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(HOST)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Uri};

    use super::*;
    use crate::http::AdapterRequest;

    #[test]
    fn judges_by_fetch_metadata_then_by_origin() {
        // method, Sec-Fetch-Site, Origin, cross-site?
        let own = "https://api.example";
        let listed = "https://app.example";
        let cases = [
            ("POST", None, None, false),
            ("POST", Some("same-origin"), None, false),
            ("POST", Some("none"), None, false),
            ("POST", Some("cross-site"), None, true),
            ("POST", Some("same-site"), None, true),
            ("POST", Some("cross-site"), Some(own), true),
            ("POST", Some("cross-site"), Some(listed), false),
            ("POST", Some("nonsense"), None, true),
            ("POST", None, Some(own), false),
            ("POST", None, Some("https://evil.example"), true),
            ("POST", None, Some("https://api.example.evil"), true),
            ("POST", None, Some("null"), true),
            ("DELETE", None, Some("https://evil.example"), true),
            ("GET", Some("cross-site"), Some("https://evil.example"), false),
            ("HEAD", Some("cross-site"), None, false),
        ];
        for (method, site, origin, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("api.example"));
            if let Some(site) = site {
                headers.insert(&SEC_FETCH_SITE, HeaderValue::from_static(site));
            }
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            let head = RequestHead {
                method: &method.parse().unwrap(),
                uri: &Uri::from_static("/"),
                headers: &headers,
                peer: None,
                adapter: AdapterRequest::NONE,
            };
            assert_eq!(
                is_cross_site(&head, &[listed.to_owned()]),
                expected,
                "{method} {site:?} {origin:?}"
            );
        }
    }
}
