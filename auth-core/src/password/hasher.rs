//! Hashing passwords off the async threads: [`PasswordHasher`].

use std::{fmt, num::NonZero, sync::Arc, thread};

use argon2::Params;
use zeroize::Zeroizing;

use super::{
    MAX_PASSWORD_BYTES, PasswordHash,
    phc::{Argon2Hash, SALT_BYTES, TAG_BYTES},
    pool::Pool,
};
use crate::{error::Error, secret::random};

/// How many hashes may wait by default. At 25 ms a hash and two threads the last one waits three
/// seconds; a longer queue would only serve clients that have given up.
const QUEUE: usize = 256;

/// What one hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes. They are computed one after the other: more than 1 helps an attacker only.
    pub parallelism: u32,
}

impl Default for Argon2Cost {
    /// 19 MiB, 2 passes, 1 lane: the first choice of the
    /// [OWASP cheat sheet](https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id)
    /// that fits a small server.
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2, parallelism: 1 }
    }
}

impl Argon2Cost {
    /// The five choices of memory and passes that OWASP holds equally good. Less is refused.
    const MINIMA: [(u32, u32); 5] = [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)];

    fn is_sufficient(self) -> bool {
        Self::MINIMA
            .iter()
            .any(|&(memory, passes)| self.memory_kib >= memory && self.iterations >= passes)
    }

    pub(super) fn of(params: &Params) -> Self {
        Self {
            memory_kib: params.m_cost(),
            iterations: params.t_cost(),
            parallelism: params.p_cost(),
        }
    }

    pub(super) fn params(self) -> Result<Params, argon2::Error> {
        Params::new(self.memory_kib, self.iterations, self.parallelism, Some(TAG_BYTES))
    }

    /// The time that the cost stands for, in passes over a KiB.
    pub(super) fn work(self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.iterations)
    }

    /// The cost that takes as long as this one takes longer than the other. `None` where the
    /// difference is too small to be made up for.
    pub(super) fn beyond(self, other: Self) -> Option<Self> {
        let rest = self.work().saturating_sub(other.work());
        let passes = rest.div_ceil(u64::from(self.memory_kib)).max(1);
        let memory_kib = u32::try_from(rest / passes).ok()?;
        let iterations = u32::try_from(passes).ok()?;
        (memory_kib >= Params::MIN_M_COST).then_some(Self {
            memory_kib,
            iterations,
            parallelism: 1,
        })
    }
}

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
        Ok(Self(Arc::new(Inner { cost, params, dummy, pool })))
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
        let Inner { cost, params, dummy, .. } = &*self.0;
        Self(Arc::new(Inner { cost: *cost, params: params.clone(), dummy: dummy.clone(), pool }))
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

    /// Verifies a password against the hash of a user, or against nothing.
    ///
    /// `None`, for nobody or for a user without a password, takes as long as a wrong password and
    /// is [`Verdict::Wrong`]. So is a hash that is not of argon2, or whose parameters ask for more
    /// than 128 MiB or a GiB of work; that is logged as an error, without the hash. So is a
    /// password of more than [`MAX_PASSWORD_BYTES`].
    ///
    /// # Errors
    ///
    /// - too many hashes wait: [`Error::Overloaded`]
    /// - argon2 fails: [`Error::Crypto`]
    ///
    /// # Security
    ///
    /// A wrong password takes as long for a user whose hash is cheaper than the configured cost.
    /// It takes longer for one whose hash is more expensive: to lower the cost is to tell users
    /// who logged in before that from those who do not exist.
    pub async fn verify(
        &self,
        password: &str,
        hash: Option<&PasswordHash>,
    ) -> Result<Verdict, Error> {
        let cost = self.0.cost;
        let hash = match hash.map(|hash| Argon2Hash::parse(hash.expose(), cost)) {
            Some(Ok(hash)) if password.len() <= MAX_PASSWORD_BYTES => Some(hash),
            Some(Err(reason)) => {
                tracing::error!(reason, "a stored password hash cannot be used");
                None
            }
            Some(Ok(_)) | None => None,
        };
        let right =
            Verdict::Right { outdated: hash.as_ref().is_some_and(|hash| hash.is_outdated(cost)) };
        let is_real = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.0.dummy.clone());
        let usual = self.0.params.block_count();
        let password = copy(password);
        let matches = self
            .0
            .pool
            .run(move |memory| {
                let matches = hash.verify(&password, cost, memory);
                memory.keep_at_most(usual);
                matches
            })
            .await?
            .map_err(|error| Error::Crypto(error.to_string().into()))?;
        Ok(if matches & is_real { right } else { Verdict::Wrong })
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
mod tests {
    use super::*;

    fn fast() -> PasswordHasher {
        PasswordHasher::dangerous_fast_for_tests()
    }

