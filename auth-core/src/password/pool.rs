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
mod tests {
    use std::sync::{
        Barrier, Weak,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    };

    use futures_util::future::{join_all, poll_immediate};

    use super::*;

    fn overloaded<T>(result: &Result<T, Error>) -> bool {
        matches!(
            result,
            Err(Error::Overloaded { resource: "password hashing", retry_after: RETRY_AFTER })
        )
    }

    #[tokio::test]
    async fn runs_as_many_jobs_at_once_as_there_are_threads_and_no_more() {
        let pool = Pool::new(3, 100);
        let running = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        // Three jobs must meet at the barrier, or none of them ever ends.
        let barrier = Arc::new(Barrier::new(3));
        let jobs = (0..60).map(|_| {
            let (running, most, barrier) = (running.clone(), most.clone(), barrier.clone());
            pool.run(move |_| {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                barrier.wait();
                running.fetch_sub(1, Ordering::SeqCst);
            })
        });
        assert!(join_all(jobs).await.iter().all(Result::is_ok));
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn a_full_queue_is_overloaded_and_recovers() {
        let pool = Pool::new(1, 2);
        let (release, gate) = mpsc::channel::<()>();
        let mut running = Box::pin(pool.run(move |_| gate.recv().is_ok()));
        assert!(poll_immediate(&mut running).await.is_none());
        let mut waiting: Vec<_> = (0..2).map(|n| Box::pin(pool.run(move |_| n))).collect();
        for job in &mut waiting {
            assert!(poll_immediate(job).await.is_none());
        }
        assert!(overloaded(&pool.run(|_| 7).await));

        release.send(()).unwrap();
        assert!(running.await.unwrap());
        let results: Vec<_> = join_all(waiting).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(results, [0, 1]);
        assert_eq!(pool.run(|_| 7).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_job_whose_waiter_left_frees_its_place_and_never_runs() {
        let pool = Pool::new(1, 1);
        let (release, gate) = mpsc::channel::<()>();
        let mut running = Box::pin(pool.run(move |_| gate.recv().is_ok()));
        assert!(poll_immediate(&mut running).await.is_none());
        let ran = Arc::new(AtomicUsize::new(0));
        let count = ran.clone();
        let mut left = Box::pin(pool.run(move |_| count.fetch_add(1, Ordering::SeqCst)));
        assert!(poll_immediate(&mut left).await.is_none());
        drop(left);

        let mut last = Box::pin(pool.run(|_| 7));
        assert!(poll_immediate(&mut last).await.is_none());
        release.send(()).unwrap();
        assert_eq!(last.await.unwrap(), 7);
        assert!(running.await.unwrap());
        assert_eq!(ran.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn a_panic_is_a_fault_of_that_job_alone() {
        let pool = Pool::new(1, 1);
        let result = pool.run(|_| panic!("on purpose")).await;
        assert!(matches!(result, Err::<(), _>(Error::Crypto(_))));
        assert_eq!(pool.run(|_| 7).await.unwrap(), 7);
        assert_eq!(pool.0.lock().started, 1);
    }

    #[tokio::test]
    async fn threads_start_with_the_first_job_and_end_with_the_pool() {
        let pool = Pool::new(2, 1);
        assert_eq!(pool.0.lock().started, 0);
        pool.run(|_| ()).await.unwrap();
        assert_eq!(pool.0.lock().started, 1);
        let shared: Weak<Shared> = Arc::downgrade(&pool.0);
        drop(pool);
        // The thread holds the last reference until it ends.
        while shared.strong_count() > 0 {
            thread::yield_now();
        }
    }

    #[test]
    fn memory_is_kept_between_jobs_but_not_beyond_the_usual() {
        let mut memory = Memory::default();
        let first = memory.blocks(8).as_ptr();
        assert_eq!(memory.blocks(4).as_ptr(), first);
        memory.keep_at_most(8);
        assert_eq!(memory.0.len(), 8);
        memory.blocks(9);
        memory.keep_at_most(8);
        assert_eq!(memory.0.len(), 0);
    }
}
