//! Every metric by name: its type, its labels, and exactly what it counts.
//!
//! The one declaration. What is shown at a scrape takes name and words from here, and a test
//! writes the table of docs/operating.md from it. No values live here.

use super::cells::Label;
use super::{Cap, Direction, EventKind, Failed, LookUp, Mismatch, Open, Resume, Scope, Stage};

/// How a metric moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Up, from 0 at the start of the node.
    Counter,
    /// Up and down.
    Gauge,
    /// Counts of values by size, their sum and their number, from 0 at the start of the node.
    Histogram,
}

impl Kind {
    /// As it stands in the exposition.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// What a label may say.
#[derive(Debug, Clone, Copy)]
pub enum Values {
    /// One of these.
    OneOf(fn() -> Vec<String>),
    /// Too many to name, and written down elsewhere.
    Elsewhere(&'static str),
}

/// A metric, as operators meet it.
#[derive(Debug)]
pub struct Metric {
    /// Its name; histograms and their parts are told apart by `_bucket`, `_sum` and `_count`.
    pub name: &'static str,
    /// How it moves.
    pub kind: Kind,
    /// Its labels, and what they may say.
    pub labels: &'static [(&'static str, Values)],
    /// What it counts, on one line.
    help: &'static str,
}

impl Metric {
    /// What it counts, on one line.
    #[must_use]
    pub fn help(&self) -> &'static str {
        self.help.trim()
    }
}

/// The values of a label.
const fn of<L: Label>() -> Values {
    Values::OneOf(|| {
        L::ALL
            .iter()
            .map(|value| value.text().into_owned())
            .collect()
    })
}

