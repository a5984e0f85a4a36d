//! Tokens that were verified a moment ago.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasherDefault, Hasher},
    sync::{Mutex, PoisonError},
};

use aws_lc_rs::aead::{AES_128_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::key::crypto;
use crate::{error::Error, secret::random};

const SHARDS: usize = 16;

/// What stands for a token in the cache.
pub(super) type Tag = [u8; 16];

type Shard<C> = HashMap<Tag, C, BuildHasherDefault<TagHasher>>;

/// What ends by itself.
pub(super) trait Ends: Clone {
    /// When, in seconds.
    fn exp(&self) -> i64;
}

/// A bounded memory of tokens whose signature and claims hold.
///
/// Only valid tokens are remembered, so that forged ones cannot push others out. A hit skips the
/// signature and the parsing, nothing else: time is checked every time.
///
/// # Security
///
/// A token is remembered by the tag that AES-128-GCM-SIV (RFC 8452) gives it as associated data,
/// with nothing to encrypt, under a key that is drawn for this cache and never leaves it. The nonce
/// is always the same: this AEAD, other than AES-GCM, is made for that. With one nonce its tag is a
/// universal hash of the data, encrypted as one block, which nobody without the key can tell from a
/// random function; all that repeating the nonce gives away is that two inputs are equal, and that
/// is what is asked here. To have another token taken for a remembered one, an attacker would have
/// to hit one of the remembered tags, of 127 bits each, without ever seeing one. AES-CMAC would do
/// as well at four times the cost, SHA-256 at twenty times where the processor has no instructions
/// for it. The tokens themselves are not kept.
pub(super) struct VerifiedTokens<C> {
    key: LessSafeKey,
    shards: [Mutex<Shard<C>>; SHARDS],
    per_shard: usize,
}

impl<C: Ends> VerifiedTokens<C> {
    /// A cache of about so many tokens, `None` for zero.
    pub(super) fn new(entries: usize) -> Result<Option<Self>, Error> {
        if entries == 0 {
            return Ok(None);
        }
        let key = Zeroizing::new(random::<16>()?);
        Ok(Some(Self {
            key: LessSafeKey::new(UnboundKey::new(&AES_128_GCM_SIV, &*key).map_err(crypto)?),
            shards: Default::default(),
            per_shard: entries.div_ceil(SHARDS),
        }))
    }

    /// What stands for the token, `None` if the library fails: then it is verified in full.
    pub(super) fn tag(&self, token: &str) -> Option<Tag> {
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let tag = self.key.seal_in_place_separate_tag(nonce, Aad::from(token), &mut []);
        tag.ok()?.as_ref().try_into().ok()
    }

    pub(super) fn get(&self, tag: &Tag) -> Option<C> {
        self.shard(tag).lock().unwrap_or_else(PoisonError::into_inner).get(tag).cloned()
    }

    /// Whether the token is remembered. It may have ended.
    pub(super) fn has(&self, token: &str) -> bool {
        let known = |tag: &Tag| {
            self.shard(tag).lock().unwrap_or_else(PoisonError::into_inner).contains_key(tag)
        };
        self.tag(token).as_ref().is_some_and(known)
    }

    /// Remembers a valid token. A full shard forgets the one that ends first, which may have ended
    /// already.
    pub(super) fn insert(&self, tag: Tag, claims: C) {
        let mut shard = self.shard(&tag).lock().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= self.per_shard && !shard.contains_key(&tag) {
            let first = shard.iter().min_by_key(|(_, claims)| claims.exp()).map(|(tag, _)| *tag);
            if let Some(first) = first {
                shard.remove(&first);
            }
        }
        shard.insert(tag, claims);
    }

    pub(super) fn remove(&self, tag: &Tag) {
        self.shard(tag).lock().unwrap_or_else(PoisonError::into_inner).remove(tag);
    }

    fn shard(&self, tag: &Tag) -> &Mutex<Shard<C>> {
        &self.shards[usize::from(tag[0]) % SHARDS]
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).len())
            .sum()
    }
}

/// Takes a part of a tag for its hash. Tags are like random numbers to whoever does not know the key,
/// so nobody can choose tokens whose tags fall together. The shard is chosen by another part.
#[derive(Default)]
struct TagHasher(u64);

impl Hasher for TagHasher {
    fn write(&mut self, tag: &[u8]) {
        if let Some(part) = tag.last_chunk() {
            self.0 = u64::from_ne_bytes(*part);
        }
    }

    // The length, which is always the same.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

impl<C> fmt::Debug for VerifiedTokens<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedTokens").field("per_shard", &self.per_shard).finish_non_exhaustive()
    }
}
