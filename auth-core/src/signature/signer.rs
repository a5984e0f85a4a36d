//! The other side: a program that signs its requests.

use std::{fmt, sync::Arc};

use aws_lc_rs::{hmac, signature::Ed25519KeyPair};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::{DateTime, Utc};
use http::{HeaderName, HeaderValue, Request, header::HeaderMap};
use sfv::{BareItem, InnerList, Integer, Item, Key};

use super::{
    Message, SignatureAlgorithm, SignatureError,
    base::serialized,
    digest::{self, CONTENT_DIGEST},
    presented::{SIGNATURE, SIGNATURE_INPUT},
};
use crate::secret::random;

/// Signs requests, for programs that call a server which asks for it.
///
/// Signed are the method, host, path and query, the digest of the body, the headers that
/// [`with_header`](Self::with_header) names, the time, and a random nonce, which makes each
/// signature one of its kind.
///
/// # Security
///
/// The secret is in memory as long as the signer is. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Signer {
    key_id: String,
    key: SigningKey,
    headers: Vec<HeaderName>,
}

#[derive(Clone)]
enum SigningKey {
    Hmac(Arc<hmac::Key>),
    Ed25519(Arc<Ed25519KeyPair>),
}

impl Signer {
    /// A signer with a shared secret.
    #[must_use]
    pub fn hmac_sha256(key_id: impl Into<String>, secret: &[u8]) -> Self {
        let key = SigningKey::Hmac(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, secret)));
        Self { key_id: key_id.into(), key, headers: Vec::new() }
    }

    /// A signer with a private key: its seed of 32 bytes, or PKCS#8 in DER.
    ///
    /// # Errors
    ///
    /// - it is neither: [`SignatureError`]
    pub fn ed25519(key_id: impl Into<String>, key: &[u8]) -> Result<Self, SignatureError> {
        let pair = match key.len() {
            32 => Ed25519KeyPair::from_seed_unchecked(key),
            _ => Ed25519KeyPair::from_pkcs8_maybe_unchecked(key),
        };
        let pair = pair.map_err(|_| SignatureError("this is no Ed25519 key".into()))?;
        let key = SigningKey::Ed25519(Arc::new(pair));
        Ok(Self { key_id: key_id.into(), key, headers: Vec::new() })
    }

    /// Signs this header too, where a request has it.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName) -> Self {
        self.headers.push(name);
        self
    }

    /// How it signs.
    #[must_use]
    pub fn algorithm(&self) -> SignatureAlgorithm {
        match self.key {
            SigningKey::Hmac(_) => SignatureAlgorithm::HmacSha256,
            SigningKey::Ed25519(_) => SignatureAlgorithm::Ed25519,
        }
    }

    /// Adds `Content-Digest`, where there is a body, `Signature-Input` and `Signature`.
    ///
    /// # Errors
    ///
    /// - the address names no host and there is no `Host` header, or a header cannot be signed:
    ///   [`SignatureError`]
    pub fn sign<B: AsRef<[u8]>>(&self, request: &mut Request<B>) -> Result<(), SignatureError> {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let headers = request.headers().clone();
        let message = Message { method: &method, uri: &uri, headers: &headers };
        let added = self.headers_for(&message, request.body().as_ref(), Utc::now())?;
        for (name, value) in added {
            request.headers_mut().insert(name, value);
        }
        Ok(())
    }

    /// The headers for a request that is not of the `http` crate, signed at this time.
    ///
    /// # Errors
    ///
    /// - as in [`sign`](Self::sign)
    pub fn headers_for(
        &self,
        message: &Message<'_>,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, SignatureError> {
        let mut headers: HeaderMap = message.headers.clone();
        let mut added = Vec::new();
        let mut names = vec!["@method", "@authority", "@path"];
        if message.uri.query().is_some() {
            names.push("@query");
        }
        let digest_name = HeaderName::from_static(CONTENT_DIGEST);
        if !body.is_empty() {
            let digest = value(digest::of(body))?;
            headers.insert(digest_name.clone(), digest.clone());
            added.push((digest_name, digest));
            names.push(CONTENT_DIGEST);
        }
        let own = self.headers.iter().filter(|name| headers.contains_key(*name));
        names.extend(own.map(HeaderName::as_str).filter(|name| *name != CONTENT_DIGEST));
        let signed = self.input(&names, now)?;
        let message = Message { headers: &headers, ..*message };
        let scheme = message.uri.scheme_str().unwrap_or("https");
        let base = message.signature_base(&signed, scheme)?;
        let signature = STANDARD.encode(self.key.sign(base.as_bytes()));
        let input = value(format!("sig={}", serialized(&signed)))?;
        added.push((HeaderName::from_static(SIGNATURE_INPUT), input));
        added.push((HeaderName::from_static(SIGNATURE), value(format!("sig=:{signature}:"))?));
        Ok(added)
    }

    fn input(&self, names: &[&str], now: DateTime<Utc>) -> Result<InnerList, SignatureError> {
        let text = |text: &str| {
            sfv::String::from_string(text.to_owned())
                .map(BareItem::String)
                .map_err(|_| SignatureError(format!("{text:?} is not ASCII")))
        };
        let mut signed = InnerList::default();
        for name in names {
            signed.items.push(Item::new(text(name)?));
        }
        let nonce = random::<16>().map_err(|error| SignatureError(error.to_string()))?;
        let created = Integer::try_from(now.timestamp())
            .map_err(|_| SignatureError("the time is out of range".into()))?;
        for (name, value) in [
            ("created", BareItem::Integer(created)),
            ("keyid", text(&self.key_id)?),
            ("alg", text(self.algorithm().name())?),
            ("nonce", text(&URL_SAFE_NO_PAD.encode(nonce))?),
        ] {
            let name = Key::from_string(name.to_owned())
                .map_err(|_| SignatureError("a parameter has no name".into()))?;
            signed.params.insert(name, value);
        }
        Ok(signed)
    }
}

impl SigningKey {
    fn sign(&self, base: &[u8]) -> Vec<u8> {
        match self {
            Self::Hmac(key) => hmac::sign(key, base).as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(base).as_ref().to_vec(),
        }
    }
}

fn value(text: String) -> Result<HeaderValue, SignatureError> {
    HeaderValue::try_from(text).map_err(|_| SignatureError("a value is no header".into()))
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("key_id", &self.key_id)
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}
