//! The name of one access token, as stores keep it.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use aws_lc_rs::digest::{Context, SHA256};

/// Names one access token among those of all issuers: the SHA-256 of its issuer and its `jti`.
///
/// Deny lists keep it, and the `#[auth(token)]` column, as text of 43 characters.
///
/// # Security
///
/// Made of the verified claims and not of the token's text, which can be written in more than one
/// way (OWASP Cheat Sheet on JSON Web Tokens). Nothing can be done with it but look for it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenId([u8; 32]);

impl TokenId {
    /// The name of the token that this issuer calls so.
    #[must_use]
    pub fn new(issuer: &str, jti: &str) -> Self {
        let mut digest = Context::new(&SHA256);
        // With its length, so that no issuer's name ends where another one's token begins.
        digest.update(&(issuer.len() as u64).to_be_bytes());
        digest.update(issuer.as_bytes());
        digest.update(jti.as_bytes());
        let mut id = [0; 32];
        id.copy_from_slice(digest.finish().as_ref());
        Self(id)
    }

    /// The bytes, as a store keeps them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A name from the bytes in a store.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenId({self})")
    }
}

/// A text that names no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a token: 43 characters of base64url")]
pub struct NoTokenId;

impl FromStr for TokenId {
    type Err = NoTokenId;

    fn from_str(text: &str) -> Result<Self, NoTokenId> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NoTokenId)?;
        bytes.try_into().map(Self).map_err(|_| NoTokenId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_issuers_and_tokens_apart() {
        let id = TokenId::new("https://a", "bc");
        for (issuer, jti) in [("https://ab", "c"), ("https://a", "bd"), ("", "https://abc")] {
            assert_ne!(id, TokenId::new(issuer, jti));
        }
        assert_eq!(id, TokenId::new("https://a", "bc"));
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in ["", "short", &"A".repeat(44), &"=".repeat(43)] {
            assert_eq!(text.parse::<TokenId>(), Err(NoTokenId), "{text}");
        }
    }
}
