//! One call of a store: commands, and what becomes of them: [`Call`].

use std::{io, time::Duration};

use futures_util::future::try_join_all;
use redis::{
    Cmd, ErrorKind, FromRedisValue, RedisError, RedisResult, ServerErrorKind, Value,
    cluster_routing::RoutingInfo,
};
use tokio::time::{Instant, sleep, timeout_at};

use super::link::Link;
use crate::error::Error;

/// How often a command is sent again of which the server says that it did not carry it out.
const ATTEMPTS: usize = 5;

/// The pause before it is sent again for the second time and later.
const PAUSE: Duration = Duration::from_millis(20);

/// How old a connection to a server is at least that is given up because the server has become a
/// replica: one that stays one would have each change connect anew.
const READ_ONLY: Duration = Duration::from_secs(1);

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

impl Effect {
    fn is_repeatable(self) -> bool {
        self == Self::Repeatable
    }
}

impl<'a> Call<'a> {
    /// Begins one.
    pub(super) fn new(link: &'a Link) -> Self {
        Self { link, deadline: Instant::now() + link.settings.timeout }
    }

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
            let moves = !cluster && is_read_only(&error) && connected.age() >= READ_ONLY;
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
        let asked = async { self.link.connected().await?.send_to(route, command).await };
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
