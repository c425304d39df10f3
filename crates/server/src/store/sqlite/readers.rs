//! Readers: a few threads with read-only connections, each job in one snapshot.
//!
//! When many wait, one snapshot serves several jobs: it begins after all of them were queued, so it
//! has everything that their callers may expect. Beginning and ending it, and waking a thread, cost
//! more than a small job does. Lifetime: as long as the store, also when its writer has ended.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::inside::Inside;
use crate::store::StoreError;

/// Threads that read.
pub(super) const READERS: usize = 4;
/// Jobs that wait for one of them. Beyond, callers wait before they are in the queue.
const READ_QUEUE_MAX: usize = 1_024;
/// A snapshot lasts at most this long: while one is open, the WAL cannot be reset.
const READ_MAX: Duration = Duration::from_secs(2);
/// Jobs that share a snapshot.
const SHARED_MAX: usize = 8;
/// A snapshot older than this takes no further job: its time is for the one that began it.
const SHARED_FOR_MAX: Duration = Duration::from_millis(50);
/// Steps of SQLite's machine between looks at the clock.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// What to do with a connection in whose snapshot all look-ups belong together.
pub(super) type Job = Box<dyn FnOnce(Result<Snapshot<'_>, StoreError>) + Send>;

/// A read transaction, and the inside ids that its connection has met: they never change.
#[derive(Clone, Copy)]
pub(super) struct Snapshot<'a> {
    pub(super) db: &'a Connection,
    pub(super) inside: &'a Inside,
}

struct Queued {
    job: Job,
    _place: OwnedSemaphorePermit,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Queued>,
    /// Threads that wait for a job.
    idle: usize,
    /// A thread has been told of a job and has not come for it yet. It tells the next one if it
    /// leaves something behind, so a burst of jobs does not wake all threads at once.
    told: bool,
    closing: bool,
}

/// The queue of the readers. Its lock is held only to move jobs.
pub(super) struct Readers {
    waiting: Mutex<Waiting>,
    news: Condvar,
    places: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new() -> Self {
        Self {
            waiting: Mutex::default(),
            news: Condvar::new(),
            places: Arc::new(Semaphore::new(READ_QUEUE_MAX)),
        }
    }

    /// Queues `job`.
    pub(super) async fn push(&self, job: Job) -> Result<(), StoreError> {
        let closed = || StoreError::Read("the store is being closed".into());
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_closed| closed())?;
        let mut waiting = self.lock();
        if waiting.closing {
            return Err(closed());
        }
        waiting.jobs.push_back(Queued { job, _place: place });
        let tell = waiting.wants_thread();
        drop(waiting);
        if tell {
            self.news.notify_one();
        }
        Ok(())
    }

    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.places.close();
        self.news.notify_all();
    }

    /// Waits for jobs and moves this thread's share of them to `mine`. `false`: the store is
    /// being closed, and nothing waits.
    fn next(&self, mine: &mut VecDeque<Queued>) -> bool {
        let mut waiting = self.lock();
        while waiting.jobs.is_empty() && !waiting.closing {
            waiting.idle += 1;
            waiting = self
                .news
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
            waiting.idle -= 1;
            waiting.told = false;
        }
        let share = waiting.jobs.len().div_ceil(READERS).min(SHARED_MAX);
        mine.extend(waiting.jobs.drain(..share));
        let tell = waiting.wants_thread();
        drop(waiting);
        if tell {
            self.news.notify_one();
        }
        !mine.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Jobs are moved whole: a panic elsewhere leaves no half-moved one behind.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One thread's life.
    pub(super) fn run(&self, mut db: Connection) {
        let began = Instant::now();
        let deadline = Arc::new(AtomicU64::new(u64::MAX));
        let seen = Arc::clone(&deadline);
        let late = move || millis(began.elapsed()) > seen.load(Ordering::Relaxed);
        if let Err(error) = db.progress_handler(STEPS_BETWEEN_LOOKS, Some(late)) {
            tracing::error!(%error, "a reader cannot watch its time and ends");
            return;
        }
        let inside = Inside::default();
        let mut jobs = VecDeque::new();
        while !jobs.is_empty() || self.next(&mut jobs) {
            let begun = Instant::now();
            deadline.store(millis(begun - began + READ_MAX), Ordering::Relaxed);
            in_one_snapshot(&db, &inside, &mut jobs, begun);
            deadline.store(u64::MAX, Ordering::Relaxed);
            if !db.is_autocommit()
                && let Err(error) = execute(&db, "ROLLBACK")
            {
                tracing::error!(%error, "a reader cannot end its snapshot and ends");
                return;
            }
        }
    }
}

impl Waiting {
    /// Whether a thread is to be told of a job; if so, it counts as told.
    fn wants_thread(&mut self) -> bool {
        let tell = !self.jobs.is_empty() && self.idle > 0 && !self.told;
        self.told |= tell;
        tell
    }
}

fn execute(db: &Connection, sql: &str) -> rusqlite::Result<()> {
    db.prepare_cached(sql)?.execute([]).map(drop)
}

/// Runs the first of `jobs`, and those behind it while the snapshot is young and nothing is wrong.
fn in_one_snapshot(db: &Connection, inside: &Inside, jobs: &mut VecDeque<Queued>, begun: Instant) {
    let began = execute(db, "BEGIN");
    while let Some(Queued { job, _place }) = jobs.pop_front() {
        if let Err(error) = began {
            return job(Err(StoreError::Read(error.to_string())));
        }
        // A job that panics is a bug of its caller's, who hears of it by the answer that does
        // not come; the thread and the other callers go on.
        let run = || job(Ok(Snapshot { db, inside }));
        if catch_unwind(AssertUnwindSafe(run)).is_err() {
            return tracing::error!("a read has panicked");
        }
        if begun.elapsed() > SHARED_FOR_MAX {
            return;
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
