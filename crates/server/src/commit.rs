//! The commit: what is queued becomes one transaction, then acks, then deliveries.
//!
//! The only writer of room events (design, section 11). Each batch is what queued during the last
//! fsync. An ack is queued on the sender's socket before the event can reach any. Markers have a
//! lower queue of their own (`marks`), never in the way of messages.

mod erasing;
mod marks;
mod receipts;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chinwag_core::batch::{Outcome, Submission};
use chinwag_core::code::ErrorCode;
use chinwag_core::gate::{Gate, Turn};
use chinwag_core::ids::{Key, RoomId};
use chinwag_core::ledger::Committed;
use chinwag_core::limits;
use chinwag_core::live::ConnId;
use chinwag_core::marker::Mark;
use chinwag_core::session::{Input, refuse};
use chinwag_core::wire::Req;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

pub use self::erasing::Departures;
use self::receipts::Receipts;
use crate::clock::{self, Clock};
use crate::gateway::connections::Connections;
use crate::gateway::outbox::Connection;
use crate::hub::Hub;
use crate::metrics::{Failed, Metrics};
use crate::outside;
use crate::store::{Store, StoreError};

/// Marks that wait. Beyond: `unavailable`.
const MARKS_QUEUE_MAX: usize = 16_384;

/// A command on its way to the store.
pub struct Job {
    /// Whose reply it is.
    pub connection: Arc<Connection>,
    /// Pairs the reply.
    pub req: Req,
    /// The session's turn: see [`Gate`].
    pub turn: Turn,
    /// What.
    pub submission: Submission,
    /// When it was read off its socket.
    pub read_at: Instant,
}

impl Job {
    fn scope(&self) -> (ConnId, RoomId) {
        (self.connection.id, self.submission.room())
    }
}

enum Work {
    Job(Job),
    /// This connection sends nothing more.
    Gone(ConnId),
}

/// A marker on its way to the store.
pub struct MarkJob {
    /// Whose reply it is.
    pub connection: Arc<Connection>,
    /// Pairs the reply.
    pub req: Req,
    /// What.
    pub mark: Mark,
}

/// The way in.
#[derive(Clone)]
pub struct Commit {
    work: mpsc::Sender<Work>,
    marks: mpsc::Sender<MarkJob>,
    gate: Arc<Mutex<Gate<(ConnId, RoomId)>>>,
    departures: Departures,
    clock: Clock,
}

impl Commit {
    /// Starts both loops on `tasks`; they end when the last handle is dropped.
    #[must_use]
    pub fn start(
        store: &Arc<dyn Store>,
        hub: &Hub,
        connections: &Arc<Connections>,
        clock: Clock,
        metrics: &Arc<Metrics>,
        tasks: &TaskTracker,
    ) -> Self {
        let (work, queued) = mpsc::channel(limits::COMMIT_QUEUE_MAX);
        let (mark_jobs, marked) = mpsc::channel(MARKS_QUEUE_MAX);
        let (store, hub) = (store.clone(), hub.clone());
        let gate = Arc::new(Mutex::new(Gate::default()));
        let writer = Writer {
            store: store.clone(),
            hub: hub.clone(),
            clock,
            metrics: metrics.clone(),
            gate: gate.clone(),
            tasks: tasks.clone(),
        };
        let departures = Departures {
            store: store.clone(),
            hub: hub.clone(),
            metrics: metrics.clone(),
            tasks: tasks.clone(),
        };
        tasks.spawn(writer.run(queued));
        let (told_of, people) = (hub.clone(), connections.clone());
        let receipts = Receipts::start(store.clone(), told_of, people, clock, tasks);
        let marks = marks::Writer {
            store,
            hub,
            connections: connections.clone(),
            receipts,
            clock,
        };
        tasks.spawn(marks.run(marked));
        Self {
            work,
            marks: mark_jobs,
            gate,
            departures,
            clock,
        }
    }

    /// Queues a command; a full queue refuses it, retryably.
    pub fn submit(&self, job: Job) {
        if let Err(full) = self.work.try_send(Work::Job(job))
            && let Work::Job(job) = full.into_inner()
        {
            // What this connection submits before it hears of this must not overtake.
            lock(&self.gate).refuse(job.scope(), job.turn);
            answer(&job, Err(ErrorCode::Unavailable), self.clock);
        }
    }

    /// Queues a marker; a full queue refuses it, retryably.
    pub fn mark(&self, job: MarkJob) {
        if let Err(full) = self.marks.try_send(job) {
            let job = full.into_inner();
            let code = ErrorCode::Unavailable;
            let refusal = refuse(Some(job.req), code, code.meaning());
            job.connection.reply(job.req, &refusal, self.clock.tick());
        }
    }

    /// What writes the events of people who have gone for good.
    #[must_use]
    pub fn departures(&self) -> &Departures {
        &self.departures
    }

    /// Forgets what order a connection's sends have to keep.
    pub async fn gone(&self, conn: ConnId) {
        // The loop ends with the node; then there is nothing to forget.
        let _ended = self.work.send(Work::Gone(conn)).await;
    }

    /// How many commands wait for a batch.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.work.max_capacity() - self.work.capacity()
    }

    /// Whether everything that was queued has been taken up.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.waiting() == 0
    }
}

struct Writer {
    store: Arc<dyn Store>,
    hub: Hub,
    clock: Clock,
    metrics: Arc<Metrics>,
    gate: Arc<Mutex<Gate<(ConnId, RoomId)>>>,
    /// What goes on beside it.
    tasks: TaskTracker,
}

