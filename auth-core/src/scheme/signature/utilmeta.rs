//! The form of UtilMeta: a hexadecimal HMAC over time, method, full address and body.

use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, HeaderName};

use crate::{rejection::Rejection, signature::Message};

pub(super) const HEADERS: [HeaderName; 3] = [
    HeaderName::from_static("x-access-key"),
    HeaderName::from_static("x-signature"),
    HeaderName::from_static("x-timestamp"),
];

/// What a client of UtilMeta presents.
pub(super) struct UtilMetaSignature {
    pub(super) key_id: String,
    pub(super) signature: Vec<u8>,
    /// As it is signed.
    timestamp: String,
    at: DateTime<Utc>,
}

impl UtilMetaSignature {
    pub(super) fn is_presented(headers: &HeaderMap) -> bool {
        HEADERS.iter().any(|name| headers.contains_key(name))
    }

    /// Reads it, `None` if there is none.
    ///
    /// # Errors
    ///
    /// - a header is missing, is there twice, or cannot be read: [`Rejection::MalformedCredentials`]
    pub(super) fn of(headers: &HeaderMap) -> Result<Option<Self>, Rejection> {
        if !Self::is_presented(headers) {
            return Ok(None);
        }
        Self::read(headers).map(Some).ok_or(Rejection::MalformedCredentials)
    }

    fn read(headers: &HeaderMap) -> Option<Self> {
        let one = |name: &HeaderName| {
            let mut values = headers.get_all(name).iter();
            let value = values.next()?.to_str().ok()?;
            values.next().is_none().then(|| value.to_owned())
        };
        let [key, signature, timestamp] = HEADERS;
        let timestamp = one(&timestamp)?;
        Some(Self {
            key_id: one(&key)?,
            signature: unhex(&one(&signature)?)?,
            at: time(&timestamp)?,
            timestamp,
        })
    }

    /// When it ends to be worth anything, `None` if it is not of now.
    pub(super) fn until(&self, now: DateTime<Utc>, window: TimeDelta) -> Option<DateTime<Utc>> {
        let age = now - self.at;
        let holds = age <= window && age >= -window;
        holds.then(|| self.at + window + TimeDelta::seconds(1))
    }

    /// The texts that may have been signed: a server behind a proxy does not know by which scheme it
    /// was addressed.
    pub(super) fn texts(&self, message: &Message<'_>, body: &[u8]) -> Option<Vec<Vec<u8>>> {
        let text = |scheme: &str| {
            let address = message.address(scheme)?;
            let head = format!("{}{}{address}", self.timestamp, message.method);
            Some([head.as_bytes(), body].concat())
        };
        ["https", "http"].into_iter().map(text).collect()
    }
}

/// Seconds since 1970, with a fraction or without, or a time as ISO 8601 writes it.
fn time(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.to_utc());
    }
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(seconds) || !digits(fraction) {
        return None;
    }
    DateTime::from_timestamp(seconds.parse().ok()?, 0)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |pair: &[u8]| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok();
    text.as_bytes().chunks_exact(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_utilmeta_reads_them() {
        let at = DateTime::from_timestamp(1_700_000_000, 0);
        for text in
            ["1700000000", "1700000000.25", "2023-11-14T22:13:20Z", "2023-11-14T23:13:20+01:00"]
        {
            assert_eq!(time(text), at, "{text}");
        }
        for text in ["", "-1", "1e9", "17000000000000000000000", "1.", ".1", "x", "１"] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn hexadecimal_is_read_in_both_cases() {
        let text = "00ffAb".to_owned() + &"0".repeat(58);
        assert_eq!(unhex(&text).unwrap()[..3], [0, 255, 0xab]);
        for bad in ["", "00", &"0".repeat(65), &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(unhex(bad), None, "{bad}");
        }
    }
}
