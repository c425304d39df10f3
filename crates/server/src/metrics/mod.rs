//! Metrics: what a node counts about itself, for Prometheus.
//!
//! [`Metrics`] is made by the node and handed to the parts that count; several nodes in one
//! process share nothing. Names and meanings stand in [`table`], values in [`cells`], the text
//! form in [`text`]. What parts know anyway (how many connections, what the cache did) is not
//! counted here a second time: `crate::scrape` asks them. No label says who, where or what: no
//! user, room, address or text. A value lives as long as its node.

pub mod cells;
pub mod table;
#[cfg(test)]
mod tests;
pub mod text;

use chinwag_core::code::{CloseCode, ErrorCode};
use chinwag_core::event::{Body, Event};
use chinwag_core::read::{self, Snapshot};
use chinwag_core::wire::{ResetWhy, ServerFrame};

use self::cells::{Counter, Family, Histogram, Label as _, SECOND, labels};

/// From 50 µs, a fast disk, to 10 s, when everybody has lost patience.
const LATENCIES: &[u64] = &[
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 10_000_000,
];
/// From a second, a client that cannot stay, to a week.
const LIVES: &[u64] = &[
    SECOND,
    10 * SECOND,
    60 * SECOND,
    300 * SECOND,
    1_800 * SECOND,
    3_600 * SECOND,
    4 * 3_600 * SECOND,
    24 * 3_600 * SECOND,
    7 * 24 * 3_600 * SECOND,
];
/// Up to `limits::BATCH_MAX`.
const ITEMS: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024];

labels! {
    /// What became of a `hello`.
    pub enum Open {
        /// It was answered with `welcome`.
        SignedIn = "signed_in",
        /// Its token was refused.
        BadToken = "bad_token",
        /// Its token had ended.
        TokenExpired = "token_expired",
        /// The user had as many connections as one may have.
        TooManyConnections = "too_many_connections",
        /// The token could not be looked at.
        Overloaded = "overloaded",
        /// It never came, or either side left before it was answered.
        Abandoned = "abandoned",
    }
}

labels! {
    /// How much of what a client had was of use.
    pub enum Resume {
        /// It had nothing.
        Fresh = "fresh",
        /// All of it.
        Resumed = "resumed",
        /// None of it.
        Reset = "reset",
        /// It was connected already.
        Again = "again",
    }
}

labels! {
    /// How much a cursor of another history makes void.
    pub enum Mismatch {
        /// Everything that the client has.
        All = "all",
        /// One room of it.
        Room = "room",
    }
}

labels! {
    /// A cap on TCP connections.
    pub enum Cap {
        /// On all of them.
        Total = "total",
        /// On those that nobody has signed in on.
        Unauthenticated = "unauthenticated",
        /// On those of one address.
        Address = "address",
    }
}

labels! {
    /// From whom to whom.
    pub enum Direction {
        /// From clients.
        In = "in",
        /// To clients.
        Out = "out",
    }
}

labels! {
    /// On which side of compression.
    pub enum Stage {
        /// As the program has it.
        Raw = "raw",
        /// As the network has it.
        Wire = "wire",
    }
}

labels! {
    /// A kind of event that is written.
    pub enum EventKind {
        /// A room was made.
        Room = "room",
        /// A membership changed.
        Member = "member",
        /// A message.
        Message = "message",
        /// A message has another text.
        Edit = "edit",
        /// A message is gone.
        Redact = "redact",
        /// A reaction.
        Reaction = "reaction",
        /// A room has another name, topic or picture.
        Settings = "settings",
        /// A member may do something else.
        Role = "role",
        /// A message was pinned or unpinned.
        Pin = "pin",
    }
}

impl EventKind {
    /// The kind of an event; none for what is only ever read.
    fn of(body: &Body) -> Option<Self> {
        match body {
            Body::Room(_) => Some(Self::Room),
            Body::Member(_) => Some(Self::Member),
            Body::Message(_) => Some(Self::Message),
            Body::Edit(_) => Some(Self::Edit),
            Body::Redact(_) => Some(Self::Redact),
            Body::Reaction(_) => Some(Self::Reaction),
            Body::Settings(_) => Some(Self::Settings),
            Body::Role(_) => Some(Self::Role),
            Body::Pin(_) => Some(Self::Pin),
            Body::Damaged(_) => None,
        }
    }
}

labels! {
    /// Why a batch was not committed.
    pub enum Failed {
        /// The disk is full.
        Full = "full",
        /// The writer has ended.
        Closed = "closed",
        /// It may be stored or not.
        Unknown = "unknown",
    }
}

labels! {
    /// What was asked for too often.
    pub enum Scope {
        /// Commands on WebSockets.
        Commands = "commands",
        /// Sign-ins and the like over HTTP.
        Accounts = "accounts",
    }
}

labels! {
    /// How a look-up of recent events fared.
    pub enum LookUp {
        /// Answered from memory.
        Hit = "hit",
        /// Read from the store.
        Miss = "miss",
        /// Not what memory is for.
        Older = "older",
    }
}

