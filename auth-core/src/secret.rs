//! Secrets that identify a session or a login, and the digests that stores see in their place.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroize;

use crate::error::Error;

mod refresh;
mod token_id;

pub use self::{
    refresh::{RefreshKey, RefreshToken},
    token_id::{NoTokenId, TokenId},
};

/// Fills an array from the operating system's random number generator.
///
/// # Errors
///
/// - the operating system has no random numbers to give: [`Error::Crypto`]
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::Crypto(error.into()))?;
    Ok(bytes)
}

/// The SHA-256 of some bytes.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

/// The secret that a session cookie or header carries: 32 bytes from the operating system, 43 characters of
/// base64url.
///
/// # Security
///
/// 256 bits, where OWASP ASVS 7.2.3 asks for 128. A token is only ever made here, never taken over
/// from a client; stores see its [`SessionKey`]. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct SessionToken([u8; 32]);

impl SessionToken {
    /// A new token.
    ///
    /// # Errors
    ///
    /// - the operating system has no random numbers to give: [`Error::Crypto`]
    pub fn generate() -> Result<Self, Error> {
        random().map(Self)
    }

    /// Reads what a client presented. `None` for anything that this type never wrote.
    #[must_use]
    pub fn parse(value: impl AsRef<[u8]>) -> Option<Self> {
        let value = value.as_ref();
        let mut bytes = [0; 32];
        // One length only, so that a client cannot make the decoder work on megabytes.
        if value.len() != 43 {
            return None;
        }
        match URL_SAFE_NO_PAD.decode_slice(value, &mut bytes) {
            Ok(32) => Some(Self(bytes)),
            _ => None,
        }
    }

    /// The value of the cookie or header.
    #[must_use]
    pub fn expose(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What a store sees of the token.
    #[must_use]
    pub fn key(&self) -> SessionKey {
        SessionKey(sha256(&self.0))
    }
}

impl Drop for SessionToken {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

/// The SHA-256 of a [`SessionToken`]: the key of a session in its store.
///
/// # Security
///
/// Whoever reads the store cannot make a cookie from it. Lookups by a digest leak nothing of the
/// token by their timing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    /// The bytes, as a store keeps them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A key from the bytes in a store.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(…)")
    }
}

/// A fingerprint of what makes a user's credentials valid: the epoch where the user has one, else
/// the password hash.
///
/// Sessions and tokens carry the stamp of the moment they were made, and end when it differs from
/// the user's: that is how a password change ends all others.
#[derive(Clone, Copy)]
pub struct SecurityStamp([u8; 16]);

impl SecurityStamp {
    /// A stamp from the bytes in a store or a token.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, as a store or a token keeps them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The stamp of an epoch.
    #[must_use]
    pub fn of_epoch(epoch: i64) -> Self {
        let mut bytes = *b"epoch\0\0\0\0\0\0\0\0\0\0\0";
        bytes[8..].copy_from_slice(&epoch.to_be_bytes());
        Self(bytes)
    }

    /// The stamp of secret material: the first half of its SHA-256.
    #[must_use]
    pub fn of_secret(material: &[u8]) -> Self {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&sha256(material)[..16]);
        Self(bytes)
    }
}

impl PartialEq for SecurityStamp {
    fn eq(&self, other: &Self) -> bool {
        // As one number: byte by byte takes thirty times as long.
        let number = |stamp: &Self| u128::from_ne_bytes(stamp.0);
        subtle::ConstantTimeEq::ct_eq(&number(self), &number(other)).into()
    }
}

impl Eq for SecurityStamp {}

impl fmt::Debug for SecurityStamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecurityStamp(…)")
    }
}
