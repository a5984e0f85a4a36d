//! Signed messages (RFC 7515): the compact form, its header, its signature. What the message says is
//! for others.

use serde::{Deserialize, de::IgnoredAny};

use super::{
    keys::JwtKeys,
    present, unbase64url,
    verify::{MAX_TOKEN, object, text},
};

/// What is read of a header. The rest of it, `jwk`, `jku`, `x5u`, `x5c`, decides nothing.
#[derive(Debug, Deserialize)]
pub(super) struct Header {
    alg: String,
    #[serde(default, deserialize_with = "present")]
    pub(super) typ: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) kid: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crit: Option<IgnoredAny>,
    /// Unencoded payloads (RFC 7797) are not read, whether or not `crit` says so.
    #[serde(default, deserialize_with = "present")]
    b64: Option<IgnoredAny>,
}

/// Header, payload and signature, encoded; the first two together are what is signed.
fn parts(token: &str) -> Result<(&str, &str, &str, &str), &'static str> {
    if token.len() > MAX_TOKEN {
        return Err("too long");
    }
    // A dot too many ends up in the payload, where base64url refuses it.
    let (message, signature) = token.rsplit_once('.').ok_or("not three parts")?;
    let (header, payload) = message.split_once('.').ok_or("not three parts")?;
    Ok((message, header, payload, signature))
}

/// Reads the header of a message in its compact form.
pub(super) fn header(token: &str) -> Result<Header, &'static str> {
    let (_, header, _, _) = parts(token)?;
    let json = text(header).ok_or("the header is not text")?;
    let header: Header = object(&json).ok_or("the header is malformed")?;
    if header.crit.is_some() || header.b64.is_some() {
        return Err("`crit` asks for what is not understood");
    }
    Ok(header)
}

/// The payload of a message that one of these keys has signed. The key decides the algorithm.
pub(super) fn payload(
    keys: &JwtKeys,
    token: &str,
    header: &Header,
) -> Result<Vec<u8>, &'static str> {
    let (message, _, payload, signature) = parts(token)?;
    let key = keys.find(header.kid.as_deref()).ok_or("unknown key")?;
    if header.alg != key.algorithm().name() {
        return Err("not the algorithm of the key");
    }
    let signature = unbase64url(signature).ok_or("the signature is not base64url")?;
    if !key.verify(message.as_bytes(), &signature) {
        return Err("wrong signature");
    }
    unbase64url(payload).ok_or("the payload is not base64url")
}

/// The payload of a message that nobody has verified.
pub(super) fn unverified_payload(token: &str) -> Option<Vec<u8>> {
    let (_, _, payload, _) = parts(token).ok()?;
    unbase64url(payload)
}
