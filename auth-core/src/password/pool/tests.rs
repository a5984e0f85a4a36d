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
