//! What waits for the writer thread: three bounded queues, and which of them goes next.
//!
//! Appends go first. Account writes and markers share a transaction when no append waits, or
//! after [`ROUNDS_BEFORE_LOWER`] rounds of appends, so that they are delayed but never starved.
//! A full queue makes its callers wait before they are in it; nobody is dropped. Lifetime: as
//! long as the store.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chinwag_core::batch::{Command, Submission};
use chinwag_core::ids::Millis;
use chinwag_core::ledger::Committed;
use chinwag_core::limits;
use chinwag_core::marker::{Mark, Marked};
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::store::StoreError;

/// Account writes and calls of `mark` that wait, together.
const LOWER_QUEUE_MAX: usize = 4_096;
/// Account writes, and calls of `mark`, in one transaction, each.
const LOWER_BATCH_MAX: usize = 256;
/// Rounds of appends after which a waiting lower queue gets one.
const ROUNDS_BEFORE_LOWER: u32 = 8;
/// Text in one transaction, in bytes. Keeps its part of the WAL far below the free space that
/// the writer insists on, and its fsync short.
const ROUND_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A call that waits for its answer.
pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// One call of `append`.
pub(super) struct AppendCall {
    pub(super) items: Vec<Submission>,
    pub(super) now: Millis,
    pub(super) reply: Reply<Committed>,
    /// Its place in the queue, given back when the call is dropped.
    pub(super) _place: OwnedSemaphorePermit,
}

/// One call of `mark`.
pub(super) struct MarkCall {
    pub(super) marks: Vec<Mark>,
    pub(super) at: Millis,
    pub(super) reply: Reply<Vec<Option<Marked>>>,
    pub(super) _place: OwnedSemaphorePermit,
}

/// A write whose meaning only its caller knows.
pub(super) trait Write: Send {
    /// Runs it in its own savepoint.
    fn run(&mut self, db: &Connection) -> rusqlite::Result<()>;
    /// Whether it is no concern of rooms, members and accounts.
    fn is_beside(&self) -> bool;
    /// Answers its caller: with what `run` gave, or with the error.
    fn reply(self: Box<Self>, outcome: Result<(), StoreError>);
}

/// An account write in the queue.
pub(super) struct WriteCall {
    pub(super) work: Box<dyn Write>,
    pub(super) _place: OwnedSemaphorePermit,
}

/// A typed [`Write`].
pub(super) struct Work<F, R> {
    pub(super) work: Option<F>,
    pub(super) value: Option<R>,
    pub(super) reply: Reply<R>,
    pub(super) ended: EndedWrite<R>,
    pub(super) is_beside: bool,
}

/// How often something was written that may have changed who somebody is, or ended a session.
/// Counted after the commit and before the caller is answered: whoever reads the count and then
/// begins a snapshot has all that these writes did.
#[derive(Debug, Clone, Default)]
pub(super) struct AccountWrites(Arc<AtomicU64>);

impl AccountWrites {
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// Counts a write when it is dropped, so that none goes uncounted whatever became of it.
pub(super) struct EndedWrite<R> {
    pub(super) writes: AccountWrites,
    /// Whether a write with this outcome is to be counted.
    pub(super) counts: fn(&R) -> bool,
    pub(super) harmless: bool,
}

impl<R> Drop for EndedWrite<R> {
    fn drop(&mut self) {
        if !self.harmless {
            self.writes.0.fetch_add(1, Ordering::AcqRel);
        }
    }
}

impl<R: Send, F: FnOnce(&Connection) -> rusqlite::Result<R> + Send> Write for Work<F, R> {
    fn run(&mut self, db: &Connection) -> rusqlite::Result<()> {
        if let Some(work) = self.work.take() {
            self.value = Some(work(db)?);
        }
        Ok(())
    }

    fn is_beside(&self) -> bool {
        self.is_beside
    }

