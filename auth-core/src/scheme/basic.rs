//! Name and password in the `Authorization` header: HTTP Basic
//! ([RFC 7617](https://www.rfc-editor.org/rfc/rfc7617)).
//!
//! Every request costs a password hash, unless
//! [`AuthConfig::cache_basic`](crate::config::AuthConfig::cache_basic) lets right ones be remembered
//! for a while, so this is for programs that call now and then, and for APIs that have always had
//! it. Failures count together with those of the login.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderValue;
use zeroize::Zeroizing;

use crate::{
    http::{
        RequestHead,
        authorization::{Authorization, challenge},
    },
    rejection::Rejection,
};

mod cache;

pub(crate) use cache::VerifiedPasswords;

/// The longest credentials that are decoded: what common servers accept of a whole header.
const MAX_BYTES: usize = 8 * 1024;

/// The Basic scheme as it is configured.
#[derive(Debug)]
pub(crate) struct BasicScheme {
    /// What challenges name.
    pub(crate) realm: String,
    /// Remembers what was right, if that was wanted.
    pub(crate) cache: Option<VerifiedPasswords>,
}

impl BasicScheme {
    /// What the header begins with.
    pub(crate) const NAME: &'static str = "Basic";

    /// What `WWW-Authenticate` says of it.
    pub(crate) fn challenge(&self) -> Option<HeaderValue> {
        challenge(Self::NAME, &self.realm, ", charset=\"UTF-8\"")
    }
}

/// A name and a password that a request presents.
pub(super) struct NameAndPassword {
    text: Zeroizing<String>,
    colon: usize,
}

impl NameAndPassword {
    /// Reads them from the header.
    ///
    /// # Errors
    ///
    /// - a header that cannot be read, or that is there twice: [`Rejection::MalformedCredentials`]
    pub(super) fn of(head: &RequestHead<'_>) -> Result<Option<Self>, Rejection> {
        match Authorization::of(head.headers) {
            Authorization::Absent => Ok(None),
            Authorization::Malformed => Err(Rejection::MalformedCredentials),
            Authorization::Scheme { name, credentials } => {
                if !name.eq_ignore_ascii_case(BasicScheme::NAME) {
                    return Ok(None);
                }
                Self::decode(credentials).map(Some).ok_or(Rejection::MalformedCredentials)
            }
        }
    }

    fn decode(credentials: &str) -> Option<Self> {
        if credentials.len() > MAX_BYTES {
            return None;
        }
        // As large as it can get, so that no copy is left behind by growing.
        let mut bytes = Zeroizing::new(Vec::with_capacity(credentials.len()));
        STANDARD.decode_vec(credentials, &mut bytes).ok()?;
        let text = std::str::from_utf8(&bytes).ok()?;
        // RFC 7617, 2: neither part may contain control characters.
        if text.bytes().any(|byte| byte.is_ascii_control()) {
            return None;
        }
        let colon = text.find(':')?;
        Some(Self { text: Zeroizing::new(text.to_owned()), colon })
    }

    /// The name: up to the first colon.
    pub(super) fn name(&self) -> &str {
        &self.text[..self.colon]
    }

    /// The password: the rest, with any further colons.
    pub(super) fn password(&self) -> &str {
        &self.text[self.colon + 1..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &[u8]) -> Option<(String, String)> {
        let decoded = NameAndPassword::decode(&STANDARD.encode(text))?;
        Some((decoded.name().to_owned(), decoded.password().to_owned()))
    }

    #[test]
    fn splits_at_the_first_colon() {
        let pair = |name: &str, password: &str| Some((name.to_owned(), password.to_owned()));
        // RFC 7617, 2 and 2.1.
        assert_eq!(decode(b"Aladdin:open sesame"), pair("Aladdin", "open sesame"));
        assert_eq!(decode("test:123£".as_bytes()), pair("test", "123£"));
        assert_eq!(decode(b"ann:a:b:"), pair("ann", "a:b:"));
        assert_eq!(decode(b":"), pair("", ""));
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        for text in [&b""[..], b"ann", b"ann\xff:x", b"ann:\0", b"a\nb:x", b"ann:\x7f"] {
            assert_eq!(decode(text), None, "{text:?}");
        }
        for text in ["YW5uOng", "YW5uOng=x", "YW5u Ong=", "-_-_", "YW5uOng==="] {
            assert!(NameAndPassword::decode(text).is_none(), "{text}");
        }
        assert!(decode(&[&b"ann:"[..], &[b'x'; 6000]].concat()).is_some());
        assert!(decode(&[&b"ann:"[..], &[b'x'; 7000]].concat()).is_none());
    }
}
