//! The job behind an erased account: from room to room, until nothing is left to do.
//!
//! One loop, one job after the other, the oldest first; it begins with what a node before this one has
//! left. What is next is read and decided in `core::erasure`, written through `commit`. Lifetime:
//! that of the node.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chinwag_core::erasure::{self, Erasure, Stage};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use crate::commit::Departures;
use crate::store::{self, Store, StoreError};

/// Jobs that are read at once, and counted at most.
const JOBS_MAX: usize = 1_000;
/// After a failure of the store, until it is tried again; twice as long each time, up to the last.
const RETRY: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(30)];

/// The way in.
#[derive(Clone)]
pub struct Eraser {
    /// At most one that waits: all jobs are looked at after it.
    news: mpsc::Sender<()>,
    waiting: Arc<AtomicUsize>,
}

impl Eraser {
    /// Starts the loop on `tasks`; it ends when the last handle is dropped.
    #[must_use]
    pub fn start(store: &Arc<dyn Store>, departures: Departures, tasks: &TaskTracker) -> Self {
        let (news, told) = mpsc::channel(1);
        let waiting = Arc::new(AtomicUsize::new(0));
        let erasing = Erasing {
            store: store.clone(),
            departures,
            waiting: waiting.clone(),
            told,
        };
        tasks.spawn(erasing.run());
        Self { news, waiting }
    }

    /// There is a new job.
    pub fn tell(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // Full: it will look anyway. Closed: the node ends, and the next one looks.
        let _known = self.news.try_send(());
    }

    /// Accounts that are closed and whose rooms are not all done, up to a thousand.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

struct Erasing {
    store: Arc<dyn Store>,
    departures: Departures,
    waiting: Arc<AtomicUsize>,
    told: mpsc::Receiver<()>,
}

impl Erasing {
    async fn run(mut self) {
        let mut patience = RETRY[0];
        loop {
            match self.pass().await {
                Ok(true) => patience = RETRY[0],
                // Nothing is left: until there is something, or the node ends.
                Ok(false) => {
                    if self.told.recv().await.is_none() {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "an erased account waits for the store");
                    // A new job is no reason to try sooner; the end of the node is one to end.
                    if let Ok(None) = timeout(patience, self.ended()).await {
                        return;
                    }
                    patience = (patience * 2).min(RETRY[1]);
                }
            }
            if self.told.is_closed() {
                return;
            }
        }
    }

    /// Answers when the last handle is gone, and never before.
    async fn ended(&mut self) -> Option<()> {
        while self.told.recv().await.is_some() {}
        None
    }

    /// Goes through all jobs, the oldest first; whether there was one. One that fails keeps no
    /// other from being done; it is tried again.
    async fn pass(&mut self) -> Result<bool, StoreError> {
        let open = store::read(&*self.store, |view| view.estate().erasures(JOBS_MAX)).await?;
        let mut failed = None;
        let mut left = open.len();
        let found = left > 0;
        self.waiting.store(left, Ordering::Relaxed);
        for erasure in open {
            match self.finish(erasure).await {
                Ok(()) => left -= 1,
                Err(error) => failed = Some(error),
            }
            if self.told.is_closed() {
                return Ok(true);
            }
            self.waiting.store(left, Ordering::Relaxed);
        }
        failed.map_or(Ok(found), Err)
    }

    /// Goes on with a job until it is done, or the node ends.
    async fn finish(&self, mut erasure: Erasure) -> Result<(), StoreError> {
        let (job, mut steps) = (erasure.job, 0_u64);
        while erasure.place.stage != Stage::Done && !self.told.is_closed() {
            let at = erasure.clone();
            let step = store::read(&*self.store, move |view| erasure::look(view, &at)).await?;
            let reached = step.to;
            self.departures.erase(step).await?;
            erasure.place = reached;
            steps += 1;
        }
        tracing::info!(%job, steps, stage = ?erasure.place.stage, "rooms of an erased account");
        Ok(())
    }
}
