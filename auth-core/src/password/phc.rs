//! Argon2 hashes as text, and the work they stand for.

use argon2::{
    Algorithm, Argon2, MIN_SALT_LEN, Params, Version,
    password_hash::phc::{self, Output, ParamsString, Salt},
};
use subtle::ConstantTimeEq;

use super::{cost::Argon2Cost, pool::Memory};

/// The most memory that a stored hash may ask for, in KiB, unless the configured cost is higher:
/// 128 MiB, Ory Kratos' default and the highest among the systems we know.
const MAX_MEMORY_KIB: u32 = 128 * 1024;

/// The most work that a stored hash may ask for, in KiB of memory times passes, unless the
/// configured cost is higher: eight passes over the most memory.
const MAX_WORK: u64 = 8 * MAX_MEMORY_KIB as u64;

/// The tag that we write: 256 bits.
pub(super) const TAG_BYTES: usize = 32;
/// The salt that we write: 128 bits, as RFC 9106 recommends.
pub(super) const SALT_BYTES: usize = 16;

/// A hash that was read and found to be of a cost that we are ready to pay.
#[derive(Clone)]
pub(super) struct Argon2Hash {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Salt,
    tag: Output,
}

impl Argon2Hash {
    /// Reads a stored hash.
    ///
    /// # Errors
    ///
    /// What is wrong with it, without any part of it.
    pub(super) fn parse(phc: &str, configured: Argon2Cost) -> Result<Self, &'static str> {
        let hash = phc::PasswordHash::new(phc).map_err(|_| "not in the PHC string format")?;
        let algorithm =
            Algorithm::new(hash.algorithm.as_str()).map_err(|_| "not an argon2 hash")?;
        // Before version 19 the text did not name it.
        let version = Version::try_from(hash.version.unwrap_or(Version::V0x10.into()))
            .map_err(|_| "an unknown version of argon2")?;
        let params = Params::try_from(&hash).map_err(|_| "impossible argon2 parameters")?;
        let (Some(salt), Some(tag)) = (hash.salt, hash.hash) else {
            return Err("no salt or no hash in it");
        };
        if salt.len() < MIN_SALT_LEN {
            return Err("the salt is too short");
        }
        // A row that somebody else wrote must not be able to stop the server.
        let cost = Argon2Cost::of(&params);
        if cost.memory_kib > MAX_MEMORY_KIB.max(configured.memory_kib)
            || cost.work() > MAX_WORK.max(configured.work())
        {
            return Err("its cost is beyond the limit");
        }
        Ok(Self { algorithm, version, params, salt, tag })
    }

    /// Hashes a password for the first time.
    pub(super) fn create(
        cost: &Params,
        salt: &[u8; SALT_BYTES],
        password: &[u8],
        memory: &mut Memory,
    ) -> Result<String, argon2::Error> {
        let mut tag = [0; TAG_BYTES];
        fill(Algorithm::Argon2id, Version::V0x13, cost, salt, password, &mut tag, memory)?;
        Self::text(cost, salt, &tag).map_err(|_| argon2::Error::OutputTooLong)
    }

    /// The text of an argon2id hash.
    pub(super) fn text(
        cost: &Params,
        salt: &[u8; SALT_BYTES],
        tag: &[u8; TAG_BYTES],
    ) -> Result<String, argon2::password_hash::Error> {
        let hash = phc::PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(cost)?,
            salt: Some(Salt::new(salt)?),
            hash: Some(Output::new(tag)?),
        };
        Ok(hash.to_string())
    }

    /// Whether the hash is of this password.
    ///
    /// # Security
    ///
    /// A hash that costs less than the configured one would tell by its time that the user exists
    /// and is an old one. So a wrong password is made to cost the difference too.
    pub(super) fn verify(
        &self,
        password: &[u8],
        configured: Argon2Cost,
        memory: &mut Memory,
    ) -> Result<bool, argon2::Error> {
        let expected = self.tag.as_bytes();
        let mut buffer = [0; Output::MAX_LENGTH];
        let tag = &mut buffer[..expected.len()];
        let Self { algorithm, version, params, salt, .. } = self;
        fill(*algorithm, *version, params, salt, password, tag, memory)?;
        let right: bool = tag.ct_eq(expected).into();
        if !right && let Some(rest) = configured.beyond(Argon2Cost::of(params)) {
            let mut ignored = [0; TAG_BYTES];
            let params = rest.params()?;
            fill(*algorithm, *version, &params, salt, password, &mut ignored, memory)?;
        }
        Ok(right)
    }

    /// Whether a hash made now would be of another kind, or stronger in some respect.
    pub(super) fn is_outdated(&self, configured: Argon2Cost) -> bool {
        let cost = Argon2Cost::of(&self.params);
        self.algorithm != Algorithm::Argon2id
            || self.version != Version::V0x13
            || cost.memory_kib < configured.memory_kib
            || cost.iterations < configured.iterations
            || cost.parallelism != configured.parallelism
            || self.tag.len() < TAG_BYTES
            || self.salt.len() < SALT_BYTES
    }
}