labels! {
    /// What a client's close frame said.
    pub enum Left {
        /// It is done.
        Normal = "1000",
        /// Its page is being left.
        GoingAway = "1001",
        /// Nothing.
        NoCode = "1005",
        /// Something else: clients may say what they like, labels may not.
        Other = "other",
    }
}

impl Left {
    /// What a close frame with this code says.
    #[must_use]
    pub fn of(code: Option<u16>) -> Self {
        match code {
            Some(1000) => Self::Normal,
            Some(1001) => Self::GoingAway,
            None => Self::NoCode,
            Some(_) => Self::Other,
        }
    }
}

/// What a node has counted. [`table`] says exactly what each is.
#[derive(Debug)]
#[expect(
    missing_docs,
    reason = "each is explained in the table, by the same name"
)]
pub struct Metrics {
    pub opens: Family<Open>,
    /// By us, with a close frame.
    pub closed: Family<CloseCode>,
    /// By us, without one: the peer took nothing any more.
    pub stuck: Counter,
    /// By the client, with a close frame.
    pub left: Family<Left>,
    /// By nobody.
    pub lost: Counter,
    pub connection_seconds: Histogram,
    pub resumes: Family<Resume>,
    pub cursor_mismatch: Family<Mismatch>,
    pub behind: Counter,
    pub frames_received: Counter,
    pub frames_bytes: Family<Direction>,
    pub writes: Counter,
    pub deliveries: Counter,
    pub events_committed: Family<EventKind>,
    pub replays: Counter,
    pub commit_seconds: Histogram,
    pub commit_batch_items: Histogram,
    pub commit_failures: Family<Failed>,
    pub ack_seconds: Histogram,
    pub delivery_seconds: Histogram,
    pub errors: Family<ErrorCode>,
    pub rate_limited: Family<Scope>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            opens: Family::default(),
            closed: Family::default(),
            stuck: Counter::default(),
            left: Family::default(),
            lost: Counter::default(),
            connection_seconds: Histogram::new(LIVES, SECOND),
            resumes: Family::default(),
            cursor_mismatch: Family::default(),
            behind: Counter::default(),
            frames_received: Counter::default(),
            frames_bytes: Family::default(),
            writes: Counter::default(),
            deliveries: Counter::default(),
            events_committed: Family::default(),
            replays: Counter::default(),
            commit_seconds: Histogram::new(LATENCIES, SECOND),
            commit_batch_items: Histogram::new(ITEMS, 1),
            commit_failures: Family::default(),
            ack_seconds: Histogram::new(LATENCIES, SECOND),
            delivery_seconds: Histogram::new(LATENCIES, SECOND),
            errors: Family::default(),
            rate_limited: Family::default(),
        }
    }
}

impl Metrics {
    /// A frame for one client that is no event: an answer, or the session's own.
    pub fn said(&self, frame: &ServerFrame) {
        match frame {
            ServerFrame::Welcome { .. } => self.opens.of(Open::SignedIn).add(1),
            ServerFrame::Error { code, .. } => self.refused(*code, Scope::Commands),
            ServerFrame::Reset(reset) if reset.why == ResetWhy::History => {
                self.cursor_mismatch.of(Mismatch::Room).add(1);
            }
            // What else is said is asked for, and counted where it is found or written.
            _ => {}
        }
    }

    /// A refusal was sent.
    pub fn refused(&self, code: ErrorCode, scope: Scope) {
        self.errors.of(code).add(1);
        if code == ErrorCode::RateLimited {
            self.rate_limited.of(scope).add(1);
        }
    }

    /// A client is about to be sent what this snapshot found. `fresh`: it had no position;
    /// `again`: it has been sent one on this connection before.
    pub fn synced(&self, snapshot: &Snapshot, fresh: bool, again: bool) {
        let resume = match (again, fresh, snapshot.reset) {
            (true, _, _) => Resume::Again,
            (false, _, Some(_)) => Resume::Reset,
            (false, true, None) => Resume::Fresh,
            (false, false, None) => Resume::Resumed,
        };
        self.resumes.of(resume).add(1);
        match snapshot.reset {
            Some(ResetWhy::History) => self.cursor_mismatch.of(Mismatch::All).add(1),
            Some(ResetWhy::Epoch | ResetWhy::TooFar) => {}
            None => {
                let other = snapshot.open.iter().filter(|open| match open {
                    read::Open::Reset(reset) => reset.why == ResetWhy::History,
                    read::Open::Stream(..) => false,
                });
                let rooms = other.count() as u64;
                self.cursor_mismatch.of(Mismatch::Room).add(rooms);
            }
        }
    }

    /// These events are durable.
    pub fn committed(&self, events: &[Event]) {
        let mut kinds = [0; EventKind::ALL.len()];
        for kind in events.iter().filter_map(|event| EventKind::of(&event.body)) {
            kinds[kind.place()] += 1;
        }
        for (kind, count) in EventKind::ALL.iter().zip(kinds) {
            if count > 0 {
                self.events_committed.of(*kind).add(count);
            }
        }
    }
}
