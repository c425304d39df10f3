//! What one client did and saw, on one clock for all clients of a test process.
//!
//! Only notes; whether they agree with the server's log is `oracle.rs`. A history outlives every connection
//! and every server of its test, and nothing is ever taken out of it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;
use std::time::Instant;

use chinwag_core::code::ErrorCode;
use chinwag_core::event::Event;
use chinwag_core::ids::{Key, RoomId, Seq, UserId};
use chinwag_core::wire::{Req, Skip};

/// A moment of the test process, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) u64);

impl Moment {
    pub(crate) fn now() -> Self {
        static BEGINNING: OnceLock<Instant> = OnceLock::new();
        let passed = BEGINNING.get_or_init(Instant::now).elapsed();
        Self(u64::try_from(passed.as_nanos()).expect("a test ends within 500 years"))
    }
}

/// What the client knows of a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Waiting,
    Acked { seq: Seq, at: Moment },
    Refused(ErrorCode),
}

/// One message that was handed to the server, perhaps several times.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) key: Key,
    pub(crate) room: RoomId,
    pub(crate) text: String,
    /// Just before it left for the first time; none while it never did.
    pub(crate) began: Option<Moment>,
    /// The request of each time; no two clients of a test share numbers.
    pub(crate) requests: Vec<Req>,
    pub(crate) fate: Fate,
    /// Times that the connection was lost while the answer was awaited.
    pub(crate) unknown: u32,
}

/// How an event came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    Live,
    Sync,
    After,
}

/// An event as it was seen; all of it, but short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) key: Key,
    pub(crate) from: UserId,
    print: u64,
}

impl Seen {
    pub(crate) fn of(event: &Event) -> Self {
        let text = serde_json::to_string(event).expect("an event is plain data");
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Self {
            key: event.key,
            from: event.from.0,
            print: hasher.finish(),
        }
    }
}

/// One room as the client has it.
#[derive(Clone, Debug, Default)]
pub(crate) struct RoomView {
    /// Everything up to it has been had, since `begins`.
    pub(crate) cursor: Seq,
    /// The key at the cursor, unless a skip or a reset stands there.
    pub(crate) cursor_key: Option<Key>,
    /// The client holds the log behind this seq: 0, or the head of the last reset.
    pub(crate) begins: Seq,
    /// The head that the server last spoke of.
    pub(crate) head: Seq,
    /// Every event ever received, also those dropped by a reset.
    pub(crate) received: BTreeMap<Seq, Seen>,
    pub(crate) skips: Vec<Skip>,
}

/// When a connection had caught up, what it had, and when it had asked.
#[derive(Clone, Debug)]
pub(crate) struct CaughtUp {
    pub(crate) asked: Moment,
    pub(crate) cursors: Vec<(RoomId, Seq)>,
}

/// The notes of one client.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub(crate) user: UserId,
    /// In the order in which the user wrote them.
    pub(crate) sent: Vec<Sent>,
    pub(crate) rooms: BTreeMap<RoomId, RoomView>,
    pub(crate) caught_up: Vec<CaughtUp>,
    pub(crate) ways: BTreeMap<Way, u64>,
    /// Refusals for now, by code.
    pub(crate) refusals: BTreeMap<ErrorCode, u64>,
    pub(crate) resets: u64,
    pub(crate) behinds: u64,
    pub(crate) connections: u64,
    /// What no server may do: said in words, each a finding.
    pub(crate) contradictions: Vec<String>,
}

impl History {
    pub(crate) fn new(user: UserId) -> Self {
        Self {
            user,
            sent: Vec::new(),
            rooms: BTreeMap::new(),
            caught_up: Vec::new(),
            ways: BTreeMap::new(),
            refusals: BTreeMap::new(),
            resets: 0,
            behinds: 0,
            connections: 0,
            contradictions: Vec::new(),
        }
    }

    /// Notes an event that came in, wherever its place is. Two events at one place are a contradiction.
    pub(crate) fn receive(&mut self, event: &Event, way: Way) {
        *self.ways.entry(way).or_default() += 1;
        let seen = Seen::of(event);
        let view = self.rooms.entry(event.room).or_default();
        if let Some(before) = view.received.insert(event.seq, seen)
            && before != seen
        {
            // The first stays: it is what somebody has seen and cannot find any more.
            view.received.insert(event.seq, before);
            let (room, seq) = (event.room, event.seq);
            let said =
                format!("{room} {seq}: {way:?} brought {seen:?} where {before:?} had been seen");
            self.contradictions.push(said);
        }
    }
}
