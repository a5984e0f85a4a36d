//! Hashing passwords off the async threads: [`PasswordHasher`].

use std::{fmt, num::NonZero, sync::Arc, thread};

use argon2::Params;
use zeroize::Zeroizing;

use super::{
    MAX_PASSWORD_BYTES, PasswordHash,
    cost::Argon2Cost,
    legacy::LegacyHash,
    phc::{Argon2Hash, SALT_BYTES, TAG_BYTES},
    pool::Pool,
};
use crate::{error::Error, secret::random};

/// How many hashes may wait by default. At 25 ms a hash and two threads the last one waits three
/// seconds; a longer queue would only serve clients that have given up.
const QUEUE: usize = 256;

/// What became of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The password is wrong, or there is no hash to compare it with.
    Wrong,
    /// The password is right.
    Right {
        /// Whether the hash should be replaced by a new one of the same password, because it was
        /// made with another algorithm or at a lower cost than the configured one.
        outdated: bool,
    },
}

/// Makes and verifies argon2id hashes, on threads of its own.
///
/// A hash takes tens of milliseconds and megabytes on purpose. So it runs on a few threads of low
/// priority, each of which keeps its memory, behind a bounded queue: requests that do not log in
/// are served as before, and a flood of logins cannot use up the memory. Threads start with the
/// first hash and end when the last clone is dropped.
///
/// One hasher per process is enough; clones share the threads and the queue.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), auth_core::error::Error> {
/// use auth_core::password::{PasswordHasher, Verdict};
///
/// let hasher = PasswordHasher::default().threads(2);
/// let hash = hasher.hash("correct horse battery staple").await?;
/// let verdict = hasher.verify("correct horse battery staple", Some(&hash)).await?;
/// assert_eq!(verdict, Verdict::Right { outdated: false });
/// assert_eq!(hasher.verify("anything", None).await?, Verdict::Wrong);
/// # Ok(())
/// # }
/// ```
///
/// # Security
///
/// An unknown user, a user without a password and a wrong password cost the same work. Passwords
/// are taken as they are: not trimmed, not normalised, not cut. Copies of them are wiped after use.
#[derive(Clone)]
pub struct PasswordHasher(Arc<Inner>);

struct Inner {
    cost: Argon2Cost,
    params: Params,
    /// What a password is compared with where there is no hash. Nothing verifies against it.
    dummy: Argon2Hash,
    /// Forms of hashes from before.
    legacy: Vec<Arc<dyn LegacyHash>>,
    pool: Pool,
}

impl PasswordHasher {
    /// A hasher of this cost.
    ///
    /// # Errors
    ///
    /// - the cost is below what OWASP recommends, or argon2 does not know it:
    ///   [`Error::Misconfigured`]
    pub fn new(cost: Argon2Cost) -> Result<Self, Error> {
        if !cost.is_sufficient() {
            return Err(Error::Misconfigured(format!(
                "{cost:?} is too cheap to protect passwords; OWASP recommends at least one of \
                 (memory in KiB, iterations): {:?}",
                Argon2Cost::MINIMA
            )));
        }
        Self::of_any_cost(cost)
    }

    /// A hasher whose hashes protect nothing: 8 KiB, one pass. For tests of applications, where a
    /// real hash takes most of the time.
    ///
    /// # Panics
    ///
    /// Never; the cost is one that argon2 knows.
    #[must_use]
    pub fn dangerous_fast_for_tests() -> Self {
        let cost = Argon2Cost { memory_kib: 8, iterations: 1, parallelism: 1 };
        Self::of_any_cost(cost).expect("argon2 knows its own minimum")
    }

    fn of_any_cost(cost: Argon2Cost) -> Result<Self, Error> {
        let refuse = |error: &dyn fmt::Display| {
            Error::Misconfigured(format!("argon2 does not know {cost:?}: {error}"))
        };
        let params = cost.params().map_err(|error| refuse(&error))?;
        // The tag is no hash of anything: to find a password for it is to invert argon2.
        let dummy = Argon2Hash::text(&params, &[0; SALT_BYTES], &[0; TAG_BYTES])
            .map_err(|error| refuse(&error))?;
        let dummy = Argon2Hash::parse(&dummy, cost).map_err(|error| refuse(&error))?;
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let pool = Pool::new(threads, QUEUE);
        Ok(Self(Arc::new(Inner { cost, params, dummy, legacy: Vec::new(), pool })))
    }

