//! The threads that password hashing runs on.

use std::{
    collections::VecDeque,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use argon2::Block;
use thread_priority::{ThreadPriority, set_current_thread_priority};
use tokio::sync::oneshot;

use crate::error::Error;

/// One hash takes tens of milliseconds, so a full queue is half empty a second later.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A bounded queue, and threads that work on it.
///
/// Threads start when there is work and none of them is idle, never more than `threads`. They end
/// when the pool is dropped.
pub(super) struct Pool(Arc<Shared>);

struct Shared {
    threads: usize,
    queue: usize,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Box<dyn Job>>,
    /// Jobs that were ever taken on.
    #[cfg(feature = "testing")]
    accepted: usize,
    /// Threads that exist.
    started: usize,
    /// Threads that run a job.
    busy: usize,
    closed: bool,
}

impl State {
    /// Jobs that wait or run.
    fn outstanding(&self) -> usize {
        self.jobs.len() + self.busy
    }
}

trait Job: Send {
    /// Whether nobody waits for the result any more.
    fn is_abandoned(&self) -> bool;
    fn run(self: Box<Self>, memory: &mut Memory);
}

struct Task<F, T> {
    work: F,
    reply: oneshot::Sender<T>,
}

impl<F, T> Job for Task<F, T>
where
    F: FnOnce(&mut Memory) -> T + Send,
    T: Send,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn run(self: Box<Self>, memory: &mut Memory) {
        // A waiter that left while the job ran needs no result.
        let _ = self.reply.send((self.work)(memory));
    }
}

/// The memory of one thread. It stays allocated from one job to the next, which saves the system
/// handing out thousands of clean pages for every hash.
#[derive(Default)]
pub(super) struct Memory(Vec<Block>);

impl Memory {
    /// At least so many blocks, with any content.
    pub(super) fn blocks(&mut self, count: usize) -> &mut [Block] {
        if self.0.len() < count {
            // Free first: the old content is worth nothing.
            self.0 = Vec::new();
            self.0 = vec![Block::new(); count];
        }
        &mut self.0
    }

    /// Gives back what one costly job needed beyond the usual.
    pub(super) fn keep_at_most(&mut self, count: usize) {
        if self.0.len() > count {
            self.0 = Vec::new();
        }
    }
}

impl Pool {
    pub(super) fn new(threads: usize, queue: usize) -> Self {
        let (state, wake) = Default::default();
        Self(Arc::new(Shared { threads: threads.max(1), queue, state, wake }))
    }

    pub(super) fn threads(&self) -> usize {
        self.0.threads
    }

    pub(super) fn queue(&self) -> usize {
        self.0.queue
    }

    #[cfg(feature = "testing")]
    pub(super) fn accepted(&self) -> usize {
        self.0.lock().accepted
    }

    /// Runs `work` on one of the threads. Dropping the future before a thread took the job drops
    /// the job.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, result) = oneshot::channel();
        self.push(Box::new(Task { work, reply }))?;
        result.await.map_err(|_| Error::Crypto("a password hashing job panicked".into()))
    }

    fn push(&self, job: Box<dyn Job>) -> Result<(), Error> {
        let overloaded =
            || Error::Overloaded { resource: "password hashing", retry_after: RETRY_AFTER };
        let limit = self.0.threads.saturating_add(self.0.queue);
        let mut state = self.0.lock();
        if state.outstanding() >= limit {
            // Clients that hung up must not keep others out.
            state.jobs.retain(|job| !job.is_abandoned());
            if state.outstanding() >= limit {
                return Err(overloaded());
            }
        }
        state.jobs.push_back(job);
        #[cfg(feature = "testing")]
        {
            state.accepted += 1;
        }
        if state.outstanding() > state.started && state.started < self.0.threads {
            match self.0.start_thread() {
                Ok(()) => state.started += 1,
                // The threads there are will get to it.
                Err(error) if state.started > 0 => {
                    tracing::warn!(%error, "cannot start another thread for password hashing");
                }
                Err(error) => {
                    tracing::error!(%error, "cannot start a thread for password hashing");
                    state.jobs.pop_back();
                    return Err(overloaded());
                }
            }
        }
        drop(state);
        self.0.wake.notify_one();
        Ok(())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Every waiter borrows the pool, so whatever is still queued was abandoned.
        let mut state = self.0.lock();
        state.closed = true;
        state.jobs.clear();
        drop(state);
        self.0.wake.notify_all();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("threads", &self.0.threads)
            .field("queue", &self.0.queue)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start_thread(self: &Arc<Self>) -> std::io::Result<()> {
        let shared = self.clone();
        thread::Builder::new().name("password-hash".into()).spawn(move || shared.work()).map(drop)
    }

    fn work(&self) {
        // Requests that carry a session should not wait for those that log in.
        if let Err(error) = set_current_thread_priority(ThreadPriority::Min) {
            tracing::warn!(?error, "password hashing runs at normal priority");
        }
        let mut memory = Memory::default();
        while let Some(job) = self.next() {
            if !job.is_abandoned() {
                // The waiter learns of a panic because the reply is dropped.
                let _ = catch_unwind(AssertUnwindSafe(|| job.run(&mut memory)));
            }
            self.lock().busy -= 1;
        }
    }

    /// The next job, `None` when the pool is gone.
    fn next(&self) -> Option<Box<dyn Job>> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(job) = state.jobs.pop_front() {
                state.busy += 1;
                return Some(job);
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests;
