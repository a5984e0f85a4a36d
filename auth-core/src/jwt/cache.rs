//! Tokens that were verified a moment ago.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use aws_lc_rs::cmac;
use zeroize::Zeroizing;

use super::key::crypto;
use crate::{error::Error, secret::random};

const SHARDS: usize = 16;

/// What stands for a token in the cache.
pub(super) type Tag = [u8; 16];

type Shard<C> = HashMap<Tag, C>;

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
/// A token is remembered by its AES-CMAC under a key that is drawn for this cache and never leaves
/// it. To have another token taken for a remembered one, an attacker would have to forge that MAC
/// without ever seeing one. SHA-256 would do as well, at four times the cost where the processor has
/// no instructions for it, and that is nearly all that a hit costs. The tokens themselves are not
/// kept.
pub(super) struct VerifiedTokens<C> {
    key: cmac::Key,
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
            key: cmac::Key::new(cmac::AES_128, &*key).map_err(crypto)?,
            shards: Default::default(),
            per_shard: entries.div_ceil(SHARDS),
        }))
    }

    /// What stands for the token, `None` if the library fails: then it is verified in full.
    pub(super) fn tag(&self, token: &str) -> Option<Tag> {
        cmac::sign(&self.key, token.as_bytes()).ok()?.as_ref().try_into().ok()
    }

    pub(super) fn get(&self, tag: &Tag) -> Option<C> {
        self.shard(tag).lock().unwrap_or_else(PoisonError::into_inner).get(tag).cloned()
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

impl<C> fmt::Debug for VerifiedTokens<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedTokens").field("per_shard", &self.per_shard).finish_non_exhaustive()
    }
}
