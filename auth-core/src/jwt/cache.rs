//! Tokens that were verified a moment ago.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::{claims::AccessClaims, key::crypto};
use crate::{error::Error, secret::random};

const SHARDS: usize = 16;

/// What stands for a token in the cache.
pub(super) type Tag = [u8; 16];

type Shard = HashMap<Tag, Arc<AccessClaims>>;

/// A bounded memory of tokens whose signature and claims hold.
///
/// Only valid tokens are remembered, so that forged ones cannot push others out. A hit skips the
/// signature and the parsing, nothing else: time is checked every time.
///
/// # Security
///
/// A token is remembered by its hash under a key that is drawn for this cache and never leaves it;
/// the tokens themselves are not kept. The hash is GHASH: two tokens that are chosen without the key
/// have the same one with a probability below 2^-119, and nobody is ever shown one to learn the key
/// from. SHA-256 would do as well, at twenty times the cost where the processor has no instructions
/// for it, and that would be most of what a hit costs.
pub(super) struct VerifiedTokens {
    key: LessSafeKey,
    shards: [Mutex<Shard>; SHARDS],
    per_shard: usize,
}

impl VerifiedTokens {
    /// A cache of about so many tokens, `None` for zero.
    pub(super) fn new(entries: usize) -> Result<Option<Self>, Error> {
        if entries == 0 {
            return Ok(None);
        }
        let key = Zeroizing::new(random::<32>()?);
        Ok(Some(Self {
            key: LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*key).map_err(crypto)?),
            shards: Default::default(),
            per_shard: entries.div_ceil(SHARDS),
        }))
    }

    /// What stands for the token, `None` if the library fails: then it is verified in full.
    pub(super) fn tag(&self, token: &str) -> Option<Tag> {
        // GHASH as AES-GCM has it: the tag of a message without a text. The nonce may repeat, since
        // nothing is encrypted and no tag is ever shown.
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let tag = self.key.seal_in_place_separate_tag(nonce, Aad::from(token), &mut []);
        tag.ok()?.as_ref().try_into().ok()
    }

    pub(super) fn get(&self, tag: &Tag) -> Option<Arc<AccessClaims>> {
        self.shard(tag).lock().unwrap_or_else(PoisonError::into_inner).get(tag).cloned()
    }

    /// Remembers a valid token. A full shard forgets the one that ends first, which may have ended
    /// already.
    pub(super) fn insert(&self, tag: Tag, claims: Arc<AccessClaims>) {
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

    fn shard(&self, tag: &Tag) -> &Mutex<Shard> {
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

impl fmt::Debug for VerifiedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedTokens").field("per_shard", &self.per_shard).finish_non_exhaustive()
    }
}
