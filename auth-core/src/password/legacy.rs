//! Password hashes from before: [`LegacyHash`].

/// A form in which an older system kept passwords, as
/// [`PasswordHasher::accept`](super::PasswordHasher::accept) takes it.
///
/// It only verifies. Whoever logs in with such a hash gets a new one of argon2 in the same moment,
/// so that the old ones disappear by themselves.
///
/// # Examples
///
/// The users of a system that kept unsalted SHA-256 in hexadecimal:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), auth_core::error::Error> {
/// use auth_core::password::{LegacyHash, PasswordHash, PasswordHasher, Verdict};
/// use sha2::{Digest, Sha256};
/// use subtle::ConstantTimeEq;
///
/// struct Sha256Hex;
///
/// impl LegacyHash for Sha256Hex {
///     fn verify(&self, password: &str, stored: &str) -> Option<bool> {
///         if stored.len() != 64 || !stored.bytes().all(|byte| byte.is_ascii_hexdigit()) {
///             return None;
///         }
///         let digest = Sha256::digest(password);
///         let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
///         Some(hex.as_bytes().ct_eq(stored.to_ascii_lowercase().as_bytes()).into())
///     }
/// }
///
/// let hasher = PasswordHasher::default().accept(Sha256Hex);
/// let old = "c4bbcb1fbec99d65bf59d85c8cb62ee2db963f0fe106f483d9afa73bd4e39a8a";
/// let old = PasswordHash::from_stored(old);
/// let verdict = hasher.verify("correct horse battery staple", Some(&old)).await?;
/// assert_eq!(verdict, Verdict::Right { outdated: true });
/// assert_eq!(hasher.verify("wrong", Some(&old)).await?, Verdict::Wrong);
/// # Ok(())
/// # }
/// ```
///
/// # Security
///
/// Until its owner logs in, an old hash protects his password as badly as it did before.
pub trait LegacyHash: Send + Sync + 'static {
    /// Whether the stored text is a hash of this password; `None` if it is not of this form.
    ///
    /// This runs on a thread of the hasher, so it may take its time. The password has at most
    /// [`MAX_PASSWORD_BYTES`](super::MAX_PASSWORD_BYTES).
    fn verify(&self, password: &str, stored: &str) -> Option<bool>;
}
