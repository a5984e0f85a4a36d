//! Waiting for a database no longer than agreed: [`Lease`].

use std::{future::Future, io, time::Duration};

use sqlx::{Database, Pool, pool::PoolConnection};
use tokio::{
    runtime::Handle,
    time::{Instant, timeout},
};

/// What PostgreSQL says when a table has changed since a statement was prepared on a connection. It
/// says so each time that the statement is used there again.
const STALE_STATEMENT: &str = "0A000";

/// How often a statement or a transaction is tried that the engine has undone.
#[derive(Debug)]
pub(crate) struct Attempts {
    left: u32,
    begun: Instant,
}

impl Attempts {
    /// Of two that wait for each other, one always gets through, so that many more are hardly needed.
    const MOST: u32 = 5;

    /// How long it is worth while.
    const FOR: Duration = Duration::from_secs(1);

    pub(crate) fn begin() -> Self {
        Self { left: Self::MOST, begun: Instant::now() }
    }

    /// What is left of a limit for everything together.
    fn left(&self, limit: Option<Duration>) -> Option<Duration> {
        limit.map(|limit| limit.saturating_sub(self.begun.elapsed()))
    }

    /// Whether to try again: the engine says that it has undone everything, because two waited for
    /// each other or could not be put into an order.
    pub(crate) fn once_more<T>(&mut self, answer: &Result<T, sqlx::Error>) -> bool {
        let error = answer.as_ref().err().and_then(sqlx::Error::as_database_error);
        let code = error.and_then(|error| error.code());
        // Of the SQL standard, and of PostgreSQL.
        let undone = code.is_some_and(|code| ["40001", "40P01"].contains(&&*code));
        self.left -= 1;
        undone && self.left > 0 && self.begun.elapsed() < Self::FOR
    }
}

/// An engine as far as waiting for it goes.
pub(crate) trait Patience: Database {
    /// How long a statement may go without an answer; `None` where the engine ends it by itself.
    fn limit(pool: &Pool<Self>) -> Option<Duration>;
}

/// A connection that is borrowed from a pool for one statement.
///
/// What is bounded by the pool itself: waiting for a connection, making one. What is not, and is
/// therefore bounded here: the answer of a server that has vanished without a word, and the
/// question whether a connection is still good, which the pool asks when it gets one back. A lost
/// answer would otherwise keep a request, and its connection, until TCP gives up: a quarter of an
/// hour.
pub(crate) struct Lease<DB: Database> {
    connection: PoolConnection<DB>,
    limit: Option<Duration>,
}

impl<DB: Patience> Lease<DB> {
    /// Waits for a connection, as long as the pool is set to.
    pub(crate) async fn of(pool: &Pool<DB>, attempts: &Attempts) -> Result<Self, sqlx::Error> {
        let limit = DB::limit(pool);
        let connection = in_time(attempts.left(limit), pool.acquire()).await?;
        Ok(Self { connection, limit })
    }

    /// How long the answer may take, after what waiting for the connection has taken.
    pub(crate) fn left(&self, attempts: &Attempts) -> Option<Duration> {
        attempts.left(self.limit)
    }

    pub(crate) fn connection(&mut self) -> &mut DB::Connection {
        &mut self.connection
    }

    /// Passes the answer on. If it says that no answer to this statement can be had on this
    /// connection any more, the connection is closed and not given back.
    pub(crate) fn end<T>(mut self, answer: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        let error = answer.as_ref().err().and_then(sqlx::Error::as_database_error);
        if error.and_then(|error| error.code()).is_some_and(|code| code == STALE_STATEMENT) {
            self.connection.close_on_drop();
            self.limit = None;
        }
        answer
    }
}

impl<DB: Database> Drop for Lease<DB> {
    /// Gives the connection back, also in the middle of an answer: when the statement took too
    /// long, or when nobody wants the answer any more. If it is not good again in time, it is
    /// closed.
    fn drop(&mut self) {
        let Some(limit) = self.limit else { return };
        // Where there is no runtime, sqlx says so when it drops the connection.
        let Ok(runtime) = Handle::try_current() else { return };
        let returned = self.connection.return_to_pool();
        runtime.spawn(async move { drop(timeout(limit, returned).await) });
    }
}

/// Waits for an answer until the limit.
pub(crate) async fn in_time<T>(
    limit: Option<Duration>,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let Some(limit) = limit else { return answer.await };
    timeout(limit, answer).await.unwrap_or_else(|_| {
        let what = format!("no answer within {limit:?}");
        Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, what)))
    })
}