    /// Sets how many hashes are computed at once. Default: as many as the process may use cores.
    /// Zero is taken as one.
    ///
    /// Each thread that has worked keeps [`Argon2Cost::memory_kib`]. Call this before the hasher is
    /// cloned: clones made before keep their own threads.
    #[must_use]
    pub fn threads(self, threads: usize) -> Self {
        let queue = self.0.pool.queue();
        self.with_pool(Pool::new(threads, queue))
    }

    /// Sets how many hashes may wait for a thread; one more is refused with
    /// [`Error::Overloaded`]. Default: 256, which two threads work off in about three seconds.
    ///
    /// Call this before the hasher is cloned, as with [`threads`](Self::threads).
    #[must_use]
    pub fn queue(self, queue: usize) -> Self {
        let threads = self.0.pool.threads();
        self.with_pool(Pool::new(threads, queue))
    }

    fn with_pool(self, pool: Pool) -> Self {
        self.rebuilt(self.0.legacy.clone(), pool)
    }

    fn rebuilt(&self, legacy: Vec<Arc<dyn LegacyHash>>, pool: Pool) -> Self {
        let Inner { cost, params, dummy, .. } = &*self.0;
        let (params, dummy) = (params.clone(), dummy.clone());
        Self(Arc::new(Inner { cost: *cost, params, dummy, legacy, pool }))
    }

    /// Accepts hashes of an older form too, until their owners log in and get new ones. Default:
    /// none. With several, the first that knows the form decides.
    ///
    /// Call this before the hasher is cloned, as with [`threads`](Self::threads).
    ///
    /// # Security
    ///
    /// Verifying an old hash costs the work of an argon2 hash beside its own, so that its time does
    /// not tell that the user exists and is an old one; a form that is expensive itself, such as
    /// bcrypt, is slower still. A text that begins as an argon2 hash is never handed to the form,
    /// nor is an empty one: a form that compares what was stored as it is would take a stolen hash
    /// for a password.
    #[must_use]
    pub fn accept(self, form: impl LegacyHash) -> Self {
        let mut legacy = self.0.legacy.clone();
        legacy.push(Arc::new(form));
        self.rebuilt(legacy, Pool::new(self.0.pool.threads(), self.0.pool.queue()))
    }

    /// How many hashes were made and verified so far, dummies included: a test compares what
    /// different logins cost.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn jobs(&self) -> usize {
        self.0.pool.accepted()
    }

    /// Hashes a new password with a new salt.
    ///
    /// Ask the [`PasswordPolicy`](super::PasswordPolicy) first; this only refuses what
    /// [`verify`](Self::verify) would never accept.
    ///
    /// # Errors
    ///
    /// - too many hashes wait: [`Error::Overloaded`]
    /// - more than [`MAX_PASSWORD_BYTES`]: [`Error::Misconfigured`], because a policy was not asked
    /// - no random numbers for the salt: [`Error::Crypto`]
    pub async fn hash(&self, password: &str) -> Result<PasswordHash, Error> {
        if password.len() > MAX_PASSWORD_BYTES {
            return Err(Error::Misconfigured(format!(
                "a password of more than {MAX_PASSWORD_BYTES} bytes was to be hashed; check new \
                 passwords with a PasswordPolicy"
            )));
        }
        let salt = random::<SALT_BYTES>()?;
        let password = copy(password);
        let params = self.0.params.clone();
        let hash = self
            .0
            .pool
            .run(move |memory| Argon2Hash::create(&params, &salt, &password, memory))
            .await?;
        hash.map(PasswordHash::from_stored).map_err(|error| Error::Crypto(error.to_string().into()))
    }
}

/// The bytes that are hashed, wiped when the job is done. No more of them than anybody's password
/// has, so that megabytes are not copied.
fn copy(password: &str) -> Zeroizing<Vec<u8>> {
    let bytes = password.as_bytes();
    Zeroizing::new(bytes[..bytes.len().min(MAX_PASSWORD_BYTES)].to_vec())
}

impl Default for PasswordHasher {
    /// A hasher of the default cost: argon2id with 19 MiB, 2 passes, 1 lane.
    fn default() -> Self {
        Self::new(Argon2Cost::default()).expect("the default cost is sufficient")
    }
}

impl fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHasher")
            .field("cost", &self.0.cost)
            .field("pool", &self.0.pool)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
mod verify;
