//! Stores of tokens that fail on demand: [`Switch`].

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
};

use async_trait::async_trait;
use auth_core::{
    error::Error,
    secret::{RefreshKey, TokenId},
    store::{DenyList, FoundFamily, TokenFamily, TokenStore},
    user::UserKey,
};
use auth_poem::prelude::{DateTime, Utc, Uuid};

/// A store that fails on demand, answers late on demand, and counts its calls.
#[derive(Debug)]
pub struct Switch<T: ?Sized> {
    state: Arc<State>,
    store: Arc<T>,
}

impl<T: ?Sized> Clone for Switch<T> {
    fn clone(&self) -> Self {
        Self { state: self.state.clone(), store: self.store.clone() }
    }
}

#[derive(Debug, Default)]
struct State {
    fails: AtomicBool,
    calls: AtomicUsize,
}

impl<T: ?Sized> Switch<T> {
    /// A store that works.
    #[must_use]
    pub fn new(store: Arc<T>) -> Self {
        Self { state: Arc::default(), store }
    }

    /// Whether it fails from now on.
    pub fn fail(&self, fails: bool) {
        self.state.fails.store(fails, SeqCst);
    }

    /// How often it was called.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.state.calls.load(SeqCst)
    }

    async fn ask(&self, fault: impl FnOnce(&'static str) -> Error) -> Result<&T, Error> {
        self.state.calls.fetch_add(1, SeqCst);
        tokio::task::yield_now().await;
        match self.state.fails.load(SeqCst) {
            true => Err(fault("switched to fail by a test")),
            false => Ok(&self.store),
        }
    }
}

#[async_trait]
impl TokenStore for Switch<dyn TokenStore> {
    async fn create(&self, key: &RefreshKey, family: Arc<TokenFamily>) -> Result<bool, Error> {
        self.ask(Error::token_store).await?.create(key, family).await
    }

    async fn find(
        &self,
        key: &RefreshKey,
        now: DateTime<Utc>,
    ) -> Result<Option<FoundFamily>, Error> {
        self.ask(Error::token_store).await?.find(key, now).await
    }

    async fn rotate(
        &self,
        key: &RefreshKey,
        next: &RefreshKey,
        now: DateTime<Utc>,
        ends_at: DateTime<Utc>,
    ) -> Result<bool, Error> {
        self.ask(Error::token_store).await?.rotate(key, next, now, ends_at).await
    }

    async fn delete(&self, key: &RefreshKey) -> Result<bool, Error> {
        self.ask(Error::token_store).await?.delete(key).await
    }

    async fn list_by_user(
        &self,
        user: &UserKey,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<TokenFamily>>, Error> {
        self.ask(Error::token_store).await?.list_by_user(user, now).await
    }

    async fn delete_by_handle(&self, user: &UserKey, handle: Uuid) -> Result<bool, Error> {
        self.ask(Error::token_store).await?.delete_by_handle(user, handle).await
    }

    async fn delete_by_user(&self, user: &UserKey) -> Result<u64, Error> {
        self.ask(Error::token_store).await?.delete_by_user(user).await
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        self.ask(Error::token_store).await?.purge_expired(now).await
    }
}

#[async_trait]
impl DenyList for Switch<dyn DenyList> {
    async fn deny(
        &self,
        id: &TokenId,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        self.ask(Error::deny_list).await?.deny(id, until, now).await
    }

    async fn is_denied(&self, id: &TokenId, now: DateTime<Utc>) -> Result<bool, Error> {
        self.ask(Error::deny_list).await?.is_denied(id, now).await
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        self.ask(Error::deny_list).await?.purge_expired(now).await
    }
}
