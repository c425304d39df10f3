//! Readers: a few threads with read-only connections, each job in one snapshot.
//!
//! Lifetime: as long as the store, also when its writer has ended.

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
        drop(waiting);
        self.news.notify_one();
        Ok(())
    }

    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.places.close();
        self.news.notify_all();
    }

    fn next(&self) -> Option<Queued> {
        let mut waiting = self
            .news
            .wait_while(self.lock(), |waiting| {
                waiting.jobs.is_empty() && !waiting.closing
            })
            .unwrap_or_else(PoisonError::into_inner);
        waiting.jobs.pop_front()
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
        while let Some(Queued { job, _place }) = self.next() {
            deadline.store(millis(began.elapsed() + READ_MAX), Ordering::Relaxed);
            // A job that panics is a bug of its caller's, who hears of it by the answer that
            // does not come; the thread and the other callers go on.
            let outcome = catch_unwind(AssertUnwindSafe(|| snapshot(&db, &inside, job)));
            deadline.store(u64::MAX, Ordering::Relaxed);
            if outcome.is_err() {
                tracing::error!("a read has panicked");
            }
            if !db.is_autocommit()
                && let Err(error) = execute(&db, "ROLLBACK")
            {
                tracing::error!(%error, "a reader cannot end its snapshot and ends");
                return;
            }
        }
    }
}

fn execute(db: &Connection, sql: &str) -> rusqlite::Result<()> {
    db.prepare_cached(sql)?.execute([]).map(drop)
}

fn snapshot(db: &Connection, inside: &Inside, job: Job) {
    match execute(db, "BEGIN") {
        Ok(()) => job(Ok(Snapshot { db, inside })),
        Err(error) => job(Err(StoreError::Read(error.to_string()))),
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
