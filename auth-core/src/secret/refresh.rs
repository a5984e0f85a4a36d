//! The secret of a refresh token, and what its store sees of it.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroize;

use super::{random, sha256};
use crate::error::Error;

/// How many of the bytes name the family.
const FAMILY: usize = 16;
const LENGTH: usize = FAMILY + 32;

/// The secret that a client exchanges for a new access token: 16 bytes that all tokens of one
/// family begin with, and 32 of its own, all from the operating system; 64 characters of base64url.
///
/// # Security
///
/// 256 bits of its own. The common beginning lets a store find the family of a token that was used
/// long ago, without keeping every one of them; it is as secret as the rest, for whoever knows it
/// can end the family. Stores see a [`RefreshKey`]. `Debug` shows nothing, and the bytes are wiped
/// when dropped.
#[derive(Clone)]
pub struct RefreshToken([u8; LENGTH]);

impl RefreshToken {
    /// The first token of a new family.
    ///
    /// # Errors
    ///
    /// - the operating system has no random numbers to give: [`Error::Crypto`]
    pub fn generate() -> Result<Self, Error> {
        random().map(Self)
    }

    /// A new token of the same family.
    ///
    /// # Errors
    ///
    /// - the operating system has no random numbers to give: [`Error::Crypto`]
    pub fn successor(&self) -> Result<Self, Error> {
        let mut next = Self::generate()?;
        next.0[..FAMILY].copy_from_slice(&self.0[..FAMILY]);
        Ok(next)
    }

    /// Reads what a client presented. `None` for anything that this type never wrote.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let mut token = Self([0; LENGTH]);
        // One length only, so that a client cannot make the decoder work on megabytes.
        if value.len() != LENGTH / 3 * 4 {
            return None;
        }
        match URL_SAFE_NO_PAD.decode_slice(value, &mut token.0) {
            Ok(LENGTH) => Some(token),
            _ => None,
        }
    }

    /// The text that the client keeps.
    #[must_use]
    pub fn expose(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What a store sees of the token.
    #[must_use]
    pub fn key(&self) -> RefreshKey {
        RefreshKey { family: sha256(&self.0[..FAMILY]), token: sha256(&self.0) }
    }
}

impl Drop for RefreshToken {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}

/// Two digests of a [`RefreshToken`]: of what names its family, and of the whole.
///
/// # Security
///
/// Whoever reads the store can neither use a token nor end a family with it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RefreshKey {
    family: [u8; 32],
    token: [u8; 32],
}

impl RefreshKey {
    /// The key of the family.
    #[must_use]
    pub fn family(&self) -> &[u8; 32] {
        &self.family
    }

    /// The digest of this one token.
    #[must_use]
    pub fn token(&self) -> &[u8; 32] {
        &self.token
    }
}

impl fmt::Debug for RefreshKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_successor_is_of_the_family_and_another_token() {
        let first = RefreshToken::generate().unwrap();
        let second = first.successor().unwrap();
        assert_eq!(first.key().family(), second.key().family());
        assert_ne!(first.key().token(), second.key().token());
        let other = RefreshToken::generate().unwrap();
        assert_ne!(first.key().family(), other.key().family());
        // Nothing of the second half is carried over.
        assert!(
            first.0[FAMILY..].iter().zip(&second.0[FAMILY..]).filter(|(a, b)| a == b).count() < 8
        );
    }

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        let token = RefreshToken::generate().unwrap();
        let text = token.expose();
        assert_eq!(text.len(), 64);
        assert_eq!(RefreshToken::parse(&text).unwrap().key(), token.key());
        let long = "A".repeat(65);
        for text in
            ["", &text[1..], &long, &text.replace(&text[..1], "="), &format!("{}é", &text[2..])]
        {
            assert!(RefreshToken::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn shows_nothing() {
        let token = RefreshToken::generate().unwrap();
        assert_eq!(format!("{token:?} {:?}", token.key()), "RefreshToken(…) RefreshKey(…)");
    }
}
