//! A signature over the request as a credential.

use std::sync::Arc;

use aws_lc_rs::{
    hmac,
    signature::{ED25519, UnparsedPublicKey},
};
use chrono::{DateTime, Utc};
use http::{HeaderName, HeaderValue};

use super::{Claim, Found, SchemeKind};
use crate::{
    access_keys::{AccessKeyRecord, KeyMaterial, NonceHash, Signatures},
    context::Context,
    error::{Error, Failure},
    http::{RequestHead, authorization::challenge},
    keys::note_use,
    rejection::Rejection,
    signature::{Message, PresentedSignature, digest_holds},
    user::{AuthUser, UserKey},
};

mod utilmeta;

use utilmeta::UtilMetaSignature;

/// The headers of a signed request.
const HEADERS: [HeaderName; 3] = [
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("signature"),
    HeaderName::from_static("signature-input"),
];

/// The signature scheme as it is configured.
#[derive(Debug)]
pub(crate) struct SignatureScheme {
    pub(crate) settings: Signatures,
    /// What challenges name.
    pub(crate) realm: String,
}

/// A signature of one form or the other, which may hold.
struct Candidate {
    key_id: String,
    signature: Vec<u8>,
    /// The texts of which one must have been signed.
    texts: Vec<Vec<u8>>,
    /// What it must be with the key's algorithm, `None` if the request does not say.
    algorithm: Option<crate::signature::SignatureAlgorithm>,
    nonce: NonceHash,
    until: DateTime<Utc>,
}

/// What a client is not told of a signature that does not hold.
type Reason = &'static str;

impl SignatureScheme {
    /// What `WWW-Authenticate` says of it.
    pub(crate) fn challenge(&self) -> Option<HeaderValue> {
        challenge("Signature", &self.realm, "")
    }

    /// The headers that it reads.
    pub(crate) fn headers(&self) -> impl Iterator<Item = HeaderName> {
        let utilmeta = self.settings.utilmeta.then_some(utilmeta::HEADERS);
        HEADERS.into_iter().chain(utilmeta.into_iter().flatten())
    }

    /// Whether the request is signed, well or badly.
    pub(crate) fn is_presented(&self, head: &RequestHead<'_>) -> bool {
        PresentedSignature::is_presented(head.headers)
            || (self.settings.utilmeta && UtilMetaSignature::is_presented(head.headers))
    }

    /// Whom the signature names.
    pub(super) async fn find<U: AuthUser>(
        &self,
        head: &RequestHead<'_>,
        context: &Context,
    ) -> Result<Found, Failure> {
        if !self.is_presented(head) {
            return Ok(Found::Absent);
        }
        let record = match context.signed_by() {
            // Verified for another type of user already; a second time would be a repetition.
            Some(record) => record,
            None => match self.verify(head, context).await? {
                Ok(record) => context.note_signed_by(record),
                Err(reason) => {
                    tracing::debug!(reason, "a signature was refused");
                    return Ok(Found::Invalid(Rejection::InvalidSignature));
                }
            },
        };
        // A key of another type of user says nothing about this one.
        if !record.user.is_of::<U>() {
            return Ok(Found::Absent);
        }
        Ok(Found::Claim(Claim {
            user: record.user.clone(),
            stamp: None,
            token: None,
            login_at: DateTime::UNIX_EPOCH,
            scheme: SchemeKind::Signature,
            ambient: false,
            scopes: record.scopes.clone(),
        }))
    }

    async fn verify(
        &self,
        head: &RequestHead<'_>,
        context: &Context,
    ) -> Result<Result<Arc<AccessKeyRecord>, Reason>, Failure> {
        let now = context.now();
        let body = context.body().ok_or_else(|| {
            Error::Misconfigured("a signed request was authenticated without its body".into())
        })?;
        let candidate = match self.candidate(head, body, now)? {
            Ok(candidate) => candidate,
            Err(reason) => return Ok(Err(reason)),
        };
        let Some(record) = self.settings.keys.load(&candidate.key_id).await? else {
            return Ok(Err("there is no key of this id"));
        };
        if candidate.algorithm.is_some_and(|named| named != record.verifier.algorithm()) {
            return Ok(Err("the key is for another algorithm"));
        }
        if !record.is_live(now) {
            return Ok(Err("the key has ended"));
        }
        if !self.holds(&record, &candidate)? {
            return Ok(Err("it is not the signature of this key and request"));
        }
        // Last, so that only who has the key can fill the store or use up a nonce.
        if !self.settings.nonces.note(&candidate.nonce, candidate.until, now).await? {
            return Ok(Err("the request was sent before"));
        }
        note_use(&*self.settings.keys, &record, now).await;
        Ok(Ok(record))
    }

