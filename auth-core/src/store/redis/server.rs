//! Which Redis, and how long it is waited for: [`Redis`].

use std::{fmt, sync::Arc, time::Duration};

use redis::{Client, ConnectionInfo, RedisResult, TlsCertificates, Value, cluster::ClusterClient};

use super::{
    address,
    call::{Call, Effect},
    link::Link,
};
use crate::error::Error;

/// How long a call of a store may take. The same as for the other engines.
const TIMEOUT: Duration = Duration::from_secs(2);

/// A Redis server or cluster, as the stores reach it. Valkey is meant as well; tested with Redis 7.0
/// and Valkey 8.1.
///
/// The first command connects; so does the first one after a connection was lost. All share one
/// connection (in a cluster, one to each node) on which their commands queue up, so there is no
/// pool to exhaust. Clones share it too.
///
/// Needs a server of version 6.2 or later.
///
/// # Waiting
///
/// No call of a store takes longer than [`timeout`](Self::timeout), connecting included; then it
/// fails with [`Error::Store`]. A connection on which an answer did not come in time is given up.
/// A command whose answer was lost is sent again only where twice is as good as once, as a read is;
/// a change may have happened, and is a fault.
///
/// # Security
///
/// A password in the URL is in no error and in no `Debug`. With `rediss:`, certificates are checked
/// against the roots of the operating system or [`root_certificates`](Self::root_certificates);
/// there is no way to leave that out.
///
/// The user of an access list needs `~<prefix>*` and the commands `get`, `mget`, `set`, `del`,
/// `pexpireat`, `hset`, `hget`, `hgetall`, `hlen`, `hdel`, `eval`, `evalsha`, `scan` and `ping`; in a
/// cluster `asking` and `cluster|slots` too.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), auth_core::error::Error> {
/// use std::time::Duration;
///
/// use auth_core::store::{Redis, RedisSessions};
///
/// let redis = Redis::open("rediss://shop:password@redis.example.org:6380/0")?;
/// let sessions = RedisSessions::new(redis.timeout(Duration::from_secs(1))).prefix("shop:")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Redis(Arc<Link>);

#[derive(Clone)]
pub(super) struct Settings {
    nodes: Vec<ConnectionInfo>,
    pub(super) cluster: bool,
    root_certificates: Option<Vec<u8>>,
    pub(super) timeout: Duration,
}

impl Redis {
    /// The server of a URL: `redis://user:password@host:port/database`, with `rediss:` over TLS.
    /// Only the host is needed. Does not connect yet; [`ping`](Self::ping) does.
    ///
    /// # Errors
    ///
    /// - the URL cannot be read: [`Error::Misconfigured`]
    pub fn open(url: &str) -> Result<Self, Error> {
        Self::with(vec![address::read(url)?], false)
    }

    /// The cluster of which these are nodes; one is enough where it is up, the others are found.
    ///
    /// User, password and TLS must be the same for all nodes.
    ///
    /// # Errors
    ///
    /// - there is no URL, one cannot be read, or they differ in more than the address:
    ///   [`Error::Misconfigured`]
    pub fn cluster(urls: impl IntoIterator<Item: AsRef<str>>) -> Result<Self, Error> {
        let nodes: Vec<_> =
            urls.into_iter().map(|url| address::read(url.as_ref())).collect::<Result<_, _>>()?;
        if nodes.is_empty() {
            return Err(Error::Misconfigured("a Redis cluster needs the URL of a node".into()));
        }
        Self::with(nodes, true)
    }

    fn with(nodes: Vec<ConnectionInfo>, cluster: bool) -> Result<Self, Error> {
        let settings = Settings { nodes, cluster, root_certificates: None, timeout: TIMEOUT };
        settings.check()?;
        Ok(Self::of(settings))
    }

    fn of(settings: Settings) -> Self {
        Self(Arc::new(Link::new(settings)))
    }

    /// How long a call of a store may take, connecting included; by default two seconds.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self::of(Settings { timeout, ..self.0.settings.clone() })
    }

    /// Trusts these certificates (PEM) for TLS, in place of those of the operating system.
    ///
    /// # Errors
    ///
    /// - they cannot be read, or the URL is not one of TLS: [`Error::Misconfigured`]
    pub fn root_certificates(self, pem: impl Into<Vec<u8>>) -> Result<Self, Error> {
        let root_certificates = Some(pem.into());
        let settings = Settings { root_certificates, ..self.0.settings.clone() };
        settings.check()?;
        Ok(Self::of(settings))
    }

    /// Connects, unless it is connected, and waits for a sign of life. For the start of an
    /// application, which then fails over a wrong URL, and for health checks.
    ///
    /// # Errors
    ///
    /// - the server cannot answer, or does not let this user in: [`Error::Store`]
    pub async fn ping(&self) -> Result<(), Error> {
        self.call().ask::<Value>(&redis::cmd("PING"), Effect::Repeatable).await.map(drop)
    }

    /// Begins a call of a store.
    pub(in crate::store) fn call(&self) -> Call<'_> {
        Call::new(&self.0)
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { nodes, cluster, timeout, .. } = &self.0.settings;
        let nodes: Vec<_> = nodes.iter().map(|node| node.addr().to_string()).collect();
        let mut shown = f.debug_struct("Redis");
        shown.field("nodes", &nodes).field("cluster", cluster).field("timeout", timeout);
        shown.finish_non_exhaustive()
    }
}

impl Settings {
    fn certificates(&self) -> Option<TlsCertificates> {
        let root_cert = self.root_certificates.clone()?;
        Some(TlsCertificates { client_tls: None, root_cert: Some(root_cert) })
    }

    pub(super) fn client(&self) -> RedisResult<Client> {
        let node = self.nodes[0].clone();
        match self.certificates() {
            Some(certificates) => Client::build_with_tls(node, certificates),
            None => Client::open(node),
        }
    }

    /// Nothing is sent again by the client itself: it would not ask whether that is right.
    pub(super) fn cluster_client(&self) -> RedisResult<ClusterClient> {
        let builder = ClusterClient::builder(self.nodes.iter().cloned())
            .retries(0)
            .connection_timeout(self.timeout / 2)
            .response_timeout(self.timeout)
            .overall_response_timeout(Some(self.timeout));
        match self.certificates() {
            Some(certificates) => builder.certs(certificates).build(),
            None => builder.build(),
        }
    }

    /// Finds out what would keep it from ever connecting.
    fn check(&self) -> Result<(), Error> {
        let built =
            if self.cluster { self.cluster_client().map(drop) } else { self.client().map(drop) };
        built.map_err(|error| Error::Misconfigured(format!("these Redis settings: {error}")))
    }
}
