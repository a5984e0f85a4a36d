//! The session header: for clients that keep the token of their session themselves.

use http::{HeaderMap, HeaderName};

use super::cookie::PresentedToken;
use crate::secret::SessionToken;

/// Headers with a meaning of their own: browsers send them by themselves, let pages of other sites
/// set them without asking, or read something else out of them in an answer.
const TAKEN: [&str; 24] = [
    "accept",
    "accept-language",
    "authorization",
    "cache-control",
    "connection",
    "content-language",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "forwarded",
    "host",
    "location",
    "origin",
    "range",
    "referer",
    "retry-after",
    "set-cookie",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "www-authenticate",
];

/// The name of a session header.
///
/// # Errors
///
/// - why a header of that name cannot carry a session
pub(crate) fn name(text: &str) -> Result<HeaderName, String> {
    credential("the session header", "x-session-id", text)
}

/// The name of a header that carries a credential. `what` and `example` are for the message.
///
/// # Errors
///
/// - why a header of that name cannot carry one
pub(crate) fn credential(what: &str, example: &str, text: &str) -> Result<HeaderName, String> {
    let name: HeaderName = text.parse().map_err(|_| format!("{what} cannot be named {text:?}"))?;
    let reserved = ["sec-", "proxy-", "access-control-", "x-forwarded-"];
    let is_reserved = reserved.iter().any(|prefix| name.as_str().starts_with(prefix));
    if is_reserved || TAKEN.contains(&name.as_str()) {
        return Err(format!(
            "{what} cannot be `{name}`, which means something else; name it as in `{example}`"
        ));
    }
    Ok(name)
}

/// Reads the session header.
///
/// An empty one is none: programs send it where they have no session yet.
///
/// # Security
///
/// Two headers with different values are [`PresentedToken::Unusable`]: proxies and servers would
/// not agree which one counts.
pub(crate) fn presented(headers: &HeaderMap, name: &HeaderName) -> PresentedToken {
    let mut values = headers.get_all(name).iter().map(|value| value.as_bytes().trim_ascii());
    let Some(first) = values.next() else {
        return PresentedToken::None;
    };
    if values.any(|other| other != first) {
        return PresentedToken::Unusable;
    }
    if first.is_empty() {
        return PresentedToken::None;
    }
    SessionToken::parse(first).map_or(PresentedToken::Unusable, PresentedToken::Token)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn knows_which_names_carry_a_session() {
        for good in ["x-session-id", "X-Session-Id", "session", "x-token"] {
            assert_eq!(name(good).unwrap().as_str(), good.to_ascii_lowercase());
        }
        for bad in ["", "x session", "x:session", "x\r\ny", "Cookie", "authorization", "Accept"] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
        for bad in ["Sec-Session", "proxy-session", "x-forwarded-session"] {
            assert!(name(bad).unwrap_err().contains("x-session-id"), "{bad}");
        }
    }

    #[test]
    fn reads_one_value_however_often_it_is_there() {
        let name = HeaderName::from_static("x-session-id");
        let token = |letter: &str| letter.repeat(43);
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(&name, HeaderValue::from_str(value).unwrap());
            }
            match presented(&headers, &name) {
                PresentedToken::None => "none".to_owned(),
                PresentedToken::Unusable => "unusable".to_owned(),
                PresentedToken::Token(token) => token.expose(),
            }
        };
        let (a, q) = (token("A"), token("Q"));
        assert_eq!(read(&[]), "none");
        assert_eq!(read(&["", " "]), "none");
        assert_eq!(read(&[&a]), a);
        assert_eq!(read(&[&format!(" {a}\t"), &a]), a);
        for values in [&[&*a, &*q][..], &[&a, ""], &["", &a], &[&a[1..]], &["x"], &["é"]] {
            assert_eq!(read(values), "unusable", "{values:?}");
        }
    }
}
