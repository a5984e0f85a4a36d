//! A way to say who one is of the depot's own: [`Badges`].

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use auth_poem::{
    fault::Failure,
    http::RequestHead,
    prelude::*,
    scheme::{Proof, Scheme, SchemeInfo},
};

use super::Keeper;

/// Badges and whose they are.
#[derive(Debug, Clone, Default)]
pub struct Badges {
    owners: Arc<Mutex<HashMap<String, (i64, Scopes)>>>,
    fails: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl Badges {
    /// Hands out a badge.
    pub fn give(&self, badge: &str, owner: i64, scopes: Scopes) {
        self.owners.lock().unwrap().insert(badge.into(), (owner, scopes));
    }

    /// Whether every question fails from now on.
    pub fn fail(&self, fails: bool) {
        self.fails.store(fails, SeqCst);
    }

    /// How often a badge was looked up.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }
}

impl Scheme<Keeper> for Badges {
    fn info(&self) -> SchemeInfo {
        SchemeInfo::header("x-badge")
            .described("The number on the badge.")
            .challenged_as("Badge gate=\"north\"")
    }

    async fn find(&self, head: &RequestHead<'_>) -> Result<Option<Proof<Keeper>>, Failure> {
        let Some(badge) = head.header("x-badge")? else { return Ok(None) };
        self.asked.fetch_add(1, SeqCst);
        if self.fails.load(SeqCst) {
            return Err(auth_poem::fault::Error::Application("the badges burn".into()).into());
        }
        let owner = self.owners.lock().unwrap().get(badge).cloned();
        let (owner, scopes) = owner.ok_or(Rejection::InvalidCredentials)?;
        Ok(Some(Proof::of_id(owner).scopes(scopes)))
    }
}
