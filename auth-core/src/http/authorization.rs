//! The `Authorization` header.

use std::fmt;

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

/// What the `Authorization` header of a request holds.
#[derive(PartialEq, Eq)]
pub enum Authorization<'a> {
    /// There is none.
    Absent,
    /// More than one header, not text, or no scheme. Nobody can say what the client meant, so
    /// nobody guesses.
    Malformed,
    /// A scheme and what follows it.
    Scheme {
        /// The scheme as the client wrote it; compare without regard to case (RFC 9110, 11.1).
        name: &'a str,
        /// The rest, without surrounding spaces.
        credentials: &'a str,
    },
}

impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("Absent"),
            Self::Malformed => f.write_str("Malformed"),
            Self::Scheme { name, .. } => write!(f, "Scheme({name} …)"),
        }
    }
}

impl<'a> Authorization<'a> {
    /// Reads the header.
    #[must_use]
    pub fn of(headers: &'a HeaderMap) -> Self {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = values.next() else {
            return Self::Absent;
        };
        if values.next().is_some() {
            return Self::Malformed;
        }
        let Ok(value) = value.to_str() else {
            return Self::Malformed;
        };
        let value = value.trim_matches([' ', '\t']);
        // The first space is near: a search that is good at long distances takes longer.
        let end = value.bytes().position(|byte| byte == b' ').unwrap_or(value.len());
        let (name, credentials) = value.split_at(end);
        if name.is_empty() || !name.bytes().all(is_token_byte) {
            return Self::Malformed;
        }
        Self::Scheme { name, credentials: credentials.trim_start_matches(' ') }
    }
}

/// A challenge: a scheme, its realm as a quoted string (RFC 9110, 5.6.4), and what follows. `None`
/// for a realm with characters that no header may have.
pub(crate) fn challenge(scheme: &str, realm: &str, rest: &str) -> Option<HeaderValue> {
    let realm = realm.replace('\\', "\\\\").replace('"', "\\\"");
    HeaderValue::try_from(format!("{scheme} realm=\"{realm}\"{rest}")).ok()
}

/// Whether a byte may stand in a token (RFC 9110, 5.6.2).
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_the_realm_of_a_challenge() {
        let shown = |realm| challenge("Basic", realm, ", charset=\"UTF-8\"");
        assert_eq!(shown("shop").unwrap(), r#"Basic realm="shop", charset="UTF-8""#);
        assert_eq!(shown(r#"a "b" \"#).unwrap(), r#"Basic realm="a \"b\" \\", charset="UTF-8""#);
        assert_eq!(shown("a\r\nb"), None);
    }

    fn headers(values: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    #[test]
    fn reads_scheme_and_credentials() {
        let cases: [(&[&[u8]], Authorization<'_>); 9] = [
            (&[], Authorization::Absent),
            (&[b"Bearer abc"], Authorization::Scheme { name: "Bearer", credentials: "abc" }),
            (&[b"bearer   abc "], Authorization::Scheme { name: "bearer", credentials: "abc" }),
            (&[b"Bearer"], Authorization::Scheme { name: "Bearer", credentials: "" }),
            (&[b""], Authorization::Malformed),
            (&[b"   "], Authorization::Malformed),
            (&[b"Bea/rer abc"], Authorization::Malformed),
            (&[b"Bearer \xff"], Authorization::Malformed),
            (&[b"Bearer a", b"Bearer a"], Authorization::Malformed),
        ];
        for (values, expected) in cases {
            assert_eq!(Authorization::of(&headers(values)), expected, "{values:?}");
        }
    }
}