macro_rules! metrics {
    ($( $(#[doc = $help:literal])+ $id:ident = $kind:ident $name:literal $({ $($label:literal: $values:expr),+ })?; )+) => {
        $(
            $(#[doc = $help])+
            pub static $id: Metric = Metric {
                name: $name,
                kind: Kind::$kind,
                labels: &[$($(($label, $values)),+)?],
                help: concat!($($help),+),
            };
        )+

        /// All of them, in the order of the documents.
        pub static ALL: &[&Metric] = &[$(&$id),+];
    };
}

metrics! {
    /// Always 1; its label is the version of the program.
    BUILD_INFO = Gauge "chinwag_build_info" { "version": Values::Elsewhere("as `chinwag --version`") };
    /// When the node started, in seconds since 1970.
    START_TIME = Gauge "process_start_time_seconds";
    /// Memory of the process that is in RAM, in bytes. Absent where the system does not tell (it
    /// is read from /proc).
    RESIDENT_MEMORY = Gauge "process_resident_memory_bytes";
    /// Files and sockets that the process may have open. Absent where there is no limit.
    MAX_FDS = Gauge "process_max_fds";

    /// Accounts that were closed by their users, and whose rooms are not all done; at most 1000.
    ERASURES = Gauge "chinwag_erasures";
    /// WebSockets that are open, signed in or not.
    CONNECTIONS = Gauge "chinwag_connections";
    /// Users with a signed-in WebSocket.
    USERS = Gauge "chinwag_users";
    /// WebSockets by what became of their `hello`, once each. `abandoned`: ended before it was
    /// answered, by either side.
    CONNECTION_OPENS = Counter "chinwag_connection_opens_total" { "result": of::<Open>() };
    /// WebSockets that ended, once each. `server`: we sent a close frame with this code, or none
    /// (1006) because the peer took nothing any more. `client`: the client sent one, without a code
    /// (1005) or with this one. `nobody`: the stream ended without a close frame (1006).
    CONNECTION_CLOSES = Counter "chinwag_connection_closes_total" {
        "by": Values::Elsewhere("`server`, `client`, `nobody`"),
        "code": Values::Elsewhere(
            "`server`: those of docs/protocol.md, 1006; `client`: 1000, 1001, 1005, `other`; `nobody`: 1006"
        )
    };
    /// For how long WebSockets were open, from the upgrade to the end, in seconds; observed at
    /// their end.
    CONNECTION_SECONDS = Histogram "chinwag_connection_seconds";
    /// Snapshots read for connecting clients. `fresh`: the client had no position; `resumed`: it
    /// had one, and is sent what it missed; `reset`: it had one of another history, or of another
    /// life of the store, and begins anew; `again`: a `sync` on a connection that had one before.
    RESUMES = Counter "chinwag_resumes_total" { "result": of::<Resume>() };
    /// Cursors that name an event which the store has not, or a place beyond its end: a sign that
    /// it was restored behind our back. `all`: the client begins anew; `room`: one room of it does.
    CURSOR_MISMATCH = Counter "chinwag_cursor_mismatch_total" { "scope": of::<Mismatch>() };
    /// Times that a client was told that it is behind, because its outbox was full or a sync had
    /// to begin again.
    BEHIND = Counter "chinwag_behind_total";
    /// TCP connections that are open on the main listener, WebSockets included.
    TCP_CONNECTIONS = Gauge "chinwag_tcp_connections";
    /// Those of them that nobody has signed in on.
    TCP_UNAUTHENTICATED = Gauge "chinwag_tcp_unauthenticated";
    /// TCP connections that were closed at once because of a cap (behind a trusted proxy:
    /// requests answered with 429, which no other metric counts).
    TCP_REFUSED = Counter "chinwag_tcp_refused_total" { "cap": of::<Cap>() };

    /// Messages, pings and pongs that came on WebSockets; fragments of one message count once.
    FRAMES_RECEIVED = Counter "chinwag_frames_received_total";
    /// Bytes of WebSocket frames with their headers, without TLS. `in`: read; `out`: handed to
    /// sockets.
    FRAMES_BYTES = Counter "chinwag_frames_bytes_total" { "direction": of::<Direction>() };
    /// Payloads that were compressed (`out`) or came compressed (`in`), in bytes: `raw` without
    /// compression, `wire` with it. What is compressed once and shared by many receivers counts
    /// once. raw / wire is the ratio.
    COMPRESSION_BYTES = Counter "chinwag_compression_bytes_total" {
        "direction": of::<Direction>(), "stage": of::<Stage>()
    };
    /// Times that what waited for a WebSocket was handed to it together: mostly one system call
    /// each.
    WRITES = Counter "chinwag_writes_total";
    /// Events, once for each connection that they were queued for or written to, as they happened.
    /// What a client catches up with by a snapshot or a page does not count.
    DELIVERIES = Counter "chinwag_deliveries_total";

    /// Events committed by this node.
    EVENTS_COMMITTED = Counter "chinwag_events_committed_total" { "kind": of::<EventKind>() };
    /// Commands that were stored before under the same key, and got their first answer again.
    REPLAYS = Counter "chinwag_replays_total";
    /// From handing a batch of commands to the store until it is durable, in seconds; failed
    /// batches do not count.
    COMMIT_SECONDS = Histogram "chinwag_commit_seconds";
    /// Commands in each batch that was committed.
    COMMIT_BATCH_ITEMS = Histogram "chinwag_commit_batch_items";
    /// Batches that were not committed. `full`: the disk; `closed`: the store's writer has ended;
    /// `unknown`: it may be stored or not.
    COMMIT_FAILURES = Counter "chinwag_commit_failures_total" { "reason": of::<Failed>() };
    /// Commands that wait for a batch.
    COMMIT_QUEUE = Gauge "chinwag_commit_queue_items";
    /// From reading a writing command off its socket until its answer (ack or refusal) is queued,
    /// in seconds. What is refused before the store is asked does not count.
    ACK_SECONDS = Histogram "chinwag_ack_seconds";
    /// From reading the oldest command of a batch off its socket until the last of its events has
    /// been handed to the last socket, in seconds; once for each batch that has receivers (not for
    /// those beyond 1,024 under way). Sockets that take nothing, or whose clients asked for fewer
    /// and larger frames, are not waited for, nor is a gap in the log.
    DELIVERY_SECONDS = Histogram "chinwag_delivery_seconds";
    /// Batches and other items that wait for the task that delivers.
    SHARD_QUEUE = Gauge "chinwag_shard_queue_items";

    /// Refusals sent, on WebSockets and under /api, by their code.
    ERRORS = Counter "chinwag_errors_total" {
        "code": Values::Elsewhere("a code of docs/protocol.md")
    };
    /// Refusals for being too quick. `commands`: on WebSockets; `accounts`: under /api.
    RATE_LIMITED = Counter "chinwag_rate_limited_total" { "scope": of::<Scope>() };

    /// Look-ups of a room's newest events; a page of history takes two. `hit`: answered from memory; `miss`: read from the
    /// store; `older`: further back than memory reaches, so the store's. hit / (hit + miss) is the
    /// hit rate of what is kept at all.
    RECENT_LOOKUPS = Counter "chinwag_recent_lookups_total" { "result": of::<LookUp>() };
    /// Stretches read from the store to be kept in memory.
    RECENT_LOADS = Counter "chinwag_recent_loads_total";
    /// Rooms whose newest events had to leave memory for those of others.
    RECENT_EVICTIONS = Counter "chinwag_recent_evictions_total";
    /// Rooms whose newest events are in memory.
    RECENT_ROOMS = Gauge "chinwag_recent_rooms";
    /// What those take up, in bytes, roughly.
    RECENT_BYTES = Gauge "chinwag_recent_bytes";
    /// What waits in all outboxes, in bytes, without what a socket holds already.
    OUTBOX_BYTES = Gauge "chinwag_outbox_bytes";
    /// Passwords hashed or verified: tens of milliseconds of a processor each.
    PASSWORD_HASHES = Counter "chinwag_password_hashes_total";
}
