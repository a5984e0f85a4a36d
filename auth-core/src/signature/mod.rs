//! Signed requests: HTTP Message Signatures
//! ([RFC 9421](https://www.rfc-editor.org/rfc/rfc9421)) over a request and the digest of its body
//! ([RFC 9530](https://www.rfc-editor.org/rfc/rfc9530)).
//!
//! A caller has an access key: an id, and a secret (HMAC-SHA256) or an Ed25519 key pair. [`Signer`]
//! adds the three headers:
//!
//! ```
//! use auth_core::signature::Signer;
//!
//! let signer = Signer::hmac_sha256("ak0a1b2c", b"the secret that came with the key");
//! let mut request = http::Request::post("https://api.example/orders?dry=1").body("{}")?;
//! signer.sign(&mut request)?;
//! for name in ["content-digest", "signature-input", "signature"] {
//!     assert!(request.headers().contains_key(name));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The server is configured with [`AuthConfig::signatures`](crate::config::AuthConfig::signatures).
//! It wants under the signature: `@method`; `@target-uri`, or `@authority` and `@path`, and `@query`
//! where there is one; `content-digest` where there is a body; `created`, and `keyid`. Other headers
//! may be signed too. One signature per request; components with parameters (`;sf`, `;bs`, `;key`,
//! `;req`, `;tr`) and `@query-param` are not understood and refused.

mod base;
mod digest;
mod presented;
mod signer;

pub use base::{Message, SignatureError};
pub(crate) use digest::digest_holds;
pub(crate) use presented::PresentedSignature;
pub use signer::Signer;

/// How a request is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// `hmac-sha256`: both sides know the secret.
    HmacSha256,
    /// `ed25519`: the server knows the public key only.
    Ed25519,
}

impl SignatureAlgorithm {
    /// Its name in the registry of RFC 9421.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha256",
            Self::Ed25519 => "ed25519",
        }
    }

    /// The algorithm of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::HmacSha256, Self::Ed25519].into_iter().find(|algorithm| algorithm.name() == name)
    }
}

#[cfg(test)]
mod tests;
