//! The text of a key: made, read, checked.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use super::ApiKeyHash;
use crate::{error::Error, secret::random};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const ID: usize = 22;
/// 43 characters of 62 are 256 bits.
const SECRET: usize = 43;
const CHECKSUM: usize = 6;

/// A new API key, to be shown to its user this once.
///
/// # Security
///
/// The store keeps the SHA-256 of the secret in it. `Debug` shows nothing of it, and its memory is
/// wiped.
#[derive(Clone)]
pub struct ApiKey {
    text: String,
    prefix: usize,
}

impl ApiKey {
    /// A new key.
    ///
    /// # Errors
    ///
    /// - the operating system has no random numbers to give: [`Error::Crypto`]
    pub(crate) fn generate(prefix: &str) -> Result<Self, Error> {
        Self::with_id(prefix, &letters::<ID>()?)
    }

    /// A new secret for the key of this id.
    ///
    /// # Errors
    ///
    /// - the operating system has no random numbers to give: [`Error::Crypto`]
    pub(crate) fn with_id(prefix: &str, id: &str) -> Result<Self, Error> {
        let secret = Zeroizing::new(letters::<SECRET>()?);
        // As large as it gets, so that no copy is left behind by growing.
        let mut text = String::with_capacity(prefix.len() + 1 + ID + SECRET + CHECKSUM);
        for part in [prefix, "_", id, &secret] {
            text.push_str(part);
        }
        let checksum = checksum(&text);
        text.push_str(&checksum);
        Ok(Self { text, prefix: prefix.len() })
    }

    /// The key, as its user writes it into a header.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The public name of the key.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.text[self.prefix + 1..][..ID]
    }

    pub(crate) fn hash(&self) -> ApiKeyHash {
        ApiKeyHash::of(&self.text[self.prefix + 1 + ID..][..SECRET])
    }
}

impl Drop for ApiKey {
    fn drop(&mut self) {
        self.text.zeroize();
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({}…)", self.id())
    }
}

/// A key that a request presents, with a checksum that fits.
pub(crate) struct PresentedKey<'a> {
    pub(crate) id: &'a str,
    pub(crate) hash: ApiKeyHash,
}

impl<'a> PresentedKey<'a> {
    /// Whether the text begins as keys with this prefix do.
    pub(crate) fn begins(prefix: &str, text: &str) -> bool {
        text.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('_'))
    }

    /// Reads a key; `None` for what was never made here.
    pub(crate) fn parse(prefix: &str, text: &'a str) -> Option<Self> {
        let body = Self::body(prefix, text)?;
        let (checked, written) = text.split_at(text.len() - CHECKSUM);
        if checksum(checked) != written {
            return None;
        }
        let (id, secret) = body[..ID + SECRET].split_at(ID);
        Some(Self { id, hash: ApiKeyHash::of(secret) })
    }

    fn body(prefix: &str, text: &'a str) -> Option<&'a str> {
        let body = text.strip_prefix(prefix)?.strip_prefix('_')?;
        let fits = body.len() == ID + SECRET + CHECKSUM
            && body.bytes().all(|byte| byte.is_ascii_alphanumeric());
        fits.then_some(body)
    }
}

impl fmt::Debug for PresentedKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PresentedKey({}…)", self.id)
    }
}

/// Whether keys can begin so: small letters and digits, a letter first, `_` between them, at most 20.
pub(crate) fn is_prefix(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    text.len() <= 20
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('_')
        && text.bytes().all(fits)
}

/// Random letters and digits, each as likely as the others.
fn letters<const N: usize>() -> Result<String, Error> {
    let mut text = String::with_capacity(N);
    while text.len() < N {
        let bytes = Zeroizing::new(random::<64>()?);
        // 248 is the greatest multiple of 62 in a byte.
        let fair = bytes.iter().filter(|&&byte| byte < 248);
        let missing = N - text.len();
        text.extend(fair.take(missing).map(|byte| char::from(ALPHABET[usize::from(byte % 62)])));
    }
    Ok(text)
}

/// The CRC-32 of the text in six characters. It finds typing errors and tells scanners what they
/// have; it protects nothing.
fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits.map(char::from).iter().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_key_reads_back_what_was_made() {
        for prefix in ["key", "shop_live"] {
            let key = ApiKey::generate(prefix).unwrap();
            let read = PresentedKey::parse(prefix, key.expose()).unwrap();
            assert_eq!((read.id, read.hash), (key.id(), key.hash()));
            assert_eq!(key.expose().len(), prefix.len() + 72);
            let other = ApiKey::with_id(prefix, key.id()).unwrap();
            assert_eq!(other.id(), key.id());
            assert_ne!(other.hash(), key.hash());
        }
    }

    #[test]
    fn one_wrong_character_is_found_without_a_store() {
        let key = ApiKey::generate("key").unwrap();
        for at in 0..key.expose().len() {
            let mut bytes = key.expose().as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            let text = String::from_utf8(bytes).unwrap();
            assert!(PresentedKey::parse("key", &text).is_none(), "{at}");
        }
        let text = key.expose();
        for bad in ["", "key", "key_", &text[1..], &text[..text.len() - 1], &format!("{text}0")] {
            assert!(PresentedKey::parse("key", bad).is_none(), "{bad}");
        }
        assert!(PresentedKey::parse("kex", text).is_none());
    }

    #[test]
    fn the_checksum_is_crc32_in_base_62() {
        // CRC-32 of "123456789" is 0xCBF43926 = 3421780262.
        assert_eq!(checksum("123456789"), "3jZRME");
        assert_eq!(checksum(""), "000000");
    }

    #[test]
    fn all_letters_are_used_and_no_key_comes_twice() {
        let keys: Vec<_> = (0..300).map(|_| ApiKey::generate("k").unwrap()).collect();
        let ids: HashSet<_> = keys.iter().map(ApiKey::id).collect();
        assert_eq!(ids.len(), keys.len());
        let text: String = keys.iter().map(|key| &key.expose()[2..]).collect();
        for letter in ALPHABET {
            let count = text.bytes().filter(|byte| byte == letter).count();
            // 343 are expected; beyond this it is one in a billion.
            assert!((220..480).contains(&count), "{}: {count}", char::from(*letter));
        }
    }

    #[test]
    fn a_prefix_is_a_plain_word() {
        for good in ["key", "shop_live", "a1"] {
            assert!(is_prefix(good), "{good}");
        }
        for bad in ["", "1a", "Key", "key_", "_key", "a-b", "é", &"a".repeat(21)] {
            assert!(!is_prefix(bad), "{bad}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = ApiKey::generate("key").unwrap();
        let secret = &key.expose()[4 + ID..];
        let shown = format!("{key:?} {:?}", PresentedKey::parse("key", key.expose()));
        assert!(shown.contains(key.id()) && !shown.contains(&secret[..6]), "{shown}");
    }
}
