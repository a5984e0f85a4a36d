//! What a cache of sessions can do: [`SessionCache`].

use std::{fmt::Debug, sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{error::Error, secret::SessionKey, session::record::SessionRecord};

/// Keeps copies of sessions for a short while.
///
/// Not a [`SessionStore`](crate::store::SessionStore): a cache may lose anything at any time, and
/// decides nothing. What it must not do is give out what was dropped. Hence the lease: whoever finds
/// no copy gets one, reads the database, and may store a copy only as long as the lease holds; to
/// [`invalidate`](Self::invalidate) ends it. A read of the database that was overtaken by the end of
/// the session leaves nothing behind that way.
///
/// # Errors
///
/// Every method: the cache cannot answer → [`Error::Store`]. The caller goes on without it.
#[async_trait]
pub trait SessionCache: Debug + Send + Sync + 'static {
    /// The copy, or a lease to store one.
    async fn look(&self, key: &SessionKey) -> Result<Cached, Error>;

    /// Stores a copy for so long, if the lease still holds: if it was given for this key, and the
    /// key was not invalidated since.
    async fn fill(
        &self,
        key: &SessionKey,
        lease: Lease,
        record: Arc<SessionRecord>,
        life: Duration,
    ) -> Result<(), Error>;

    /// Drops copies and ends leases. When it returns, no copy of before is given out any more, to
    /// anybody who shares the cache.
    async fn invalidate(&self, keys: &[SessionKey]) -> Result<(), Error>;
}

/// What a cache has under a key.
#[derive(Debug, Clone)]
pub enum Cached {
    /// A copy.
    Copy(Arc<SessionRecord>),
    /// None; whoever reads the database next may store one.
    Missing(Lease),
}

/// The right to store a copy. Several readers may have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease(pub u128);
