//! The signature that a request presents, read and judged by its form.

use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, HeaderName};
use sfv::{BareItem, InnerList, Item, ListEntry};

use super::{
    Message, SignatureAlgorithm,
    base::component_name,
    digest::{CONTENT_DIGEST, dictionary},
};
use crate::rejection::Rejection;

pub(super) const SIGNATURE_INPUT: &str = "signature-input";
pub(super) const SIGNATURE: &str = "signature";

/// The same as names: to read a name takes longer than to look for it.
static NAMES: [HeaderName; 2] =
    [HeaderName::from_static(SIGNATURE_INPUT), HeaderName::from_static(SIGNATURE)];

/// The longest of both headers together; enough for many components and any signature.
const MAX_BYTES: usize = 8 * 1024;

/// A signature, and what its client says that it covers.
#[derive(Debug)]
pub(crate) struct PresentedSignature {
    signed: InnerList,
    pub(crate) signature: Vec<u8>,
    pub(crate) key_id: String,
    pub(crate) algorithm: Option<SignatureAlgorithm>,
    created: DateTime<Utc>,
    expires: Option<DateTime<Utc>>,
    pub(crate) nonce: Option<String>,
}

impl PresentedSignature {
    /// Whether a request presents one.
    pub(crate) fn is_presented(headers: &HeaderMap) -> bool {
        NAMES.iter().any(|name| headers.contains_key(name))
    }

    /// Reads it, `None` if there is none.
    ///
    /// # Errors
    ///
    /// - one of the headers is missing or cannot be read, there is more than one signature, or it
    ///   does not say by which key, or when it was made: [`Rejection::MalformedCredentials`]
    pub(crate) fn of(headers: &HeaderMap) -> Result<Option<Self>, Rejection> {
        if !Self::is_presented(headers) {
            return Ok(None);
        }
        let lengths = [SIGNATURE_INPUT, SIGNATURE]
            .map(|name| headers.get_all(name).iter().map(http::HeaderValue::len).sum::<usize>());
        if lengths.iter().sum::<usize>() > MAX_BYTES {
            return Err(Rejection::MalformedCredentials);
        }
        Self::read(headers).map(Some).ok_or(Rejection::MalformedCredentials)
    }

    fn read(headers: &HeaderMap) -> Option<Self> {
        let inputs = dictionary(headers, SIGNATURE_INPUT)?;
        let signatures = dictionary(headers, SIGNATURE)?;
        // With several, which one speaks for the request would be a guess.
        if inputs.len() != 1 || signatures.len() != 1 {
            return None;
        }
        let (label, input) = inputs.into_iter().next()?;
        let ListEntry::InnerList(signed) = input else { return None };
        let ListEntry::Item(Item { bare_item: BareItem::ByteSequence(signature), .. }) =
            signatures.get(label.as_str())?
        else {
            return None;
        };
        let text = |name: &str| match signed.params.get(name) {
            None => Some(None),
            Some(BareItem::String(text)) => Some(Some(text.as_str().to_owned())),
            Some(_) => None,
        };
        let time = |name: &str| match signed.params.get(name) {
            None => Some(None),
            Some(BareItem::Integer(seconds)) => {
                DateTime::from_timestamp(i64::from(*seconds), 0).map(Some)
            }
            Some(_) => None,
        };
        let algorithm = match text("alg")? {
            None => None,
            Some(name) => Some(SignatureAlgorithm::from_name(&name)?),
        };
        Some(Self {
            signature: signature.clone(),
            key_id: text("keyid")??,
            algorithm,
            created: time("created")??,
            expires: time("expires")?,
            nonce: text("nonce")?,
            signed,
        })
    }

    /// When the signature ends to be worth anything, if it is made for now; `None` if it is too old,
    /// from the future, or has ended.
    pub(crate) fn until(&self, now: DateTime<Utc>, window: TimeDelta) -> Option<DateTime<Utc>> {
        let age = now - self.created;
        if age > window || age < -window || self.expires.is_some_and(|end| end <= now) {
            return None;
        }
        // One second more: what is compared is whole seconds.
        Some(self.created + window + TimeDelta::seconds(1))
    }

    /// What the signature does not cover and should.
    pub(crate) fn uncovered(&self, message: &Message<'_>, body: &[u8]) -> Option<&'static str> {
        let names: Vec<&str> =
            self.signed.items.iter().filter_map(|item| component_name(&item.bare_item)).collect();
        for (index, name) in names.iter().enumerate() {
            if names[..index].contains(name) {
                return Some("a component is named twice");
            }
        }
        let has = |name: &str| names.contains(&name);
        if !has("@method") {
            return Some("the method is not signed");
        }
        if !has("@target-uri") {
            if !has("@authority") {
                return Some("the host is not signed");
            }
            if !has("@request-target") {
                if !has("@path") {
                    return Some("the path is not signed");
                }
                if message.uri.query().is_some() && !has("@query") {
                    return Some("the query is not signed");
                }
            }
        }
        if !body.is_empty() && !has(CONTENT_DIGEST) {
            return Some("the body is not signed");
        }
        None
    }

    /// Whether the digest of the body is signed, so that it has to hold.
    pub(crate) fn covers_digest(&self) -> bool {
        let name = |item: &Item| component_name(&item.bare_item) == Some(CONTENT_DIGEST);
        self.signed.items.iter().any(name)
    }

    /// The texts that may have been signed: a server behind a proxy does not know by which scheme it
    /// was addressed. `None` if the request lacks what is said to be signed.
    pub(crate) fn bases(&self, message: &Message<'_>) -> Option<Vec<String>> {
        let depends =
            self.signed.items.iter().any(|item| {
                matches!(component_name(&item.bare_item), Some("@target-uri" | "@scheme"))
            });
        let schemes = match message.uri.scheme_str() {
            Some(scheme) => vec![scheme],
            None if depends => vec!["https", "http"],
            None => vec!["https"],
        };
        schemes
            .into_iter()
            .map(|scheme| message.signature_base(&self.signed, scheme).ok())
            .collect()
    }
}
