//! The key ring: one key signs, all of them verify.

use std::{ffi::OsString, fmt};

use aws_lc_rs::{
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair},
};
use pkcs8::SecretDocument;

use super::{
    JwtAlgorithm, jwk,
    key::{JwtKey, Private, crypto},
    refused,
};
use crate::{error::Error, secret::random};

/// The keys of tokens: the first one signs, all of them verify.
///
/// A token names its key by `kid`, and each key takes one algorithm. To rotate, put a new key in
/// front and keep the old one until the last token that it signed has expired:
/// [`with_previous`](Self::with_previous), or both in one JWK set.
///
/// # Examples
///
/// Keys that live as long as the process, for a test or a first try:
///
/// ```
/// use auth_core::jwt::{JwtAlgorithm, JwtKeys};
///
/// let keys = JwtKeys::generate(JwtAlgorithm::EdDsa)?;
/// # Ok::<(), auth_core::error::Error>(())
/// ```
///
/// Keys from the environment, as a server takes them:
///
/// ```no_run
/// use auth_core::jwt::JwtKeys;
///
/// let keys = JwtKeys::from_env("AUTH_JWT_KEYS")?;
/// # Ok::<(), auth_core::error::Error>(())
/// ```
///
/// # Security
///
/// Every constructor refuses what would make tokens forgeable: a shared secret that is short,
/// published, or no random bytes (RFC 8725 section 3.5); RSA below 2048 bits; shared secrets and
/// key pairs in one ring, where a public key could be taken for a secret; two keys of one `kid`.
/// `Debug` shows names and algorithms; an error text never holds a part of a key.
pub struct JwtKeys {
    keys: Vec<JwtKey>,
}

impl JwtKeys {
    /// A ring of one shared secret, for HS256.
    ///
    /// Take at least 32 random bytes. Prefer a key pair where anybody else verifies the tokens:
    /// who has the secret can sign.
    ///
    /// # Errors
    ///
    /// - shorter than 32 bytes, or easily guessed: [`Error::Misconfigured`]
    pub fn hs256(secret: &[u8]) -> Result<Self, Error> {
        Self::ring(vec![JwtKey::hs256(secret, None)?]).signing()
    }

    /// A ring of one private key in PEM: PKCS#8 (`PRIVATE KEY`), or the older `RSA PRIVATE KEY` and
    /// `EC PRIVATE KEY`. Encrypted files are not read.
    ///
    /// # Errors
    ///
    /// - not a PEM file, another kind of key, an algorithm without a key pair, RSA below 2048 bits:
    ///   [`Error::Misconfigured`]
    pub fn from_pem(algorithm: JwtAlgorithm, private_pem: &str) -> Result<Self, Error> {
        let unreadable = || refused(format_args!("this is not a private key for {algorithm}"));
        let (label, der) = SecretDocument::from_pem(private_pem)
            .map_err(|_| refused("this is not a private key in PEM"))?;
        let der = der.as_bytes();
        let private = match (algorithm, label) {
            (JwtAlgorithm::EdDsa, "PRIVATE KEY") => {
                Ed25519KeyPair::from_pkcs8(der).map(Private::Ed25519)
            }
            (JwtAlgorithm::Es256, "PRIVATE KEY" | "EC PRIVATE KEY") => {
                EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
                    .map(Private::P256)
            }
            (JwtAlgorithm::Rs256, "PRIVATE KEY") => RsaKeyPair::from_pkcs8(der).map(Private::Rsa),
            (JwtAlgorithm::Rs256, "RSA PRIVATE KEY") => RsaKeyPair::from_der(der).map(Private::Rsa),
            _ => return Err(unreadable()),
        };
        let key = JwtKey::signing(private.map_err(|_| unreadable())?, None)?;
        Self::ring(vec![key]).signing()
    }

    /// A ring from a JWK set (RFC 7517), or from a single JWK.
    ///
    /// Kinds of keys: `oct`, `OKP` on Ed25519, `EC` on P-256, `RSA`. The first key signs and has
    /// its private members; those after it may have them. A key without `kid` is named by its
    /// thumbprint (RFC 7638); `alg`, where given, has to fit. An RSA key needs all of
    /// `d p q dp dq qi`.
    ///
    /// # Errors
    ///
    /// - not a JWK set, a key that is not supported, inconsistent or weak, a ring that may not be:
    ///   [`Error::Misconfigured`]
    pub fn from_jwks(json: &str) -> Result<Self, Error> {
        Self::ring(jwk::read(json)?).signing()
    }

    /// A ring that verifies and cannot sign, from a JWK set of public keys: for a service that
    /// takes the tokens of another.
    ///
    /// # Errors
    ///
    /// - a key that could sign is among them, or as for [`from_jwks`](Self::from_jwks):
    ///   [`Error::Misconfigured`]
    pub fn verify_only_jwks(json: &str) -> Result<Self, Error> {
        let ring = Self::ring(jwk::read(json)?).checked()?;
        if ring.keys.iter().any(|key| key.private().is_some()) {
            return Err(refused("a ring that only verifies takes public keys only"));
        }
        Ok(ring)
    }

    /// A ring that verifies and cannot sign, from the JWK set that another issuer publishes: what is
    /// of use in it. Keys of other kinds, for other algorithms or for encryption are passed over, and
    /// so are shared secrets, which nobody publishes.
    ///
    /// # Errors
    ///
    /// - not a JWK set, or no key in it is of use; two of one `kid`: [`Error::Misconfigured`]
    pub fn published_jwks(json: &str) -> Result<Self, Error> {
        let keys = jwk::read_published(json)?;
        Self::ring(keys.into_iter().filter(|key| key.private().is_none()).collect()).checked()
    }

