//! What was said of tokens a moment ago: [`Answers`].

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};

/// How many answers of each kind are kept.
const MAX: usize = 4096;

type Digest = [u8; 32];
type Kept<T> = HashMap<Digest, (T, DateTime<Utc>)>;

/// A bounded memory of answers by the digests of the tokens that they are about.
///
/// Tokens that hold and tokens that do not are kept apart, so that guessed ones cannot push others
/// out.
pub(super) struct Answers<T> {
    valid: Mutex<Kept<Arc<T>>>,
    invalid: Mutex<Kept<()>>,
}

impl<T> Default for Answers<T> {
    fn default() -> Self {
        Self { valid: Mutex::default(), invalid: Mutex::default() }
    }
}

impl<T> Answers<T> {
    /// What is known of a token: nothing, that it does not hold, or what it is.
    pub(super) fn get(&self, digest: &Digest, now: DateTime<Utc>) -> Option<Option<Arc<T>>> {
        let in_time = |until: &DateTime<Utc>| now < *until;
        if let Some((valid, _)) = lock(&self.valid).get(digest).filter(|kept| in_time(&kept.1)) {
            return Some(Some(valid.clone()));
        }
        lock(&self.invalid).get(digest).filter(|kept| in_time(&kept.1)).map(|_| None)
    }

    pub(super) fn insert(
        &self,
        digest: Digest,
        answer: Option<Arc<T>>,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) {
        match answer {
            Some(valid) => keep(&mut lock(&self.valid), digest, valid, until, now),
            None => keep(&mut lock(&self.invalid), digest, (), until, now),
        }
    }
}

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every section under this lock changes the map in one step.
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

fn keep<T>(kept: &mut Kept<T>, digest: Digest, value: T, until: DateTime<Utc>, now: DateTime<Utc>) {
    if kept.len() >= MAX && !kept.contains_key(&digest) {
        kept.retain(|_, (_, until)| now < *until);
        if kept.len() >= MAX {
            // All of them would be asked for again sooner or later; a quarter makes room for a while.
            let some: Vec<Digest> = kept.keys().take(MAX / 4).copied().collect();
            some.iter().for_each(|digest| drop(kept.remove(digest)));
        }
    }
    kept.insert(digest, (value, until));
}

impl<T> fmt::Debug for Answers<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answers")
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::secret::sha256;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn answers_end_and_are_bounded_and_guesses_push_nobody_out() {
        let answers = Answers::<u32>::default();
        let good = sha256(b"good");
        answers.insert(good, Some(Arc::new(7)), at(30), at(0));
        for guess in 0..3 * MAX {
            answers.insert(sha256(&guess.to_be_bytes()), None, at(5), at(0));
        }
        assert_eq!(answers.get(&good, at(29)).flatten().as_deref(), Some(&7));
        assert_eq!(answers.get(&good, at(30)), None);
        assert!(lock(&answers.invalid).len() <= MAX);
        let last = sha256(&(3 * MAX - 1).to_be_bytes());
        assert_eq!(answers.get(&last, at(4)), Some(None));
        assert_eq!(answers.get(&last, at(5)), None);
        for token in 0..2 * MAX {
            answers.insert(sha256(&token.to_be_bytes()), Some(Arc::new(1)), at(60), at(31));
        }
        assert!(lock(&answers.valid).len() <= MAX);
    }
}
