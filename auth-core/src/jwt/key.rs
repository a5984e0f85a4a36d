//! One key: it signs, or verifies, or both, with the one algorithm it was made for.

use std::fmt;

use aws_lc_rs::{
    encoding::{AsBigEndian, AsDer, Pkcs8V1Der},
    error::Unspecified,
    hmac,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair, ParsedPublicKey,
        RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, VerificationAlgorithm,
    },
};
use pkcs1::der::Decode;
use zeroize::Zeroizing;

use super::{jwk, refused, weak};
use crate::error::Error;

/// How a token is signed.
///
/// `none` is not among them, and a key has exactly one: what the header of a token says can only
/// agree with the key that it names, never choose for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JwtAlgorithm {
    /// HMAC with SHA-256. Whoever verifies can sign as well, so only for one service by itself.
    Hs256,
    /// Ed25519, the recommended one: small keys, small signatures, nothing to choose.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, for verifiers that know nothing else.
    Rs256,
}

impl JwtAlgorithm {
    /// The value of `alg`, as RFC 7518 and RFC 8037 register it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    pub(super) const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256)
    }
}

impl fmt::Display for JwtAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The half of a key that signs.
pub(super) enum Private {
    /// The precomputed key, and the secret it was made of, which is needed to write it down again.
    Hmac(Box<hmac::Key>, Zeroizing<Vec<u8>>),
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl Private {
    pub(super) fn hmac(secret: &[u8]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        Self::Hmac(Box::new(key), Zeroizing::new(secret.to_vec()))
    }

    fn public(&self) -> Result<Public, Error> {
        match self {
            Self::Hmac(key, _) => Ok(Public::Hmac(key.clone())),
            Self::Ed25519(pair) => Public::ed25519(pair.public_key().as_ref()),
            Self::P256(pair) => Public::p256(pair.public_key().as_ref()),
            Self::Rsa(pair) => Public::rsa(pair.public_key().as_ref()),
        }
    }
}

/// The half of a key that verifies, parsed once.
pub(super) enum Public {
    Hmac(Box<hmac::Key>),
    Ed25519(ParsedPublicKey),
    P256(ParsedPublicKey),
    Rsa(ParsedPublicKey),
}

impl Public {
    /// From the 32 bytes of RFC 8032.
    pub(super) fn ed25519(bytes: &[u8]) -> Result<Self, Error> {
        parse(&ED25519, bytes).map(Self::Ed25519)
    }

    /// From the 65 bytes of an uncompressed point. One that is not on the curve is refused.
    pub(super) fn p256(point: &[u8]) -> Result<Self, Error> {
        parse(&ECDSA_P256_SHA256_FIXED, point).map(Self::P256)
    }

    /// From the DER of an `RSAPublicKey` (RFC 8017). 2048 bits is the floor of RFC 7518 section
    /// 3.3, 8192 the ceiling of the library.
    pub(super) fn rsa(der: &[u8]) -> Result<Self, Error> {
        let bits = rsa_bits(der)?;
        if !(2048..=8192).contains(&bits) {
            return Err(refused(format_args!(
                "an RSA key has 2048 to 8192 bits, this one has {bits}"
            )));
        }
        parse(&RSA_PKCS1_2048_8192_SHA256, der).map(Self::Rsa)
    }

    pub(super) fn algorithm(&self) -> JwtAlgorithm {
        match self {
            Self::Hmac(_) => JwtAlgorithm::Hs256,
            Self::Ed25519(_) => JwtAlgorithm::EdDsa,
            Self::P256(_) => JwtAlgorithm::Es256,
            Self::Rsa(_) => JwtAlgorithm::Rs256,
        }
    }
}

fn parse(
    algorithm: &'static dyn VerificationAlgorithm,
    bytes: &[u8],
) -> Result<ParsedPublicKey, Error> {
    ParsedPublicKey::new(algorithm, bytes)
        .map_err(|_| refused("the public members do not make a key"))
}

/// The two numbers in the DER of an `RSAPublicKey`.
pub(super) fn rsa_public(der: &[u8]) -> Result<pkcs1::RsaPublicKeyRef<'_>, Error> {
    pkcs1::RsaPublicKeyRef::from_der(der).map_err(|_| refused("the RSA key cannot be read"))
}

