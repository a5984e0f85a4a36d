//! Talking to a Redis server or cluster, and never waiting longer than agreed: [`Redis`].

use std::{
    fmt, io,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::future::try_join_all;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ErrorKind, FromRedisValue, PushInfo,
    PushKind, RedisError, RedisResult, ServerErrorKind, TlsCertificates, Value,
    aio::MultiplexedConnection, cluster::ClusterClient, cluster_async::ClusterConnection,
    cluster_routing::RoutingInfo,
};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout_at},
};

use super::address;
use crate::error::Error;

/// How long a call of a store may take. The same as for the other engines.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How many commands wait for their turn to be written before callers do.
const BUFFER: usize = 1024;

/// How often a command is sent again of which the server says that it did not carry it out.
const ATTEMPTS: usize = 5;

/// The pause before it is sent again for the second time and later.
const PAUSE: Duration = Duration::from_millis(20);

/// How often all connections to a cluster are made anew over answers that did not come. One node
/// that hangs must not take the sessions on the others with it.
const CLUSTER_AGE: Duration = Duration::from_secs(10);

/// How old a connection to a server is at least that is given up because the server has become a
/// replica: one that stays one would have each change connect anew.
const READ_ONLY: Duration = Duration::from_secs(1);

/// A Redis server or cluster, as the stores reach it. Valkey is meant as well.
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
/// A command whose answer was lost is sent again only if it reads; one that writes may have been
/// carried out, and is a fault.
///
/// # Security
///
/// A password in the URL is in no error and in no `Debug`. With `rediss:`, certificates are checked
/// against the roots of the operating system or [`root_certificates`](Self::root_certificates);
/// there is no way to leave that out.
///
/// The user of an access list needs `~<prefix>*` and the commands `get`, `mget`, `set`, `del`,
/// `pexpireat`, `pexpire`, `pttl`, `hset`, `hget`, `hgetall`, `hlen`, `hdel`, `eval`, `evalsha`,
/// `scan` and `ping`; in a cluster `cluster|slots` too.
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

struct Link {
    settings: Settings,
    current: RwLock<Option<Arc<Connected>>>,
    /// Held by whoever connects, so that a hundred requests make one connection.
    connecting: Mutex<()>,
}

#[derive(Clone)]
struct Settings {
    nodes: Vec<ConnectionInfo>,
    cluster: bool,
    root_certificates: Option<Vec<u8>>,
    timeout: Duration,
}

/// A connection. It counts as lost as soon as the server has closed it, whoever notices.
struct Connected {
    connection: Connection,
    lost: Arc<AtomicBool>,
    since: Instant,
}

#[derive(Clone)]
enum Connection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// What a command does, as far as sending it twice goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Effect {
    /// The second time is as good as the first.
    Repeatable,
    /// The second time may do what nobody asked for, or be told what is not so.
    Once,
}

/// One call of a store: however many commands it sends, they share its time.
pub(in crate::store) struct Call<'a> {
    link: &'a Link,
    deadline: Instant,
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
        let (current, connecting) = (RwLock::default(), Mutex::default());
        Self(Arc::new(Link { settings, current, connecting }))
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
        Call { link: &self.0, deadline: Instant::now() + self.0.settings.timeout }
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

impl Effect {
    fn is_repeatable(self) -> bool {
        self == Self::Repeatable
    }
}

impl Settings {
    fn certificates(&self) -> Option<TlsCertificates> {
        let root_cert = self.root_certificates.clone()?;
        Some(TlsCertificates { client_tls: None, root_cert: Some(root_cert) })
    }

    fn client(&self) -> RedisResult<Client> {
        let node = self.nodes[0].clone();
        match self.certificates() {
            Some(certificates) => Client::build_with_tls(node, certificates),
            None => Client::open(node),
        }
    }

    /// Nothing is sent again by the client itself: it would not ask whether that is right.
    fn cluster_client(&self) -> RedisResult<ClusterClient> {
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

    async fn connect(&self) -> RedisResult<Connected> {
        let lost = Arc::new(AtomicBool::new(false));
        let connection = if self.cluster {
            Connection::Cluster(self.cluster_client()?.get_async_connection().await?)
        } else {
            let noticed = Arc::clone(&lost);
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(self.timeout))
                .set_response_timeout(None)
                .set_pipeline_buffer_size(BUFFER)
                .set_push_sender(move |push: PushInfo| {
                    if push.kind == PushKind::Disconnection {
                        noticed.store(true, Relaxed);
                    }
                    Ok::<_, std::convert::Infallible>(())
                });
            let client = self.client()?;
            Connection::Server(client.get_multiplexed_async_connection_with_config(&config).await?)
        };
        Ok(Connected { connection, lost, since: Instant::now() })
    }
}

impl Link {
    fn current(&self) -> Option<Arc<Connected>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|connected| !connected.lost.load(Relaxed)).cloned()
    }

    /// The connection, or a new one.
    async fn connected(&self) -> RedisResult<Arc<Connected>> {
        if let Some(connected) = self.current() {
            return Ok(connected);
        }
        let _alone = self.connecting.lock().await;
        if let Some(connected) = self.current() {
            return Ok(connected);
        }
        let connected = Arc::new(self.settings.connect().await?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(connected.clone());
        Ok(connected)
    }
}

impl Connected {
    fn give_up(&self) {
        self.lost.store(true, Relaxed);
    }

