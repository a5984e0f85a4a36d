//! Secrets that a store has to give back: encrypted with [`SealingKeys`].

use std::{fmt, sync::Arc};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use zeroize::Zeroizing;

use crate::{
    error::{BoxError, Error},
    secret::random,
};

/// The keys under which secrets are encrypted that are of no use as a hash, such as those of signed
/// requests. The first key encrypts, all of them decrypt.
///
/// To change the key, put the new one first and keep the old one behind it until nothing is
/// encrypted with it any more. Clones share the keys.
///
/// # Examples
///
/// ```
/// use auth_core::sealing::SealingKeys;
///
/// # let (new, old) = ([7; 32], [8; 32]);
/// let keys = SealingKeys::new("2026-02", &new)?.and_old("2025-11", &old)?;
/// # Ok::<(), auth_core::error::Error>(())
/// ```
///
/// # Security
///
/// AES-256-GCM of aws-lc-rs with random nonces. What a text was encrypted for is authenticated with
/// it, so that one row's secret cannot be moved into another one. The keys belong where the database
/// is not: whoever has both has the secrets.
#[derive(Clone)]
pub struct SealingKeys {
    keys: Arc<[Key]>,
}

#[derive(Clone)]
struct Key {
    name: String,
    key: Arc<RandomizedNonceKey>,
}

impl SealingKeys {
    /// One key of 32 random bytes, and a name to know it by: letters, digits, `_` and `-`.
    ///
    /// # Errors
    ///
    /// - the name has other characters, or the key another length: [`Error::Misconfigured`]
    pub fn new(name: &str, key: &[u8]) -> Result<Self, Error> {
        Ok(Self { keys: Arc::new([Key::new(name, key)?]) })
    }

    /// A random key that nobody else knows, and that is gone when the process ends.
    ///
    /// # Errors
    ///
    /// - the operating system has no random numbers to give: [`Error::Crypto`]
    pub fn generate() -> Result<Self, Error> {
        Self::new("generated", &*Zeroizing::new(random::<32>()?))
    }

    /// Adds a key that decrypts what was encrypted with it earlier.
    ///
    /// # Errors
    ///
    /// - as in [`new`](Self::new), and if there is a key of that name: [`Error::Misconfigured`]
    pub fn and_old(self, name: &str, key: &[u8]) -> Result<Self, Error> {
        if self.keys.iter().any(|known| known.name == name) {
            return Err(Error::Misconfigured(format!("there are two sealing keys named `{name}`")));
        }
        let old = Key::new(name, key)?;
        Ok(Self { keys: self.keys.iter().cloned().chain([old]).collect() })
    }

    /// Encrypts a secret for a purpose, which [`open`](Self::open) has to name again.
    pub(crate) fn seal(&self, purpose: &str, secret: &[u8]) -> Result<String, Error> {
        let Some(Key { name, key }) = self.keys.first() else {
            return Err(Error::Misconfigured("there is no sealing key".into()));
        };
        // With room for the tag, so that no copy is left behind by growing.
        let mut text = Vec::with_capacity(secret.len() + key.algorithm().tag_len());
        text.extend_from_slice(secret);
        let nonce = key
            .seal_in_place_append_tag(Aad::from(purpose.as_bytes()), &mut text)
            .map_err(|error| Error::Crypto(error.into()))?;
        let sealed = [&nonce.as_ref()[..], &text].concat();
        Ok(format!("{name}.{}", STANDARD_NO_PAD.encode(sealed)))
    }

    /// Decrypts a secret.
    ///
    /// # Errors
    ///
    /// - it was encrypted with a key that is not here, for another purpose, or was changed:
    ///   [`Error::Crypto`]
    pub(crate) fn open(&self, purpose: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.try_open(purpose, sealed).map_err(Error::Crypto)
    }

    fn try_open(&self, purpose: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, BoxError> {
        let (name, text) = sealed.split_once('.').ok_or("it is no sealed secret")?;
        let key = self.keys.iter().find(|key| key.name == name);
        let key = key.ok_or_else(|| format!("there is no sealing key named `{name}`"))?;
        let bytes = STANDARD_NO_PAD.decode(text)?;
        let (nonce, text) = bytes.split_at_checked(NONCE_LEN).ok_or("it is too short")?;
        let nonce = Nonce::try_assume_unique_for_key(nonce)?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = key.key.open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut text)?.len();
        text.truncate(length);
        Ok(text)
    }
}

impl Key {
    fn new(name: &str, key: &[u8]) -> Result<Self, Error> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if name.is_empty() || !name.bytes().all(fits) {
            return Err(Error::Misconfigured(format!("{name:?} is no name for a sealing key")));
        }
        if key.len() != 32 {
            return Err(Error::Misconfigured(format!(
                "the sealing key `{name}` has {} bytes; 32 random ones make a key",
                key.len()
            )));
        }
        let key = RandomizedNonceKey::new(&AES_256_GCM, key)
            .map_err(|error| Error::Crypto(error.into()))?;
        Ok(Self { name: name.to_owned(), key: Arc::new(key) })
    }
}

impl fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_for_its_purpose_only() {
        let keys = SealingKeys::new("one", &[7; 32]).unwrap();
        let sealed = keys.seal("a", b"secret").unwrap();
        assert_eq!(&**keys.open("a", &sealed).unwrap(), b"secret");
        assert_ne!(keys.seal("a", b"secret").unwrap(), sealed, "a nonce of its own each time");
        let mut changed = sealed.clone();
        let last = if changed.pop() == Some('A') { 'B' } else { 'A' };
        changed.push(last);
        for (purpose, text) in [("b", &*sealed), ("a", &changed), ("a", "one.AAAA"), ("a", "x")] {
            assert!(matches!(keys.open(purpose, text), Err(Error::Crypto(_))), "{purpose} {text}");
        }
        let other = SealingKeys::new("one", &[8; 32]).unwrap();
        assert!(other.open("a", &sealed).is_err());
    }

    #[test]
    fn an_old_key_opens_and_seals_no_more() {
        let old = SealingKeys::new("old", &[1; 32]).unwrap();
        let sealed = old.seal("a", b"secret").unwrap();
        let ring = SealingKeys::new("new", &[2; 32]).unwrap().and_old("old", &[1; 32]).unwrap();
        assert_eq!(&**ring.open("a", &sealed).unwrap(), b"secret");
        assert!(ring.seal("a", b"secret").unwrap().starts_with("new."));
        let new = SealingKeys::new("new", &[2; 32]).unwrap();
        let error = new.open("a", &sealed).unwrap_err().to_string();
        assert!(error.contains("no sealing key named `old`"), "{error}");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for (name, key) in [("", &[0; 32][..]), ("a.b", &[0; 32]), ("a", &[0; 31]), ("a", &[0; 33])]
        {
            assert!(matches!(SealingKeys::new(name, key), Err(Error::Misconfigured(_))), "{name}");
        }
        let twice = SealingKeys::new("a", &[0; 32]).unwrap().and_old("a", &[1; 32]);
        assert!(matches!(twice, Err(Error::Misconfigured(_))));
    }
}
