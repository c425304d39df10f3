//! The outboxes of one shard: frames are queued while items are taken in, and written afterwards.
//!
//! A connection that has something queued is dirty; its turn comes in the order of getting dirty,
//! and one write takes all that waits for it by then. Those that have an ack to get go first, as
//! in the lanes: their senders wait, and the messages of others that a busy shard has not come to
//! yet share a write with those that follow. So it writes fewer, larger pieces by itself, without
//! a timer. Lives as long as its shard.

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
    slots: HashMap<ConnId, Slot>,
    /// With an ack among what waits. Each connection stands in each list once at most.
    urgent: Vec<ConnId>,
    dirty: VecDeque<ConnId>,
    /// With nothing but what may vanish: written when nothing else is to be.
    faint: VecDeque<ConnId>,
    /// Reused by every write.
    pen: Pen,
    /// The event that is being delivered is alone: nothing is known of that could share a write
    /// with it. Its receivers are set aside, and it goes straight to their sockets when their turn
    /// comes, instead of into an outbox first: a connection is brought from memory once, not twice.
    pub(super) sets_aside: bool,
    /// Receivers of an event that goes straight to their sockets, in order.
    aside: VecDeque<(ConnId, Arc<Shared>)>,
    /// Fell behind by what was set aside: the shard is to be told.
    pub(super) fallen: Vec<ConnId>,
    pub(super) now: Tick,
    /// Events for connections, since they were counted last.
    deliveries: u64,
    /// Connections that have had their turn, of all that were dirty or set aside, ever.
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
    urgent: bool,
    dirty: bool,
    faint: bool,
}

impl Outboxes {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            slots: HashMap::new(),
            urgent: Vec::new(),
            dirty: VecDeque::new(),
            faint: VecDeque::new(),
            pen: Pen::default(),
            sets_aside: false,
            aside: VecDeque::new(),
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
        self.turns + (self.dirty.len() + self.aside.len()) as u64
    }

    pub(super) fn insert(&mut self, connection: Arc<Connection>) {
        let slot = Slot {
            connection,
            urgent: false,
            dirty: false,
            faint: false,
        };
        self.slots.entry(slot.connection.id).or_insert(slot);
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
        let connection = &slot.connection;
        let frame = encode(&connection.dialect);
        let mut room = queue(connection, frame.clone());
        if !room {
            // Much at once is not the fault of a reader that is quick enough.
            connection.flush(&mut self.pen, self.now);
            room = queue(connection, frame);
        }
        if !room {
            connection.fall_behind(self.now);
        } else if !std::mem::replace(&mut slot.dirty, true) {
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
        !self.urgent.is_empty() || self.has_backlog() || !self.faint.is_empty()
    }

    /// Whether more than acks waits to be written, perhaps of an earlier slice.
    pub(super) fn has_backlog(&self) -> bool {
        !self.aside.is_empty() || !self.dirty.is_empty()
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
        while let Some((conn, event)) = self.aside.pop_front() {
            self.turns += 1;
            self.pass(conn, &event);
            if slice.is_over() {
                return;
            }
        }
        while let Some(conn) = self.dirty.pop_front() {
            self.turns += 1;
            if let Some(slot) = self.slots.get_mut(&conn) {
                slot.dirty = false;
                slot.connection.flush(&mut self.pen, self.now);
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
                slot.connection.flush(&mut self.pen, self.now);
            }
        }
    }

    /// Queues what is set aside, before anything that must not overtake it.
    pub(super) fn queue_aside(&mut self) {
        while let Some((conn, event)) = self.aside.pop_front() {
            let dirty = self.dirty.len();
            self.queue_event(conn, &event);
            // A turn that moves to the other list is still to come; one that does not is over.
            if self.dirty.len() == dirty {
                self.turns += 1;
            }
        }
    }

    fn queue_event(&mut self, to: ConnId, event: &Shared) {
        // Whoever fell behind gets no more.
        if self.fallen.contains(&to) {
            return;
        }
        let room = self.push(to, Lane::Message, |dialect| dialect.event(event).clone());
        if !room {
            self.fallen.push(to);
        }
    }

    fn pass(&mut self, to: ConnId, event: &Shared) {
        let Some(slot) = self.slots.get(&to) else {
            return;
        };
        let frame = slot.connection.dialect.event(event);
        if !slot.connection.pass(frame, &mut self.pen) {
            self.queue_event(to, event);
            self.delays.prolong(self.last_turn());
        }
    }
}

impl Outlet for Outboxes {
    fn event(&mut self, to: ConnId, event: &Arc<Shared>) -> bool {
        self.deliveries += 1;
        if self.sets_aside {
            self.aside.push_back((to, event.clone()));
            return true;
        }
        self.push(to, Lane::Message, |dialect| dialect.event(event).clone())
    }

    fn run(&mut self, to: ConnId, run: &Run) -> bool {
        let slot = self.slots.get(&to);
        let piece = slot.and_then(|slot| slot.connection.dialect.run(run));
        match (run.events(), piece) {
            ([_, _, ..], Some(piece)) => {
                self.deliveries += run.events().len() as u64;
                self.push(to, Lane::Message, |_dialect| piece.clone())
            }
            (events, _) => events.iter().all(|event| self.event(to, event)),
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
        if let Some(slot) = self.slots.get(&to) {
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
