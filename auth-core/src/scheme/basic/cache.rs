//! Names and passwords that were verified a moment ago.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use aws_lc_rs::hmac;
use chrono::{DateTime, TimeDelta, Utc};
use zeroize::Zeroizing;

use crate::{
    error::Error,
    secret::{SecurityStamp, random},
    user::{AuthUser, UserKey},
};

/// How many are remembered at most.
const ENTRIES: usize = 4096;

/// What stands for a name and a password.
type Tag = [u8; 32];

/// A bounded memory of names and passwords that were right.
///
/// # Security
///
/// A pair is remembered by its HMAC-SHA256 under a key that is drawn for this cache and never leaves
/// it, for a short time. Only right ones are, so that guessing costs as much as ever. A hit saves
/// the work of hashing and nothing else: the user is loaded, has to be active, to have that name,
/// and to have the password hash that was verified.
pub(crate) struct VerifiedPasswords {
    key: hmac::Key,
    lifetime: TimeDelta,
    entries: Mutex<HashMap<Tag, Entry>>,
}

#[derive(Clone)]
struct Entry {
    user: UserKey,
    /// Of the password hash.
    stamp: SecurityStamp,
    until: DateTime<Utc>,
}

impl VerifiedPasswords {
    /// An empty cache.
    pub(crate) fn new(lifetime: TimeDelta) -> Result<Self, Error> {
        let key = Zeroizing::new(random::<32>()?);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &*key);
        Ok(Self { key, lifetime, entries: Mutex::default() })
    }

    /// What stands for a name and a password of this type of user.
    pub(in crate::scheme) fn tag<U: AuthUser>(&self, name: &str, password: &str) -> Tag {
        let mut context = hmac::Context::with_key(&self.key);
        // The lengths keep the parts apart.
        for part in [U::META.table, name, password] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    /// The user who was verified by this, if it was not too long ago.
    pub(in crate::scheme) fn get(&self, tag: &Tag, now: DateTime<Utc>) -> Option<UserKey> {
        let entries = self.entries();
        entries.get(tag).filter(|entry| now < entry.until).map(|entry| entry.user.clone())
    }

    /// Whether it was this user, with the password hash that he has now, under a name that he has.
    pub(in crate::scheme) fn still_holds<U: AuthUser>(
        &self,
        tag: &Tag,
        user: &U,
        name: &str,
    ) -> bool {
        let stamp = self.entries().get(tag).map(|entry| entry.stamp);
        let has_hash = stamp.is_some() && stamp == user.password().map(|hash| hash.stamp());
        let has_name = U::META.login.iter().enumerate().any(|(index, column)| {
            user.login_name(index).is_some_and(|own| {
                own == name || (column.ignore_case && own.eq_ignore_ascii_case(name))
            })
        });
        user.is_active() && has_hash && has_name
    }

    /// Remembers what was right. A full cache forgets what ends first.
    pub(in crate::scheme) fn insert<U: AuthUser>(&self, tag: Tag, user: &U, now: DateTime<Utc>) {
        let Some(hash) = user.password() else { return };
        let entry =
            Entry { user: UserKey::of(user), stamp: hash.stamp(), until: now + self.lifetime };
        let mut entries = self.entries();
        if entries.len() >= ENTRIES && !entries.contains_key(&tag) {
            entries.retain(|_, entry| now < entry.until);
            let first = entries.iter().min_by_key(|(_, entry)| entry.until).map(|(tag, _)| *tag);
            if let Some(first) = first.filter(|_| entries.len() >= ENTRIES) {
                entries.remove(&first);
            }
        }
        entries.insert(tag, entry);
    }

    /// Forgets what does not hold any more.
    pub(in crate::scheme) fn remove(&self, tag: &Tag) {
        self.entries().remove(tag);
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<Tag, Entry>> {
        // Every section under this lock makes one change; a panic in one leaves nothing half done.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for VerifiedPasswords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedPasswords")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}