    fn candidate(
        &self,
        head: &RequestHead<'_>,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Result<Candidate, Reason>, Rejection> {
        let message = Message { method: head.method, uri: head.uri, headers: head.headers };
        let utilmeta = match self.settings.utilmeta {
            true => UtilMetaSignature::of(head.headers)?,
            false => None,
        };
        Ok(match (PresentedSignature::of(head.headers)?, utilmeta) {
            (Some(_), Some(_)) => return Err(Rejection::MalformedCredentials),
            (Some(presented), None) => self.of_rfc_9421(presented, &message, body, now),
            (None, Some(presented)) => self.of_utilmeta(&presented, &message, body, now),
            (None, None) => Err("there is none"),
        })
    }

    fn of_rfc_9421(
        &self,
        presented: PresentedSignature,
        message: &Message<'_>,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Candidate, Reason> {
        if let Some(reason) = presented.uncovered(message, body) {
            return Err(reason);
        }
        self.check_host(message)?;
        let until = presented.until(now, self.settings.window).ok_or("it is not of now")?;
        if presented.covers_digest() && !digest_holds(message.headers, body) {
            return Err("the body is another one");
        }
        let bases = presented.bases(message).ok_or("what was signed is not there")?;
        let nonce = match (&presented.nonce, bases.first()) {
            (Some(nonce), _) => NonceHash::of("nonce", &presented.key_id, nonce.as_bytes()),
            (None, base) => {
                let base = base.map_or("", String::as_str);
                NonceHash::of("base", &presented.key_id, base.as_bytes())
            }
        };
        Ok(Candidate {
            texts: bases.into_iter().map(String::into_bytes).collect(),
            key_id: presented.key_id,
            signature: presented.signature,
            algorithm: presented.algorithm,
            nonce,
            until,
        })
    }

    fn of_utilmeta(
        &self,
        presented: &UtilMetaSignature,
        message: &Message<'_>,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Candidate, Reason> {
        self.check_host(message)?;
        let until = presented.until(now, self.settings.window).ok_or("it is not of now")?;
        let texts = presented.texts(message, body).ok_or("the request names no host")?;
        Ok(Candidate {
            texts,
            key_id: presented.key_id.clone(),
            signature: presented.signature.clone(),
            algorithm: Some(crate::signature::SignatureAlgorithm::HmacSha256),
            nonce: NonceHash::of("utilmeta", &presented.key_id, &presented.signature),
            until,
        })
    }

    fn check_host(&self, message: &Message<'_>) -> Result<(), Reason> {
        let hosts = &self.settings.hosts;
        let is_ours = || message.authority().is_some_and(|host| hosts.contains(&host));
        if hosts.is_empty() || is_ours() { Ok(()) } else { Err("it is for another host") }
    }

    fn holds(&self, record: &AccessKeyRecord, candidate: &Candidate) -> Result<bool, Error> {
        let Candidate { signature, texts, .. } = candidate;
        Ok(match &record.verifier {
            KeyMaterial::HmacSha256 { sealed } => {
                let purpose = purpose(&record.id, &record.user);
                let secret = self.settings.sealing.open(&purpose, sealed)?;
                let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
                texts.iter().any(|text| hmac::verify(&key, text, signature).is_ok())
            }
            KeyMaterial::Ed25519 { public_key } => {
                let key = UnparsedPublicKey::new(&ED25519, public_key);
                texts.iter().any(|text| key.verify(text, signature).is_ok())
            }
        })
    }
}

/// What a secret is encrypted for: it does not open in another key's row.
pub(crate) fn purpose(id: &str, user: &UserKey) -> String {
    format!("access key {id} of {}", user.as_str())
}
