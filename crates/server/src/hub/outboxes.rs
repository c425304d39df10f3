//! The outboxes of one shard: frames are queued while items are taken in, and written afterwards.
//!
//! A connection that has something queued is dirty; its turn comes in the order of getting dirty,
//! and one write takes all that waits for it by then. Those that have an ack to get go first, as
//! in the lanes: their senders wait, and the messages of others that a busy shard has not come to
//! yet share a write with those that follow. So it writes fewer, larger pieces by itself, without
//! a timer. An event that is alone is not queued: it stays here until its turn comes, and goes
//! straight into the socket, so that a connection is brought from memory once, not twice. Lives as
//! long as its shard.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chinwag_core::event::{Run, Shared};
use chinwag_core::ids::{Position, Tick};
use chinwag_core::lanes::{Lane, Topic};
use chinwag_core::live::{ConnId, Outlet};
use chinwag_core::watch::Tell;
use chinwag_core::wire::{Req, ServerFrame};
use tokio::time::Instant;

use super::delays::Delays;
use crate::gateway::dialect::{Dialect, ForSeveral};
use crate::gateway::outbox::{Connection, Pen, SyncId};
use crate::metrics::Metrics;

/// For how long a shard writes before it lets others run.
const SLICE: Duration = Duration::from_millis(1);
/// Writes between two looks at the clock.
const WRITES_PER_LOOK: usize = 8;

pub(super) struct Outboxes {
    /// By numbers of our own making: nobody chooses them so that they collide.
    slots: HashMap<ConnId, Slot, foldhash::fast::RandomState>,
    /// With an ack among what waits. Each connection stands in each list once at most.
    urgent: Vec<ConnId>,
    dirty: VecDeque<ConnId>,
    /// With nothing but what may vanish: written when nothing else is to be.
    faint: VecDeque<ConnId>,
    /// Reused by every write.
    pen: Pen,
    /// Fell behind when their turn came: the shard is to be told.
    pub(super) fallen: Vec<ConnId>,
    pub(super) now: Tick,
    /// Events for connections, since they were counted last.
    deliveries: u64,
    /// Connections that have had their turn, of all that were dirty, ever.
    turns: u64,
    delays: Delays,
    metrics: Arc<Metrics>,
}

/// For how long somebody may go on writing.
#[derive(Clone, Copy)]
struct Slice {
    begun: Instant,
    writes: usize,
}

impl Slice {
    fn begin() -> Self {
        Self {
            begun: Instant::now(),
            writes: 0,
        }
    }

    /// Counts a write. Whether it was the last.
    fn is_over(&mut self) -> bool {
        self.writes += 1;
        self.writes.is_multiple_of(WRITES_PER_LOOK) && self.begun.elapsed() >= SLICE
    }
}

struct Slot {
    connection: Arc<Connection>,
    /// The only event that waits for its turn, not in the outbox; newer than what is there.
    alone: Option<Arc<Shared>>,
    urgent: bool,
    dirty: bool,
    faint: bool,
}

