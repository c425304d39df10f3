//! What every part of a world shares: its time, its chance, its agenda, its trace, its counts.
//!
//! Time is a number that jumps from one happening to the next; nothing reads a clock.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

use chinwag_core::event::Shared;
use chinwag_core::ids::{Key, Millis, RoomId, Tick, UserId};
use chinwag_core::live::ConnId;

use crate::fault::Fault;
use crate::link::{End, LinkId};
use crate::report::Counts;
use crate::rng::Rng;
use crate::store::{AppendAnswer, MarkAnswer, ReadAnswer};
use crate::trace::Trace;

/// A node in one of its lives: what was meant for an earlier one is void.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeRef {
    /// Which of the three.
    pub(crate) node: usize,
    /// Which life of it.
    pub(crate) life: u64,
}

/// Something that happens at its time; all that can wake a world.
#[derive(Debug)]
pub(crate) enum Happening {
    /// The oldest frame in flight to the server arrives.
    Up(LinkId),
    /// The oldest frame in flight to the client arrives.
    Down(LinkId),
    /// One end learns that its link is gone.
    Lost(LinkId, End),
    /// A transaction reaches its moment in the store.
    Commit(u64),
    /// A read reaches its moment in the store.
    Read(u64),
    /// Something for a node.
    Node(NodeRef, NodeWork),
    /// A node comes back.
    Start(usize),
    /// A device looks at its timers, in this life of it.
    Device(usize, u64),
    /// A device comes back after a crash.
    Wake(usize),
    /// The next fault is looked for.
    Plan,
    /// A fault waits for a send in flight; polls so far.
    Strike(Fault, u32),
    /// Faults end here.
    Heal,
    /// Is everything quiet?
    Quiet,
}

/// Something for a node.
#[derive(Debug)]
pub(crate) enum NodeWork {
    /// Items wait for the shard.
    Shard,
    /// The shard's feed has a gap to read.
    Due,
    /// Receipts are due.
    Receipts,
    /// A connection's driver goes on.
    Drive(ConnId),
    /// A token has been verified.
    Verified(ConnId),
    /// What became of a batch.
    Appended(Box<AppendAnswer>),
    /// What became of markers.
    Marked(Box<MarkAnswer>),
    /// What a read found.
    Read(Box<ReadAnswer>),
    /// Another node's events.
    Bus(Vec<Arc<Shared>>),
    /// Timers of all sessions.
    Time,
    /// Look at what changed in the store.
    Look,
    /// Has the drain come to its end?
    Drained,
}

struct Entry {
    at: u64,
    turn: u64,
    what: Happening,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    // The heap gives its greatest first: the soonest must be the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.turn).cmp(&(self.at, self.turn))
    }
}

/// How this world differs from others, drawn from its seed.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Bytes of an outbox.
    pub(crate) outbox_bytes: usize,
    /// Shortest and longest way of a frame in ms.
    pub(crate) latency_ms: (u64, u64),
    /// Shortest and longest time in ms between two faults.
    pub(crate) fault_ms: (u64, u64),
    /// Bytes of a long text.
    pub(crate) long_text: u64,
    /// How many of a thousand looks at a device's timers send a message.
    pub(crate) send_per_mille: u64,
    /// A room that is too long to be streamed.
    pub(crate) old_room: bool,
    /// How long faults go on, in ms.
    pub(crate) chaos_ms: u64,
    /// Whether the world ends only when everybody who has gone is offline.
    pub(crate) patient: bool,
    /// Whether people block each other.
    pub(crate) blocks: bool,
    /// Whether people are asked into rooms by name.
    pub(crate) invites: bool,
}

impl Settings {
    fn draw(rng: &mut Rng, seed: u64) -> Self {
        let near = rng.chance(500);
        Self {
            outbox_bytes: *rng.pick(&[4_000, 8_000, 16_000, 256 * 1024]),
            latency_ms: if near { (1, 8) } else { (10, 60) },
            fault_ms: *rng.pick(&[(300, 1_200), (600, 2_500), (1_500, 4_000)]),
            long_text: *rng.pick(&[200, 800, 2_000]),
            send_per_mille: *rng.pick(&[150, 300, 500]),
            old_room: rng.chance(200),
            chaos_ms: rng.between(20_000, 35_000),
            patient: rng.chance(150),
            blocks: rng.chance(250),
            // Not by chance: a draw would make another history of every seed that once failed.
            invites: seed % 11 < 2,
        }
    }
}

/// Time, chance, agenda, trace and counts of one world.
pub(crate) struct Base {
    /// Milliseconds since the world began.
    pub(crate) now: u64,
    /// Chance.
    pub(crate) rng: Rng,
    /// What happened.
    pub(crate) trace: Trace,
    /// How often.
    pub(crate) counts: Counts,
    /// How this world is.
    pub(crate) settings: Settings,
    /// Keys of commands that a client has sent and that are neither acked nor refused for good.
    pub(crate) flying: BTreeSet<Key>,
    /// When a node last heard that somebody types.
    pub(crate) typed: BTreeMap<(NodeRef, RoomId, UserId), u64>,
    /// What a node told and must not have.
    pub(crate) wrong: Vec<String>,
    agenda: BinaryHeap<Entry>,
    turn: u64,
}

impl Base {
    /// A world of `seed` at its beginning.
    #[must_use]
    pub(crate) fn new(seed: u64, whole_trace: bool) -> Self {
        let mut rng = Rng::new(seed);
        let settings = Settings::draw(&mut rng, seed);
        Self {
            now: 0,
            rng,
            trace: Trace::new(whole_trace),
            counts: Counts::default(),
            settings,
            flying: BTreeSet::new(),
            typed: BTreeMap::new(),
            wrong: Vec::new(),
            agenda: BinaryHeap::new(),
            turn: 0,
        }
    }

    /// Puts something on the agenda.
    pub(crate) fn later(&mut self, delay_ms: u64, what: Happening) {
        self.at(self.now + delay_ms, what);
    }

    /// Puts something on the agenda for a point in time.
    pub(crate) fn at(&mut self, at: u64, what: Happening) {
        self.turn += 1;
        let turn = self.turn;
        let at = at.max(self.now);
        self.agenda.push(Entry { at, turn, what });
    }

    /// What happens next; time jumps there.
    pub(crate) fn next(&mut self) -> Option<Happening> {
        let entry = self.agenda.pop()?;
        self.now = entry.at;
        Some(entry.what)
    }

    /// A fault strikes now.
    pub(crate) fn suffer(&mut self, fault: Fault) {
        let flying = self.flying.len();
        self.counts.fault(fault, flying > 0);
        let name = fault.name();
        self.trace
            .note(self.now, format_args!("FAULT {name}, {flying} in flight"));
    }

    /// A number that rises with everything that is planned: tells earlier from later within a
    /// millisecond.
    pub(crate) fn order(&mut self) -> u64 {
        self.turn += 1;
        self.turn
    }

    /// The time as the core takes it.
    #[must_use]
    pub(crate) fn tick(&self) -> Tick {
        Tick(self.now)
    }

    /// The time as a label.
    #[must_use]
    pub(crate) fn wall(&self) -> Millis {
        Millis(1_700_000_000_000 + i64::try_from(self.now).expect("a world is short"))
    }
}
