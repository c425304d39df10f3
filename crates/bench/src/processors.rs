//! Server and load on different processors, so that neither takes the other's time.
//!
//! A child inherits the processors of the thread that starts it (sched_setaffinity(2)), so the
//! server is put on its one before it runs at all, and counts its threads by it. Lives as long as
//! the run.

use anyhow::Context as _;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::Serialize;

/// One processor for each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Split {
    /// The server's.
    pub(crate) server: usize,
    /// The load generator's.
    pub(crate) bench: usize,
}

impl Split {
    /// The first two processors that this process may use; nothing if there is only one, or if
    /// the system does not tell.
    pub(crate) fn of_this_machine() -> Option<Self> {
        let usable = sched_getaffinity(None).ok()?;
        let mut usable = (0..CpuSet::MAX_CPU).filter(|processor| usable.is_set(*processor));
        Some(Self {
            server: usable.next()?,
            bench: usable.next()?,
        })
    }

    /// Puts this thread, and those it starts, on the load's processor.
    ///
    /// # Errors
    /// The system refuses it.
    pub(crate) fn take_ours(self) -> anyhow::Result<()> {
        take(self.bench)
    }

    /// Puts what `start` starts on the server's processor.
    ///
    /// # Errors
    /// The system refuses it, or `start` fails.
    pub(crate) fn start_theirs<T>(
        self,
        start: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        take(self.server)?;
        let started = start();
        take(self.bench)?;
        started
    }
}

fn take(processor: usize) -> anyhow::Result<()> {
    let mut one = CpuSet::new();
    one.set(processor);
    sched_setaffinity(None, &one)
        .with_context(|| format!("cannot use processor {processor} alone: try --no-pin"))
}