    fn reply(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Self {
            value,
            reply,
            mut ended,
            ..
        } = *self;
        let never_run = || StoreError::Closed("the write was not run".into());
        let outcome = outcome.and_then(|()| value.ok_or_else(never_run));
        ended.harmless = outcome.as_ref().is_ok_and(|value| !(ended.counts)(value));
        drop(ended);
        // A caller that has gone away wants no answer.
        let _gone = reply.send(outcome);
    }
}

/// What the writer does next.
pub(super) enum Round {
    /// Appends, for one transaction.
    Appends(Vec<AppendCall>),
    /// Account writes and markers, for one transaction.
    Lower(Vec<WriteCall>, Vec<MarkCall>),
    /// Nothing has come for a while.
    Idle,
    /// Somebody found that the files cannot be trusted any more.
    Failed(String),
    /// The store is being closed and nothing waits.
    Close,
}

#[derive(Default)]
struct Waiting {
    appends: VecDeque<AppendCall>,
    writes: VecDeque<WriteCall>,
    marks: VecDeque<MarkCall>,
    /// Rounds of appends since the lower queues had theirs.
    passed_over: u32,
    failed: Option<String>,
    closing: bool,
    ended: Option<String>,
}

/// The queues. One lock, held only to move entries; never while anything else is locked.
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    news: Condvar,
    append_places: Arc<Semaphore>,
    lower_places: Arc<Semaphore>,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            waiting: Mutex::default(),
            news: Condvar::new(),
            append_places: Arc::new(Semaphore::new(limits::COMMIT_QUEUE_MAX)),
            lower_places: Arc::new(Semaphore::new(LOWER_QUEUE_MAX)),
        }
    }

    /// A place for a call with `items` submissions.
    pub(super) async fn append_place(
        &self,
        items: usize,
    ) -> Result<OwnedSemaphorePermit, StoreError> {
        let places = items.clamp(1, limits::COMMIT_QUEUE_MAX) as u32;
        let place = Arc::clone(&self.append_places)
            .acquire_many_owned(places)
            .await;
        place.map_err(|_closed| self.refusal())
    }

    /// A place for an account write or a call of `mark`.
    pub(super) async fn lower_place(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        let place = Arc::clone(&self.lower_places).acquire_owned().await;
        place.map_err(|_closed| self.refusal())
    }

    pub(super) fn append(&self, call: AppendCall) -> Result<(), StoreError> {
        self.push(|waiting| waiting.appends.push_back(call))
    }

    pub(super) fn mark(&self, call: MarkCall) -> Result<(), StoreError> {
        self.push(|waiting| waiting.marks.push_back(call))
    }

    pub(super) fn write(&self, call: WriteCall) -> Result<(), StoreError> {
        self.push(|waiting| waiting.writes.push_back(call))
    }

    fn push(&self, put: impl FnOnce(&mut Waiting)) -> Result<(), StoreError> {
        let mut waiting = self.lock();
        if let Some(refusal) = waiting.refusal() {
            return Err(refusal);
        }
        put(&mut waiting);
        drop(waiting);
        self.news.notify_one();
        Ok(())
    }

    /// Waits at most `patience` for something to do.
    pub(super) fn next(&self, patience: Duration) -> Round {
        let waiting = self.lock();
        let (mut waiting, _timeout) = self
            .news
            .wait_timeout_while(waiting, patience, |waiting| waiting.is_quiet())
            .unwrap_or_else(PoisonError::into_inner);
        waiting.take()
    }

    /// Ends the writer before its next transaction.
    pub(super) fn fail(&self, reason: String) {
        self.lock().failed.get_or_insert(reason);
        self.news.notify_one();
    }

    /// Takes no more, and lets the writer end when it has done what waits.
    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.news.notify_one();
    }

    /// The writer has ended: nothing of what waits is stored, and nothing more is taken.
    pub(super) fn end(&self, reason: &str) {
        let mut waiting = self.lock();
        waiting.ended.get_or_insert_with(|| reason.to_owned());
        let appends = std::mem::take(&mut waiting.appends);
        let writes = std::mem::take(&mut waiting.writes);
        let marks = std::mem::take(&mut waiting.marks);
        drop(waiting);
        self.append_places.close();
        self.lower_places.close();
        let closed = || StoreError::Closed(reason.to_owned());
        // Callers that have gone away want no answer.
        for call in appends {
            let _gone = call.reply.send(Err(closed()));
        }
        for call in marks {
            let _gone = call.reply.send(Err(closed()));
        }
        for call in writes {
            call.work.reply(Err(closed()));
        }
    }

    /// Why nothing is taken any more.
    pub(super) fn refusal(&self) -> StoreError {
        let refusal = self.lock().refusal();
        refusal.unwrap_or_else(|| StoreError::Closed("it is being closed".into()))
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Entries are moved whole: a panic elsewhere leaves no half-moved one behind.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn refusal(&self) -> Option<StoreError> {
        let reason = match (&self.ended, self.closing) {
            (Some(reason), _) => reason.clone(),
            (None, true) => "it is being closed".into(),
            (None, false) => return None,
        };
        Some(StoreError::Closed(reason))
    }

    fn is_quiet(&self) -> bool {
        self.appends.is_empty()
            && self.writes.is_empty()
            && self.marks.is_empty()
            && self.failed.is_none()
            && !self.closing
    }

    fn take(&mut self) -> Round {
        if let Some(reason) = self.failed.take() {
            return Round::Failed(reason);
        }
        let lower = !self.writes.is_empty() || !self.marks.is_empty();
        let turn_of_lower = self.appends.is_empty() || self.passed_over >= ROUNDS_BEFORE_LOWER;
        if lower && turn_of_lower {
            self.passed_over = 0;
            let writes = self.writes.len().min(LOWER_BATCH_MAX);
            let marks = self.marks.len().min(LOWER_BATCH_MAX);
            return Round::Lower(
                self.writes.drain(..writes).collect(),
                self.marks.drain(..marks).collect(),
            );
        }
        if !self.appends.is_empty() {
            self.passed_over = if lower { self.passed_over + 1 } else { 0 };
            return Round::Appends(self.take_appends());
        }
        if self.closing {
            Round::Close
        } else {
            Round::Idle
        }
    }

    /// As many calls as fit into one transaction, at least one.
    fn take_appends(&mut self) -> Vec<AppendCall> {
        let mut calls: Vec<AppendCall> = Vec::new();
        let (mut items, mut bytes) = (0, 0);
        while let Some(call) = self.appends.front() {
            items += call.items.len();
            bytes += call.items.iter().map(text_bytes).sum::<usize>();
            let full = items > limits::BATCH_MAX || bytes > ROUND_BYTES_MAX;
            if full && !calls.is_empty() {
                break;
            }
            calls.extend(self.appends.pop_front());
        }
        calls
    }
}

fn text_bytes(item: &Submission) -> usize {
    match &item.command {
        Command::Send { body, .. } | Command::Edit { body, .. } => body.len(),
        Command::Create { name, .. } => name.len(),
        Command::Configure { name, topic, .. } => {
            [name, topic].into_iter().flatten().map(String::len).sum()
        }
        Command::Redact { .. }
        | Command::React { .. }
        | Command::Pin { .. }
        | Command::Ban { .. }
        | Command::SetRole { .. }
        | Command::Mute { .. }
        | Command::Direct { .. }
        | Command::Join { .. }
        | Command::Leave { .. }
        | Command::Add { .. }
        | Command::InviteUser { .. }
        | Command::Remove { .. } => 0,
    }
}