    /// No answer came in time, and perhaps none ever will on this connection.
    fn is_overdue(&self) {
        let young = self.since.elapsed() < CLUSTER_AGE;
        if !(young && matches!(self.connection, Connection::Cluster(_))) {
            self.give_up();
        }
    }

    async fn send(&self, command: &Cmd) -> RedisResult<Value> {
        match self.connection.clone() {
            Connection::Server(mut server) => command.query_async(&mut server).await,
            Connection::Cluster(mut cluster) => command.query_async(&mut cluster).await,
        }
    }

    /// Sends a command to the node that a slot is on its way to.
    async fn send_after(&self, asked: &RedisError, command: &Cmd) -> RedisResult<Value> {
        let (Connection::Cluster(cluster), Some((node, _))) =
            (&self.connection, asked.redirect_node())
        else {
            return self.send(command).await;
        };
        let route = address::route(node)?;
        let mut both = redis::pipe();
        both.cmd("ASKING").ignore().add_command(command.clone());
        let answers = cluster.clone().route_pipeline(both, 0, 2, route).await?;
        answers.into_iter().next_back().unwrap_or(Value::Nil).extract_error()
    }
}

impl Call<'_> {
    /// Sends a command and waits for its answer.
    pub(in crate::store) async fn ask<T: FromRedisValue>(
        &self,
        command: &Cmd,
        effect: Effect,
    ) -> Result<T, Error> {
        let answer = self.answer(command, effect).await.map_err(Error::session_store)?;
        T::from_redis_value(answer).map_err(Error::session_store)
    }

    /// The same, for those who look at what kind of error it is.
    pub(in crate::store) async fn answer(
        &self,
        command: &Cmd,
        effect: Effect,
    ) -> RedisResult<Value> {
        let mut redirected = None;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let connected = self.in_time(self.link.connected()).await?;
            let sent = async {
                match &redirected {
                    Some(asked) => connected.send_after(asked, command).await,
                    None => connected.send(command).await,
                }
            };
            let error = match self.in_time(sent).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let lost = error.is_io_error() || error.kind() == ErrorKind::Parse;
            let cluster = self.link.settings.cluster;
            // Where the name leads by now, there may be a new primary.
            let moves = !cluster && is_read_only(&error) && connected.since.elapsed() >= READ_ONLY;
            if error.is_timeout() {
                connected.is_overdue();
            } else if moves || lost && !cluster {
                connected.give_up();
            }
            let again = match attempt {
                _ if error.is_timeout() => false,
                1 => moves || cluster && was_refused(&error) || lost && effect.is_repeatable(),
                2..ATTEMPTS => cluster && was_refused(&error),
                _ => false,
            };
            if !again {
                return Err(error);
            }
            if attempt > 1 {
                sleep(PAUSE).await;
            }
            redirected = Some(error).filter(|error| error.kind() == ServerErrorKind::Ask.into());
        }
    }

    /// The values of keys: by one command, or in a cluster by one for each, because any of the keys
    /// may be on its way to another node.
    pub(in crate::store) async fn values(
        &self,
        keys: impl IntoIterator<Item = String>,
    ) -> Result<Vec<Option<Vec<u8>>>, Error> {
        if self.link.settings.cluster {
            let get =
                async |key: String| self.ask(redis::cmd("GET").arg(key), Effect::Repeatable).await;
            return try_join_all(keys.into_iter().map(get)).await;
        }
        let mut command = redis::cmd("MGET");
        for key in keys {
            command.arg(key);
        }
        self.ask(&command, Effect::Repeatable).await
    }

    /// Asks one node of a cluster, or the server.
    pub(in crate::store) async fn ask_node<T: FromRedisValue>(
        &self,
        command: &Cmd,
        route: Option<RoutingInfo>,
    ) -> Result<T, Error> {
        let Some(route) = route else { return self.ask(command, Effect::Repeatable).await };
        let asked = async {
            let connected = self.link.connected().await?;
            match connected.connection.clone() {
                Connection::Cluster(mut cluster) => {
                    cluster.route_command(command.clone(), route).await?.extract_error()
                }
                Connection::Server(mut server) => command.query_async(&mut server).await,
            }
        };
        let answer = self.in_time(asked).await.map_err(Error::session_store)?;
        T::from_redis_value(answer).map_err(Error::session_store)
    }

    /// Whether the keys are on several nodes.
    pub(in crate::store) fn is_cluster(&self) -> bool {
        self.link.settings.cluster
    }

    async fn in_time<T>(&self, answer: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
        timeout_at(self.deadline, answer).await.unwrap_or_else(|_| {
            let what = format!("no answer within {:?}", self.link.settings.timeout);
            Err(io::Error::new(io::ErrorKind::TimedOut, what).into())
        })
    }
}

fn is_read_only(error: &RedisError) -> bool {
    error.kind() == ServerErrorKind::ReadOnly.into()
}

/// Whether the server says that it did not carry the command out and that another one might, or
/// this one in a moment.
fn was_refused(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::ClusterConnectionNotFound => true,
        ErrorKind::Server(kind) => matches!(
            kind,
            ServerErrorKind::Moved
                | ServerErrorKind::Ask
                | ServerErrorKind::TryAgain
                | ServerErrorKind::ReadOnly
        ),
        _ => false,
    }
}