impl Writer {
    async fn run(mut self, mut queued: mpsc::Receiver<Work>) {
        let mut taken = Vec::new();
        loop {
            // Takes what queued during the last commit; never waits to fill a batch.
            if queued.recv_many(&mut taken, limits::BATCH_MAX).await == 0 {
                return;
            }
            let (mut jobs, mut gone) = (Vec::with_capacity(taken.len()), BTreeSet::new());
            for work in taken.drain(..) {
                match work {
                    Work::Job(job) => jobs.extend(self.admit(job)),
                    Work::Gone(conn) => {
                        gone.insert(conn);
                    }
                }
            }
            if !jobs.is_empty() {
                self.commit(jobs).await;
            }
            // After the commit, which may have refused their last commands.
            if !gone.is_empty() {
                lock(&self.gate).retain(|(conn, _room)| !gone.contains(conn));
            }
        }
    }

    /// Sends behind a refused one of the same connection and room wait for their turn.
    fn admit(&mut self, job: Job) -> Option<Job> {
        if lock(&self.gate).admits(&job.scope(), job.turn) {
            return Some(job);
        }
        answer(&job, Err(ErrorCode::RetryInOrder), self.clock);
        None
    }

    async fn commit(&mut self, jobs: Vec<Job>) {
        let items: Vec<Submission> = jobs.iter().map(|job| job.submission.clone()).collect();
        let handed = Instant::now();
        let stored = self.store.append(items, clock::wall()).await;
        #[cfg(feature = "mutants")]
        let stored = self.publish_early(stored, handed).await;
        match stored {
            Ok(committed) => self.answer(&jobs, committed, handed).await,
            Err(error) => self.refuse(&jobs, &error).await,
        }
    }

    /// Acks, then deliveries, of a batch that was `handed` to the store at that time.
    async fn answer(&mut self, jobs: &[Job], committed: Committed, handed: Instant) {
        let durable = Instant::now();
        let (tick, mut oldest) = (self.clock.tick_at(durable), handed);
        let mut replayed = Vec::new();
        let mut answered = Vec::with_capacity(jobs.len());
        for (job, outcome) in jobs.iter().zip(&committed.outcomes) {
            if let Outcome::Replayed(ack) = outcome {
                replayed.push(ack.room);
            }
            let decided = decided(job, Ok(*outcome));
            job.connection.answered(decided, tick);
            answered.push(job.connection.id);
            oldest = oldest.min(job.read_at);
        }
        let acked = Instant::now();
        self.metrics.committed(&committed.events);
        let outside = outside::about(&committed.events);
        if !outside.is_empty() {
            // Beside this loop: it waits for a read, and the next batch for nobody.
            let telling = outside::tell(self.store.clone(), self.hub.clone(), outside);
            self.tasks.spawn(telling);
        }
        self.hub.deliver(committed.events, answered, oldest).await;
        let metrics = &self.metrics;
        let waits = jobs.iter().map(|job| acked - job.read_at);
        metrics.ack_seconds.observe_each(waits);
        metrics.commit_seconds.observe(durable - handed);
        let items = [jobs.len() as u64];
        metrics.commit_batch_items.observe_values(items);
        metrics.replays.add(replayed.len() as u64);
        // The first answer of a replay may have been lost with its delivery (contract 2).
        if !replayed.is_empty() {
            self.hub.check(&replayed).await;
        }
    }

    /// The planted mistake `publish-before-commit`: the store has answered before its commit.
    /// Receivers are told now; an empty batch answers when the commit is over, and then the acks
    /// go out as they should.
    #[cfg(feature = "mutants")]
    async fn publish_early(
        &self,
        stored: Result<Committed, StoreError>,
        handed: Instant,
    ) -> Result<Committed, StoreError> {
        let mut committed = stored?;
        if crate::store::sqlite::publishes_before_commit() {
            let events = std::mem::take(&mut committed.events);
            self.hub.deliver(events, Vec::new(), handed).await;
            self.store.append(Vec::new(), clock::wall()).await?;
        }
        Ok(committed)
    }

    async fn refuse(&mut self, jobs: &[Job], error: &StoreError) {
        tracing::error!(%error, commands = jobs.len(), "a batch was not committed");
        let (code, failed) = match error {
            StoreError::Full => (ErrorCode::StorageFull, Failed::Full),
            StoreError::Unknown(_) => (ErrorCode::Unavailable, Failed::Unknown),
            StoreError::Closed(_) | StoreError::Read(_) => (ErrorCode::Unavailable, Failed::Closed),
        };
        self.metrics.commit_failures.of(failed).add(1);
        for job in jobs {
            lock(&self.gate).refuse(job.scope(), job.turn);
            answer(job, Err(code), self.clock);
        }
        if let StoreError::Unknown(_) = error {
            // It may have happened: whoever is in these rooms must see it.
            let rooms: Vec<RoomId> = jobs.iter().map(|job| job.submission.room()).collect();
            self.hub.check(&rooms).await;
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(job: &Job, result: Result<Outcome, ErrorCode>, clock: Clock) {
    job.connection.input(decided(job, result), clock.tick());
}

fn decided(job: &Job, result: Result<Outcome, ErrorCode>) -> Input {
    let (req, room, key): (Req, RoomId, Key) = (job.req, job.submission.room(), job.submission.key);
    Input::Committed {
        req,
        room,
        key,
        result,
    }
}