fn fill(
    algorithm: Algorithm,
    version: Version,
    params: &Params,
    salt: &[u8],
    password: &[u8],
    tag: &mut [u8],
    memory: &mut Memory,
) -> Result<(), argon2::Error> {
    let blocks = memory.blocks(params.block_count());
    Argon2::new(algorithm, version, params.clone())
        .hash_password_into_with_memory(password, salt, tag, blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test vectors of the reference implementation (phc-winner-argon2, src/test.c).
    const VECTORS: &[(&str, &str)] = &[
        // argon2id, version 19, 2 passes, 256 KiB, 1 and 2 lanes.
        (
            "password",
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        ),
        (
            "password",
            "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
        ),
        // argon2i, version 16, whose text does not name the version.
        (
            "password",
            "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
        ),
    ];

    #[test]
    fn verifies_the_vectors_of_the_reference_implementation() {
        let mut memory = Memory::default();
        let cost = Argon2Cost { memory_kib: 512, iterations: 2, parallelism: 1 };
        for (password, phc) in VECTORS {
            let hash = Argon2Hash::parse(phc, cost).unwrap();
            assert!(hash.verify(password.as_bytes(), cost, &mut memory).unwrap(), "{phc}");
            assert!(!hash.verify(b"passwore", cost, &mut memory).unwrap(), "{phc}");
            assert!(hash.is_outdated(cost), "{phc}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_read_or_pay() {
        let configured = Argon2Cost::default();
        let tail = "$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        for head in [
            "",
            "$argon2id$v=19$m=256,t=2",
            "$argon2x$v=19$m=256,t=2,p=1",
            "$argon2id$v=18$m=256,t=2,p=1",
            "$argon2id$v=19$m=7,t=2,p=1",
            "$argon2id$v=19$m=256,t=0,p=1",
            "$argon2id$v=19$m=4194304,t=1,p=1",
            "$argon2id$v=19$m=65536,t=4294967295,p=1",
            "$2b$12",
        ] {
            let parsed = Argon2Hash::parse(&format!("{head}{tail}"), configured);
            let readable = parsed.is_ok();
            // A missing parameter has a default in the format.
            assert_eq!(readable, head == "$argon2id$v=19$m=256,t=2", "{head}");
        }
        for whole in ["$argon2id$v=19$m=256,t=2,p=1", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ"] {
            assert!(Argon2Hash::parse(whole, configured).is_err(), "{whole}");
        }
        // The limit yields to a configuration that is beyond it.
        let phc = format!("$argon2id$v=19$m=262144,t=1,p=1{tail}");
        assert!(Argon2Hash::parse(&phc, configured).is_err());
        let large = Argon2Cost { memory_kib: 262_144, iterations: 1, parallelism: 1 };
        assert!(Argon2Hash::parse(&phc, large).is_ok());
    }

    #[test]
    fn only_a_weaker_or_different_hash_is_outdated() {
        let configured = Argon2Cost::default();
        let outdated = |head: &str| {
            let phc = format!(
                "${head}$AAAAAAAAAAAAAAAAAAAAAA$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
            );
            Argon2Hash::parse(&phc, configured).unwrap().is_outdated(configured)
        };
        assert!(!outdated("argon2id$v=19$m=19456,t=2,p=1"));
        assert!(!outdated("argon2id$v=19$m=65536,t=3,p=1"));
        assert!(outdated("argon2id$v=19$m=65536,t=1,p=1"));
        assert!(outdated("argon2id$v=19$m=12288,t=3,p=1"));
        assert!(outdated("argon2id$v=19$m=19456,t=2,p=2"));
        assert!(outdated("argon2id$v=16$m=19456,t=2,p=1"));
        assert!(outdated("argon2d$v=19$m=19456,t=2,p=1"));
    }
}
