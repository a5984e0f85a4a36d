//! The digest of a body: `Content-Digest` (RFC 9530).

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use http::HeaderMap;
use sfv::{BareItem, Dictionary, Item, ListEntry, Parser};
use subtle::ConstantTimeEq;

pub(super) const CONTENT_DIGEST: &str = "content-digest";

/// The value of the header for a body.
pub(super) fn of(body: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    format!("sha-256=:{}:", STANDARD.encode(digest(&SHA256, body)))
}

/// Whether the header is there and every digest in it that is understood is that of the body. At
/// least one has to be.
pub(crate) fn digest_holds(headers: &HeaderMap, body: &[u8]) -> bool {
    let Some(digests) = dictionary(headers, CONTENT_DIGEST) else { return false };
    let mut understood = 0;
    for (name, entry) in &digests {
        let algorithm = match name.as_str() {
            "sha-256" => &SHA256,
            "sha-512" => &SHA512,
            _ => continue,
        };
        let ListEntry::Item(Item { bare_item: BareItem::ByteSequence(written), .. }) = entry else {
            return false;
        };
        if !bool::from(written.as_slice().ct_eq(digest(algorithm, body).as_ref())) {
            return false;
        }
        understood += 1;
    }
    understood > 0
}

/// Reads a header that is a dictionary, in one line or several.
pub(super) fn dictionary(headers: &HeaderMap, name: &str) -> Option<Dictionary> {
    let mut lines = Vec::new();
    for value in headers.get_all(name) {
        lines.push(value.to_str().ok()?);
    }
    if lines.is_empty() {
        return None;
    }
    Parser::new(&lines.join(", ")).parse().ok()
}