    #[tokio::test]
    async fn the_default_is_what_the_documentation_says() {
        let hash = PasswordHasher::default().hash("correct horse battery staple").await.unwrap();
        let fields: Vec<_> = hash.expose().split('$').collect();
        assert_eq!(fields[1..4], ["argon2id", "v=19", "m=19456,t=2,p=1"]);
        // 16 and 32 bytes in base64 without padding.
        assert_eq!((fields[4].len(), fields[5].len()), (22, 43));
    }

    #[tokio::test]
    async fn a_password_verifies_exactly_as_it_was_given() {
        let hasher = fast();
        let long = format!("{}a{}", "x".repeat(150), "y".repeat(800));
        for password in ["  pässwörd…  ", "a\0b", "🦀🦀", "", &long] {
            let hash = hasher.hash(password).await.unwrap();
            let verdict = hasher.verify(password, Some(&hash)).await.unwrap();
            assert_eq!(verdict, Verdict::Right { outdated: false });
            let cut = |n: usize| password.chars().take(n).collect::<String>();
            for other in [
                password.trim().to_owned(),
                password.to_uppercase(),
                cut(1),
                cut(72),
                password.replace('a', "b"),
                format!("{password} "),
            ] {
                if other != password {
                    let verdict = hasher.verify(&other, Some(&hash)).await.unwrap();
                    assert_eq!(verdict, Verdict::Wrong, "{other:?}");
                }
            }
        }
    }

    #[tokio::test]
    async fn two_hashes_of_one_password_differ() {
        let hasher = fast();
        assert_ne!(hasher.hash("x").await.unwrap(), hasher.hash("x").await.unwrap());
    }

    #[tokio::test]
    async fn nothing_verifies_without_a_usable_hash() {
        let hasher = fast();
        let broken = PasswordHash::from_stored("not a hash");
        for password in ["", "x", "not a hash"] {
            assert_eq!(hasher.verify(password, None).await.unwrap(), Verdict::Wrong);
            assert_eq!(hasher.verify(password, Some(&broken)).await.unwrap(), Verdict::Wrong);
        }
    }

    #[tokio::test]
    async fn an_overlong_password_is_wrong_and_never_hashed() {
        let hasher = fast();
        let longest = "x".repeat(MAX_PASSWORD_BYTES);
        let hash = hasher.hash(&longest).await.unwrap();
        let verdict = hasher.verify(&longest, Some(&hash)).await.unwrap();
        assert_eq!(verdict, Verdict::Right { outdated: false });
        let longer = format!("{longest}x");
        assert_eq!(hasher.verify(&longer, Some(&hash)).await.unwrap(), Verdict::Wrong);
        assert!(matches!(hasher.hash(&longer).await, Err(Error::Misconfigured(_))));
    }

    #[tokio::test]
    async fn a_hash_of_lower_cost_is_outdated() {
        let hash = fast().hash("x").await.unwrap();
        let verdict = PasswordHasher::default().verify("x", Some(&hash)).await.unwrap();
        assert_eq!(verdict, Verdict::Right { outdated: true });
    }

    #[tokio::test]
    async fn a_full_queue_is_an_error_not_a_wrong_password() {
        use futures_util::future::join_all;
        let hasher = PasswordHasher::default().threads(1).queue(2);
        let results = join_all((0..8).map(|_| hasher.verify("x", None))).await;
        let overloaded =
            results.iter().filter(|result| matches!(result, Err(Error::Overloaded { .. }))).count();
        assert!(overloaded >= 1, "{results:?}");
        assert!(results.iter().flatten().all(|verdict| *verdict == Verdict::Wrong));
    }

    #[test]
    fn a_cost_below_owasp_is_refused() {
        for (memory_kib, iterations) in Argon2Cost::MINIMA {
            let cost = Argon2Cost { memory_kib, iterations, parallelism: 1 };
            assert!(PasswordHasher::new(cost).is_ok());
            for cost in [
                Argon2Cost { memory_kib: memory_kib - 1, ..cost },
                Argon2Cost { iterations: iterations - 1, ..cost },
            ] {
                assert!(matches!(PasswordHasher::new(cost), Err(Error::Misconfigured(_))));
            }
        }
        let no_lanes = Argon2Cost { parallelism: 0, ..Argon2Cost::default() };
        assert!(matches!(PasswordHasher::new(no_lanes), Err(Error::Misconfigured(_))));
    }

    #[test]
    fn the_difference_of_two_costs_is_made_up_for() {
        let configured = Argon2Cost::default();
        for (memory_kib, iterations) in [(8, 1), (4_096, 3), (9_216, 4), (19_456, 1), (16_384, 2)] {
            let stored = Argon2Cost { memory_kib, iterations, parallelism: 1 };
            let rest = configured.beyond(stored).unwrap();
            assert!(rest.params().is_ok() && rest.memory_kib <= configured.memory_kib);
            let total = stored.work() + rest.work();
            assert!(total.abs_diff(configured.work()) < 8, "{stored:?} and {rest:?}");
        }
        assert_eq!(configured.beyond(configured), None);
        assert_eq!(configured.beyond(Argon2Cost { memory_kib: 65_536, ..configured }), None);
    }
}
