//! The connection to a server or cluster, which is made anew when it was lost: [`Link`].

use std::{
    convert::Infallible,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use redis::{
    AsyncConnectionConfig, Cmd, PushInfo, PushKind, RedisError, RedisResult, Value,
    aio::MultiplexedConnection, cluster_async::ClusterConnection, cluster_routing::RoutingInfo,
};
use tokio::{sync::Mutex, time::Instant};

use super::{address, server::Settings};

/// How many commands wait for their turn to be written before callers do.
const BUFFER: usize = 1024;

/// How often all connections to a cluster are made anew over answers that did not come. One node
/// that hangs must not take the sessions on the others with it.
const CLUSTER_AGE: Duration = Duration::from_secs(10);

pub(super) struct Link {
    pub(super) settings: Settings,
    current: RwLock<Option<Arc<Connected>>>,
    /// Held by whoever connects, so that a hundred requests make one connection.
    connecting: Mutex<()>,
}

/// A connection. It counts as lost as soon as the server has closed it, whoever notices.
pub(super) struct Connected {
    connection: Connection,
    lost: Arc<AtomicBool>,
    since: Instant,
}

#[derive(Clone)]
enum Connection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Link {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, current: RwLock::default(), connecting: Mutex::default() }
    }

    fn current(&self) -> Option<Arc<Connected>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|connected| !connected.lost.load(Relaxed)).cloned()
    }

    /// The connection, or a new one.
    pub(super) async fn connected(&self) -> RedisResult<Arc<Connected>> {
        if let Some(connected) = self.current() {
            return Ok(connected);
        }
        let _alone = self.connecting.lock().await;
        if let Some(connected) = self.current() {
            return Ok(connected);
        }
        let connected = Arc::new(Connected::new(&self.settings).await?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(connected.clone());
        Ok(connected)
    }
}

impl Connected {
    async fn new(settings: &Settings) -> RedisResult<Self> {
        let lost = Arc::new(AtomicBool::new(false));
        let connection = if settings.cluster {
            Connection::Cluster(settings.cluster_client()?.get_async_connection().await?)
        } else {
            let noticed = Arc::clone(&lost);
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(settings.timeout))
                .set_response_timeout(None)
                .set_pipeline_buffer_size(BUFFER)
                .set_push_sender(move |push: PushInfo| {
                    if push.kind == PushKind::Disconnection {
                        noticed.store(true, Relaxed);
                    }
                    Ok::<_, Infallible>(())
                });
            let client = settings.client()?;
            Connection::Server(client.get_multiplexed_async_connection_with_config(&config).await?)
        };
        Ok(Self { connection, lost, since: Instant::now() })
    }

    pub(super) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Nobody uses it any more, but for those who wait for their answers.
    pub(super) fn give_up(&self) {
        self.lost.store(true, Relaxed);
    }

    /// No answer came in time, and perhaps none ever will on this connection.
    pub(super) fn is_overdue(&self) {
        let young = self.age() < CLUSTER_AGE;
        if !(young && matches!(self.connection, Connection::Cluster(_))) {
            self.give_up();
        }
    }

    pub(super) async fn send(&self, command: &Cmd) -> RedisResult<Value> {
        match self.connection.clone() {
            Connection::Server(mut server) => command.query_async(&mut server).await,
            Connection::Cluster(mut cluster) => command.query_async(&mut cluster).await,
        }
    }

    /// Sends a command to the node that a slot is on its way to.
    pub(super) async fn send_after(&self, asked: &RedisError, command: &Cmd) -> RedisResult<Value> {
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

    /// Sends a command to some node of a cluster, or to the server.
    pub(super) async fn send_to(&self, route: RoutingInfo, command: &Cmd) -> RedisResult<Value> {
        match self.connection.clone() {
            Connection::Cluster(mut cluster) => {
                cluster.route_command(command.clone(), route).await?.extract_error()
            }
            Connection::Server(_) => self.send(command).await,
        }
    }
}