fn rsa_bits(der: &[u8]) -> Result<usize, Error> {
    let modulus = rsa_public(der)?.modulus;
    let bytes = modulus.as_bytes();
    let unused = bytes.first().map_or(0, |byte| byte.leading_zeros() as usize);
    Ok(bytes.len() * 8 - unused)
}

/// One key of a ring: its name, its algorithm, and one or both of its halves.
pub(super) struct JwtKey {
    kid: Box<str>,
    private: Option<Private>,
    public: Public,
}

impl JwtKey {
    /// A shared secret, if it is long and random enough.
    pub(super) fn hs256(secret: &[u8], kid: Option<String>) -> Result<Self, Error> {
        weak::check(secret)?;
        Self::signing(Private::hmac(secret), kid)
    }

    /// A key that signs and verifies.
    pub(super) fn signing(private: Private, kid: Option<String>) -> Result<Self, Error> {
        let public = private.public()?;
        Self::named(Some(private), public, kid)
    }

    /// A key that verifies only.
    pub(super) fn verifying(public: Public, kid: Option<String>) -> Result<Self, Error> {
        Self::named(None, public, kid)
    }

    fn named(private: Option<Private>, public: Public, kid: Option<String>) -> Result<Self, Error> {
        let kid = match kid {
            Some(kid) if kid.is_empty() || kid.len() > 128 => {
                return Err(refused("a `kid` has 1 to 128 bytes"));
            }
            Some(kid) => kid,
            None => jwk::thumbprint(&public)?,
        };
        if let Public::Rsa(key) = &public {
            let bits = rsa_bits(key.as_ref())?;
            if bits < 3072 {
                // 128 bits of security take 3072 (OWASP ASVS 11.2.3).
                tracing::warn!(kid, bits, "an RSA key for tokens should have 3072 bits or more");
            }
        }
        Ok(Self { kid: kid.into(), private, public })
    }

    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    pub(super) fn algorithm(&self) -> JwtAlgorithm {
        self.public.algorithm()
    }

    pub(super) fn private(&self) -> Option<&Private> {
        self.private.as_ref()
    }

    pub(super) fn public(&self) -> &Public {
        &self.public
    }

    /// Signs. `None` for a key that only verifies.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Result<Vec<u8>, Error>> {
        let signature = match self.private.as_ref()? {
            Private::Hmac(key, _) => Ok(hmac::sign(key, message).as_ref().to_vec()),
            Private::Ed25519(pair) => pair.try_sign(message).map(|s| s.as_ref().to_vec()),
            Private::P256(pair) => {
                pair.sign(&SystemRandom::new(), message).map(|s| s.as_ref().to_vec())
            }
            Private::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map(|()| signature)
            }
        };
        Some(signature.map_err(crypto))
    }

    /// Whether the signature is this key's, of this message. Compares in constant time.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.public {
            Public::Hmac(key) => hmac::verify(key, message, signature).is_ok(),
            Public::Ed25519(key) | Public::P256(key) | Public::Rsa(key) => {
                key.verify_sig(message, signature).is_ok()
            }
        }
    }
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}

/// The 32 bytes that an Ed25519 key is made of.
pub(super) fn ed25519_seed(pair: &Ed25519KeyPair) -> Result<Zeroizing<Vec<u8>>, Error> {
    let seed = pair.seed().and_then(|seed| seed.as_be_bytes()).map_err(crypto)?;
    Ok(Zeroizing::new(seed.as_ref().to_vec()))
}

/// The private number of a P-256 key, 32 bytes.
pub(super) fn p256_scalar(pair: &EcdsaKeyPair) -> Result<Zeroizing<Vec<u8>>, Error> {
    let number = pair.private_key().as_be_bytes().map_err(crypto)?;
    Ok(Zeroizing::new(number.as_ref().to_vec()))
}

/// The PKCS#8 form of an RSA key, the only one that the library writes.
pub(super) fn rsa_pkcs8(pair: &RsaKeyPair) -> Result<Pkcs8V1Der<'static>, Error> {
    pair.as_der().map_err(crypto)
}

pub(super) fn crypto(error: Unspecified) -> Error {
    Error::Crypto(error.into())
}
