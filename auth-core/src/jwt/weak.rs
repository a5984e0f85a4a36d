//! Which shared secrets are refused.

use super::refused;
use crate::error::Error;

/// An HMAC key has at least as many bits as the hash (RFC 7518 section 3.2).
const MIN_BYTES: usize = 32;

/// Keys that stand in documents everybody has read: RFC 7515 appendix A.1, RFC 7520 section 3.5.
const PUBLISHED: [&[u8]; 2] = [&[
    3, 35, 53, 75, 43, 15, 165, 188, 131, 126, 6, 101, 119, 123, 166, 143, 90, 179, 40, 230, 240,
    84, 201, 40, 169, 15, 132, 178, 210, 80, 46, 191, 211, 251, 90, 146, 210, 6, 71, 239, 150, 138,
    180, 195, 119, 98, 61, 34, 61, 46, 33, 114, 5, 46, 79, 8, 192, 205, 154, 245, 103, 208, 128,
    163,
], b"\x84\x9b\x57\x21\x9d\xae\x48\xde\x64\x6d\x07\xdb\xb5\x33\x56\x6e\x97\x66\x86\x45\x7c\x14\x91\xbe\x3a\x76\xdc\xea\x6c\x42\x71\x88"];

/// Words of placeholders and examples, in lower case. None is likely to come up in base64 or hex
/// of random bytes: the chance is below 1 in 10 million for six letters.
const PLACEHOLDERS: [&str; 9] = [
    "secret",
    "password",
    "passphrase",
    "changeme",
    "change-me",
    "change_me",
    "your-256-bit",
    "example",
    "placeholder",
];

/// Refuses a secret that could be guessed.
///
/// Whoever holds one token can try secrets against it at leisure, so a secret has to be random, not
/// just long (RFC 8725 section 3.5).
pub(super) fn check(secret: &[u8]) -> Result<(), Error> {
    let why = if secret.len() < MIN_BYTES {
        "is shorter than 32 bytes"
    } else if secret.starts_with(b"-----BEGIN") {
        // The classic confusion: a public key, which everybody has, taken for a secret.
        "is a PEM file"
    } else if PUBLISHED.contains(&secret) {
        "is published in a standard"
    } else if has_placeholder(secret) {
        "looks like the placeholder of an example"
    } else if repeats(secret) {
        "repeats itself"
    } else if counts(secret) {
        "counts up or down"
    } else if is_words(secret) {
        "looks like words"
    } else {
        return Ok(());
    };
    Err(refused(format_args!(
        "the secret {why}; take at least 32 random bytes, as `openssl rand -base64 32` prints them"
    )))
}

fn has_placeholder(secret: &[u8]) -> bool {
    let lower = secret.to_ascii_lowercase();
    PLACEHOLDERS.iter().any(|word| lower.windows(word.len()).any(|part| part == word.as_bytes()))
}

/// A short block over and over, or fewer than eight different bytes. Random hex digits have as
/// few with a chance of 1 in 20 million.
fn repeats(secret: &[u8]) -> bool {
    let mut seen = [false; 256];
    for &byte in secret {
        seen[usize::from(byte)] = true;
    }
    seen.iter().filter(|&&seen| seen).count() < 8
        || (1..=secret.len() / 2).any(|block| secret[block..] == secret[..secret.len() - block])
}

fn counts(secret: &[u8]) -> bool {
    let steps =
        |by: u8| secret.windows(2).filter(|pair| pair[0].wrapping_add(by) == pair[1]).count();
    steps(1).max(steps(u8::MAX)) > secret.len() / 2
}

/// Letters of one case with separators between them: a passphrase, not random bytes.
fn is_words(secret: &[u8]) -> bool {
    let only = |is_letter: fn(&u8) -> bool| {
        secret.iter().all(|byte| is_letter(byte) || b" -_.,".contains(byte))
    };
    only(u8::is_ascii_lowercase) || only(u8::is_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    #[test]
    fn refuses_what_can_be_guessed() {
        let mut cases: Vec<Vec<u8>> = [
            "",
            "secret",
            "0123456789012345678901234567890",
            "your-256-bit-secret-your-256-bit-secret",
            "a-string-secret-at-least-256-bits-long",
            "MySuperSECRETkey0123456789abcdefXYZ!",
            "changeme-9f8e7d6c5b4a39281706f5e4d3c2b1a0",
            "12345678901234567890123456789012",
            "abcdefghijklmnopqrstuvwxyz012345",
            "zyxwvutsrqponmlkjihgfedcba987654",
            "correct horse battery staple again",
            "THE-QUICK-BROWN-FOX-JUMPS-OVER-DOGS",
            "k3Jx9qZ0k3Jx9qZ0k3Jx9qZ0k3Jx9qZ0",
            "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----",
        ]
        .iter()
        .map(|case| case.as_bytes().to_vec())
        .collect();
        cases.extend([
            vec![0; 64],
            vec![b'x'; 32],
            (0..64).collect(),
            PUBLISHED[0].to_vec(),
            PUBLISHED[1].to_vec(),
        ]);
        for case in cases {
            let shown = String::from_utf8_lossy(&case).into_owned();
            let Err(error) = check(&case) else { panic!("accepted {shown:?}") };
            assert!(case.len() < 16 || !error.to_string().contains(&*shown), "{error}");
        }
    }

    #[test]
    fn accepts_random_bytes_in_every_usual_writing() {
        for _ in 0..200 {
            let bytes: [u8; 32] = crate::secret::random().unwrap();
            let hex: String = bytes[..16].iter().map(|byte| format!("{byte:02x}")).collect();
            let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
            assert!(check(&bytes).is_ok());
            assert!(check(hex.as_bytes()).is_ok(), "{hex}");
            assert!(check(base64.as_bytes()).is_ok(), "{base64}");
        }
    }
}