impl Outboxes {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            slots: HashMap::default(),
            urgent: Vec::new(),
            dirty: VecDeque::new(),
            faint: VecDeque::new(),
            pen: Pen::default(),
            fallen: Vec::new(),
            now: Tick::default(),
            deliveries: 0,
            turns: 0,
            delays: Delays::default(),
            metrics,
        }
    }

    /// Takes note of how long it takes until what `deliver` queues has been written, since
    /// `read_at`.
    pub(super) fn measure(&mut self, read_at: Instant, deliver: impl FnOnce(&mut Self)) {
        let before = self.deliveries;
        deliver(self);
        if self.deliveries > before {
            self.delays.begin(read_at, self.last_turn());
        }
    }

    /// The number of the turn after which nothing waits, if nothing comes.
    fn last_turn(&self) -> u64 {
        self.turns + self.dirty.len() as u64
    }

    pub(super) fn insert(&mut self, connection: Arc<Connection>) {
        let slot = Slot {
            connection,
            alone: None,
            urgent: false,
            dirty: false,
            faint: false,
        };
        let known = self.slots.entry(slot.connection.id).or_insert(slot);
        // Who syncs again had it before.
        let _behind = known.queue_alone(&mut self.pen, self.now);
    }

    pub(super) fn remove(&mut self, conn: ConnId) {
        self.slots.remove(&conn);
    }

    /// Whether `sync` is what `conn` is doing.
    pub(super) fn is_current(&self, conn: ConnId, sync: SyncId) -> bool {
        let slot = self.slots.get(&conn);
        slot.is_some_and(|slot| slot.connection.is_current(sync))
    }

    /// Somebody has queued an ack for `conn`.
    pub(super) fn answered(&mut self, conn: ConnId) {
        if let Some(slot) = self.slots.get_mut(&conn)
            && !std::mem::replace(&mut slot.urgent, true)
        {
            self.urgent.push(conn);
        }
    }

    /// Queues what `encode` makes for the dialect of the connection. `false`: it is behind now,
    /// and is being told so. One that is not here takes everything.
    pub(super) fn push(
        &mut self,
        to: ConnId,
        lane: Lane,
        encode: impl FnOnce(&Dialect) -> Bytes,
    ) -> bool {
        self.queue(to, encode, |connection, frame| {
            connection.queue(lane, frame)
        })
    }

    fn queue(
        &mut self,
        to: ConnId,
        encode: impl FnOnce(&Dialect) -> Bytes,
        queue: impl Fn(&Connection, Bytes) -> bool,
    ) -> bool {
        let Some(slot) = self.slots.get_mut(&to) else {
            return true;
        };
        let frame = encode(&slot.connection.dialect);
        let room = slot.queue_alone(&mut self.pen, self.now)
            && slot.queue(frame, &mut self.pen, self.now, queue);
        if room && !std::mem::replace(&mut slot.dirty, true) {
            self.dirty.push_back(to);
        }
        room
    }

    /// Answers a request of `conn`; its driver writes it, if the shard does not come to it first.
    pub(super) fn reply(&self, conn: ConnId, req: Req, frame: &ServerFrame) {
        if let Some(slot) = self.slots.get(&conn) {
            slot.connection.reply(req, frame, self.now);
        }
    }

    /// Whether something waits to be written.
    pub(super) fn has_dirty(&self) -> bool {
        !self.urgent.is_empty() || !self.dirty.is_empty() || !self.faint.is_empty()
    }

    /// Writes what waits: acks, then the rest for [`SLICE`] or a little longer.
    pub(super) fn flush_slice(&mut self) {
        self.write_slice();
        self.pen.count(&self.metrics);
        let deliveries = std::mem::take(&mut self.deliveries);
        if deliveries > 0 {
            self.metrics.deliveries.add(deliveries);
        }
        self.delays.end(self.turns, Instant::now, &self.metrics);
    }

    fn write_slice(&mut self) {
        self.flush_urgent();
        let mut slice = Slice::begin();
        while let Some(conn) = self.dirty.pop_front() {
            self.turns += 1;
            if let Some(slot) = self.slots.get_mut(&conn) {
                slot.dirty = false;
                if !slot.take_turn(&mut self.pen, self.now) {
                    self.fallen.push(conn);
                }
            }
            if slice.is_over() {
                return;
            }
        }
        while let Some(conn) = self.faint.pop_front() {
            if let Some(slot) = self.slots.get_mut(&conn) {
                slot.faint = false;
                slot.connection.flush(&mut self.pen, self.now);
            }
            if slice.is_over() {
                return;
            }
        }
    }

    fn flush_urgent(&mut self) {
        for conn in self.urgent.drain(..) {
            if let Some(slot) = self.slots.get_mut(&conn) {
                slot.urgent = false;
                // Ack and event share a write.
                if slot.queue_alone(&mut self.pen, self.now) {
                    slot.connection.flush(&mut self.pen, self.now);
                } else {
                    self.fallen.push(conn);
                }
            }
        }
    }
}

