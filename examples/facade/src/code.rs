//! Codes that people copy from a message.

use auth_poem::Error;
use sha2::{Digest, Sha256};

/// 32 letters and digits, none of which is easily taken for another (Crockford).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A random code of this many characters, 5 bits each.
///
/// # Errors
///
/// - the operating system has no random numbers to give
pub(crate) fn random<const LENGTH: usize>() -> auth_poem::Result<String> {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).map_err(Error::fault)?;
    Ok(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
}

/// What a database keeps of a code, so that who reads it there cannot use it.
pub(crate) fn digest(code: &str) -> String {
    Sha256::digest(code).iter().map(|byte| format!("{byte:02x}")).collect()
}
