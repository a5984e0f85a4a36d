//! Verifying: against a hash of our own, one from before, or nothing, with the same work.

use zeroize::Zeroizing;

use super::{PasswordHasher, Verdict, copy};
use crate::{
    error::Error,
    password::{MAX_PASSWORD_BYTES, PasswordHash, phc::Argon2Hash},
};

/// How our own hashes begin. No form from before gets to see one.
const OWN: &str = "$argon2";

/// A stored hash, by who can verify it.
enum Stored<'a> {
    Own(Argon2Hash),
    Legacy(&'a PasswordHash),
    /// There is none, or none that anybody can verify.
    Nothing,
}

impl PasswordHasher {
    /// Verifies a password against the hash of a user, or against nothing.
    ///
    /// `None`, for nobody or for a user without a password, takes as long as a wrong password and
    /// is [`Verdict::Wrong`]. So is a hash that is neither of argon2 nor [accepted](Self::accept), or
    /// whose parameters ask for more than 128 MiB or a GiB of work; that is logged as an error,
    /// without the hash. So is a password of more than [`MAX_PASSWORD_BYTES`].
    ///
    /// # Errors
    ///
    /// - too many hashes wait: [`Error::Overloaded`]
    /// - argon2 fails: [`Error::Crypto`]
    ///
    /// # Security
    ///
    /// For a user whose hash is cheaper than the configured cost, a wrong password is made to cost
    /// the difference too. For one whose hash is more expensive it takes longer: to lower the cost
    /// is to tell users from before that from those who do not exist.
    pub async fn verify(
        &self,
        password: &str,
        hash: Option<&PasswordHash>,
    ) -> Result<Verdict, Error> {
        match hash.map_or(Stored::Nothing, |hash| self.read(password, hash)) {
            Stored::Own(hash) => self.verify_own(password, hash, true).await,
            Stored::Legacy(hash) => self.verify_legacy(password, hash.clone()).await,
            Stored::Nothing => self.verify_own(password, self.0.dummy.clone(), false).await,
        }
    }

    /// Who verifies a stored hash.
    fn read<'a>(&self, password: &str, hash: &'a PasswordHash) -> Stored<'a> {
        let text = hash.expose();
        let is_legacy = !self.0.legacy.is_empty() && !text.is_empty() && !text.starts_with(OWN);
        if password.len() > MAX_PASSWORD_BYTES {
            return Stored::Nothing;
        }
        if is_legacy {
            return Stored::Legacy(hash);
        }
        match Argon2Hash::parse(text, self.0.cost) {
            Ok(hash) => Stored::Own(hash),
            Err(reason) => {
                complain(reason);
                Stored::Nothing
            }
        }
    }

    /// `is_real` is false for a hash that no password may be right for.
    async fn verify_own(
        &self,
        password: &str,
        hash: Argon2Hash,
        is_real: bool,
    ) -> Result<Verdict, Error> {
        let cost = self.0.cost;
        let right = Verdict::Right { outdated: hash.is_outdated(cost) };
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

    async fn verify_legacy(&self, password: &str, hash: PasswordHash) -> Result<Verdict, Error> {
        let cost = self.0.cost;
        let (legacy, dummy) = (self.0.legacy.clone(), self.0.dummy.clone());
        let password = Zeroizing::new(password.to_owned());
        let answer = self
            .0
            .pool
            .run(move |memory| {
                // The work that every verification costs.
                dummy.verify(password.as_bytes(), cost, memory)?;
                let text = hash.expose();
                Ok(legacy.iter().find_map(|form| form.verify(&password, text)))
            })
            .await?
            .map_err(|error: argon2::Error| Error::Crypto(error.to_string().into()))?;
        if answer.is_none() {
            complain("of no form that is accepted");
        }
        Ok(match answer {
            Some(true) => Verdict::Right { outdated: true },
            Some(false) | None => Verdict::Wrong,
        })
    }
}

/// Tells the operator, without the hash.
fn complain(reason: &str) {
    tracing::error!(reason, "a stored password hash cannot be used");
}