impl Slot {
    /// Queues a frame behind what waits. `false`: the connection is behind now, and is being told so.
    fn queue(
        &self,
        frame: Bytes,
        pen: &mut Pen,
        now: Tick,
        queue: impl Fn(&Connection, Bytes) -> bool,
    ) -> bool {
        let connection = &*self.connection;
        let mut room = queue(connection, frame.clone());
        if !room {
            // Much at once is not the fault of a reader that is quick enough.
            connection.flush(pen, now);
            room = queue(connection, frame);
        }
        if !room {
            connection.fall_behind(now);
        }
        room
    }

    /// Queues the event that is alone, before something that must not overtake it. `false` as with
    /// [`Slot::queue`].
    fn queue_alone(&mut self, pen: &mut Pen, now: Tick) -> bool {
        let Some(event) = self.alone.take() else {
            return true;
        };
        let frame = self.connection.dialect.event(&event).clone();
        self.queue(frame, pen, now, |connection, frame| {
            connection.queue(Lane::Message, frame)
        })
    }

    /// Writes what waits. `false` as with [`Slot::queue`].
    fn take_turn(&mut self, pen: &mut Pen, now: Tick) -> bool {
        if let Some(event) = &self.alone {
            let frame = self.connection.dialect.event(event);
            if self.connection.pass(frame, pen) {
                self.alone = None;
                return true;
            }
        }
        let room = self.queue_alone(pen, now);
        self.connection.flush(pen, now);
        room
    }
}

impl Outlet for Outboxes {
    fn event(&mut self, to: ConnId, event: &Arc<Shared>) -> bool {
        self.deliveries += 1;
        let Some(slot) = self.slots.get_mut(&to) else {
            return true;
        };
        if !std::mem::replace(&mut slot.dirty, true) {
            slot.alone = Some(event.clone());
            self.dirty.push_back(to);
            return true;
        }
        self.push(to, Lane::Message, |dialect| dialect.event(event).clone())
    }

    fn run(&mut self, to: ConnId, run: &Run) -> bool {
        if let [event] = run.events() {
            return self.event(to, event);
        }
        let slot = self.slots.get(&to);
        match slot.and_then(|slot| slot.connection.dialect.run(run)) {
            Some(piece) => {
                self.deliveries += run.events().len() as u64;
                self.push(to, Lane::Message, |_dialect| piece.clone())
            }
            None => run.events().iter().all(|event| self.event(to, event)),
        }
    }

    fn caught_up(&mut self, to: ConnId, position: Position) -> bool {
        let frame = ServerFrame::CaughtUp { position };
        // Should there be no room, the connection is behind and syncs again.
        let now = self.now;
        let encode = |dialect: &Dialect| dialect.encode(&frame);
        self.queue(to, encode, |connection, frame| {
            connection.queue_caught_up(frame, now)
        })
    }

    fn behind(&mut self, to: ConnId) {
        if let Some(slot) = self.slots.get_mut(&to) {
            slot.alone = None;
            slot.connection.fall_behind(self.now);
        }
    }
}

impl Tell for Outboxes {
    fn tell(
        &mut self,
        to: &mut dyn Iterator<Item = ConnId>,
        topic: Option<Topic>,
        frame: &ServerFrame,
    ) {
        let mut frame = ForSeveral::new(frame);
        for conn in to {
            let Some(slot) = self.slots.get_mut(&conn) else {
                continue;
            };
            let bytes = frame.encode(&slot.connection.dialect);
            slot.connection.queue_ephemeral(topic, bytes);
            if !slot.dirty && !std::mem::replace(&mut slot.faint, true) {
                self.faint.push_back(conn);
            }
        }
    }
}