    /// Whether a token that names this key can be verified.
    #[cfg(feature = "oidc")]
    pub(crate) fn has(&self, kid: Option<&str>) -> bool {
        self.find(kid).is_some()
    }

    /// A ring from an environment variable that holds what [`from_jwks`](Self::from_jwks) reads.
    ///
    /// # Errors
    ///
    /// - the variable is not set or empty, or does not hold such a ring: [`Error::Misconfigured`],
    ///   which names the variable and never shows its value
    pub fn from_env(name: &str) -> Result<Self, Error> {
        Self::from_variable(name, std::env::var_os(name))
    }

    pub(super) fn from_variable(name: &str, value: Option<OsString>) -> Result<Self, Error> {
        let wrong = |what: &dyn fmt::Display| {
            Error::Misconfigured(format!(
                "environment variable {name}: {what}. It holds a JWK set with a private key, as in \
                 {{\"keys\":[{{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"...\",\"d\":\"...\"}}]}}"
            ))
        };
        let value = value.ok_or_else(|| wrong(&"not set"))?;
        match value.to_str() {
            None => Err(wrong(&"not UTF-8")),
            Some(json) if json.trim().is_empty() => Err(wrong(&"empty")),
            Some(json) => Self::from_jwks(json).map_err(|error| wrong(&error)),
        }
    }

    /// A ring of one new key: 32 random bytes, an Ed25519 or P-256 pair, or RSA of 3072 bits.
    ///
    /// Tokens end with the key, so an application that restarts makes a key once and keeps
    /// [`dangerous_private_jwks`](Self::dangerous_private_jwks) where only it can read.
    ///
    /// # Errors
    ///
    /// - the system has no random numbers to give: [`Error::Crypto`]
    pub fn generate(algorithm: JwtAlgorithm) -> Result<Self, Error> {
        let private = match algorithm {
            JwtAlgorithm::Hs256 => Private::hmac(&zeroize::Zeroizing::new(random::<32>()?)[..]),
            JwtAlgorithm::EdDsa => Private::Ed25519(Ed25519KeyPair::generate().map_err(crypto)?),
            JwtAlgorithm::Es256 => Private::P256(
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(crypto)?,
            ),
            JwtAlgorithm::Rs256 => {
                Private::Rsa(RsaKeyPair::generate(KeySize::Rsa3072).map_err(crypto)?)
            }
        };
        Self::ring(vec![JwtKey::signing(private, None)?]).signing()
    }

    /// Adds the keys of another ring behind these. They verify; the first key still signs.
    ///
    /// # Errors
    ///
    /// - a `kid` is in both, or one ring has shared secrets and the other has not:
    ///   [`Error::Misconfigured`]
    pub fn with_previous(mut self, previous: Self) -> Result<Self, Error> {
        self.keys.extend(previous.keys);
        self.checked()
    }

    /// The JWK set of all keys **with their private members**, to be kept where only the
    /// application can read it, as in a file of mode 0600. [`from_jwks`](Self::from_jwks) reads it
    /// back.
    ///
    /// # Errors
    ///
    /// - the library does not give a key away: [`Error::Crypto`]
    ///
    /// # Security
    ///
    /// Who reads this text can sign in as every user.
    pub fn dangerous_private_jwks(&self) -> Result<String, Error> {
        jwk::write_private(&self.keys)
    }

    /// The JWK set of the public keys, to be published for those who verify the tokens. Shared
    /// secrets are left out.
    ///
    /// # Errors
    ///
    /// - the library does not give a key away: [`Error::Crypto`]
    pub fn public_jwks(&self) -> Result<String, Error> {
        jwk::write_public(&self.keys)
    }

    pub(super) fn ring(keys: Vec<JwtKey>) -> Self {
        Self { keys }
    }

    fn signing(self) -> Result<Self, Error> {
        let ring = self.checked()?;
        match ring.signing_key() {
            Some(_) => Ok(ring),
            None => {
                Err(refused("the first token key cannot sign: its private members are missing"))
            }
        }
    }

    fn checked(self) -> Result<Self, Error> {
        let Some(first) = self.keys.first() else {
            return Err(refused("a ring of token keys is empty"));
        };
        let symmetric = first.algorithm().is_symmetric();
        if self.keys.iter().any(|key| key.algorithm().is_symmetric() != symmetric) {
            return Err(refused("shared secrets and key pairs do not go into one ring"));
        }
        for (index, key) in self.keys.iter().enumerate() {
            if self.keys[..index].iter().any(|other| other.kid() == key.kid()) {
                return Err(refused(format_args!("two token keys have the `kid` {:?}", key.kid())));
            }
        }
        Ok(self)
    }

    /// The key that signs, `None` in a ring that only verifies.
    pub(super) fn signing_key(&self) -> Option<&JwtKey> {
        self.keys.first().filter(|key| key.private().is_some())
    }

    /// The key of that name; without a name, the only key there is.
    pub(super) fn find(&self, kid: Option<&str>) -> Option<&JwtKey> {
        match (kid, &*self.keys) {
            (Some(kid), keys) => keys.iter().find(|key| key.kid() == kid),
            (None, [key]) => Some(key),
            (None, _) => None,
        }
    }
}

impl fmt::Debug for JwtKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.keys).finish()
    }
}
