//! The password hashes of the original: SHA-256 in hex, without a salt.

use auth_poem::password::LegacyHash;
use sha2::{Digest, Sha256};

/// Verifies such a hash once; the login then replaces it with one of today.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnsaltedSha256;

impl LegacyHash for UnsaltedSha256 {
    fn verify(&self, password: &str, stored: &str) -> Option<bool> {
        let is_hex = stored.len() == 64 && stored.bytes().all(|byte| byte.is_ascii_hexdigit());
        // How far two such hashes agree tells nothing of the password: no need for constant time.
        let hex =
            |digest: &[u8]| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        is_hex.then(|| hex(&Sha256::digest(password)).eq_ignore_ascii_case(stored))
    }
}
