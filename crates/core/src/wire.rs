//! The frames of protocol version 1: what a client may say, and what the server says.
//!
//! docs/protocol.md is their documentation; `protocol/vectors` their golden examples; the
//! SDK's `wire.ts` is generated from here. Only `codec` turns them into bytes, only `session`
//! into decisions.

use serde::{Deserialize, Serialize};

use crate::code::ErrorCode;
use crate::event::{Event, Mention};
use crate::fold::Folded;
use crate::ids::{DeviceId, Epoch, Key, Millis, Position, RoomId, Seq, SessionId, UserId};
use crate::room::{HistoryFrom, MemberState, Range, Role, RoomKind, SkipWhy};

/// The only version spoken so far.
pub const VERSION: u64 = 1;

/// Pairs a reply with its request: chosen by the client, unique among those that wait.
pub type Req = u64;

/// What a client has: section 3 of the contract.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Cursor {
    /// The store's life that the rest belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub epoch: Option<Epoch>,
    /// The newest position that the client has taken in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub position: Option<Position>,
    /// The event applied last, in any room: exposes a store that was changed behind our back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub last: Option<Last>,
    /// The rooms whose missed events are to be streamed at once, with the seq applied last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<(RoomId, Seq)>>"))]
    pub open: Vec<(RoomId, Seq)>,
}

/// An event named so that another history shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Last {
    /// Its room.
    pub room: RoomId,
    /// Its place.
    pub seq: Seq,
    /// Its key.
    pub key: Key,
}

/// What a client says. Every frame but `hello` carries `req` and gets exactly one reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    /// The first frame.
    Hello {
        /// Protocol version: 1.
        #[cfg_attr(test, ts(type = "number"))]
        v: u64,
        /// An access token.
        token: String,
        /// The install that speaks; makes one's own devices tellable apart.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        device: Option<DeviceId>,
        /// What the client has.
        #[serde(flatten)]
        cursor: Cursor,
        /// Send what waits together, every 100 ms, and ask seldom for signs of life.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
        low_bandwidth: bool,
    },
    /// A fresh token for this connection: `ok`.
    Auth {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// An access token of the same user.
        token: String,
    },
    /// The answer to `behind`: section 3 runs again; `caught_up` closes it. Answered with `ok`.
    Sync {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// What the client has.
        #[serde(flatten)]
        cursor: Cursor,
    },
    /// A message: `ack`.
    Send {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Idempotency key.
        key: Key,
        /// Where.
        room: RoomId,
        /// What, byte for byte.
        text: String,
        /// The message that it answers.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        reply_to: Option<Seq>,
        /// Whom it calls on: ids of people, or `room`.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(test, ts(optional, as = "Option<Vec<Mention>>"))]
        mentions: Vec<Mention>,
    },
    /// Another text for a message of one's own: `ack`.
    Edit {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Idempotency key.
        key: Key,
        /// Where.
        room: RoomId,
        /// Which message.
        target: Seq,
        /// The whole text from now on, byte for byte.
        text: String,
    },
    /// A message away, for everybody: `ack`.
    Redact {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Idempotency key.
        key: Key,
        /// Where.
        room: RoomId,
        /// Which message.
        target: Seq,
    },
    /// A reaction put on or taken off: `ack`.
    React {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Idempotency key.
        key: Key,
        /// Where.
        room: RoomId,
        /// On which message.
        target: Seq,
        /// Which: one user-perceived character.
        emoji: String,
        /// Put on, or taken off.
        on: bool,
    },
    /// A message pinned or unpinned: `ack`.
    Pin {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Idempotency key.
        key: Key,
        /// Where.
        room: RoomId,
        /// Which message.
        target: Seq,
        /// Pinned, or unpinned.
        on: bool,
    },
    /// Another name or topic for a room: `ack`.
    Configure {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Idempotency key.
        key: Key,
        /// Which.
        room: RoomId,
        /// The name from now on, if it changes.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        name: Option<String>,
        /// The topic from now on, if it changes; empty for none.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        topic: Option<String>,
    },
    /// A new group or public room: `ack` names it.
    Create {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Idempotency key; the room's id follows from it.
        key: Key,
        /// `group` or `public`.
        kind: RoomKind,
        /// Its name.
        name: String,
        /// From where on members see its log; usually `joining` in groups, `beginning` in public
        /// rooms.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        history: Option<HistoryFrom>,
    },
    /// The direct room with somebody, made if it is not there: `ack` names it.
    Direct {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Idempotency key.
        key: Key,
        /// The other one.
        user: UserId,
    },
    /// Come into a public room: `ack`.
    Join {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Idempotency key.
        key: Key,
        /// Which.
        room: RoomId,
    },
    /// Go: `ack`.
    Leave {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Idempotency key.
        key: Key,
        /// Which.
        room: RoomId,
    },
    /// Let somebody in: `ack`.
    Add {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Idempotency key.
        key: Key,
        /// Which.
        room: RoomId,
        /// Whom.
        user: UserId,
    },
    /// Send somebody away: `ack`.
    Remove {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Idempotency key.
        key: Key,
        /// Which.
        room: RoomId,
        /// Whom.
        user: UserId,
    },
    /// Send somebody away for good, or let them come back: `ack`.
    Ban {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Idempotency key.
        key: Key,
        /// From which room.
        room: RoomId,
        /// Whom.
        user: UserId,
        /// For good, or no longer.
        on: bool,
    },
    /// Another role for somebody: `ack`.
    Role {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Idempotency key.
        key: Key,
        /// In which room.
        room: RoomId,
        /// Whose.
        user: UserId,
        /// Which.
        role: Role,
    },
    /// Somebody's voice taken, or given back: `ack`.
    Mute {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Idempotency key.
        key: Key,
        /// In which room.
        room: RoomId,
        /// Whose.
        user: UserId,
        /// Taken, or given back.
        on: bool,
    },
    /// Markers that only rise: `ok` once stored.
    Mark {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Which.
        room: RoomId,
        /// The gap-free prefix that this device has.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        delivered: Option<Seq>,
        /// What has been read; implies delivered.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        read: Option<Seq>,
    },
    /// What follows a seq: `events` or `reset`.
    After {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Which.
        room: RoomId,
        /// The seq applied last; 0 for none.
        seq: Seq,
        /// Its key, so that another history shows; left out after a skip or at 0.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        key: Option<Key>,
        /// At most so many (200).
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional, type = "number"))]
        limit: Option<u64>,
    },
    /// Folded messages, newest page first: `page`.
    History {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Which.
        room: RoomId,
        /// Only what lies before this seq; left out: from the head.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        before: Option<Seq>,
        /// The answer must know this seq, whichever node answers.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        at_least: Option<Seq>,
        /// At most so many (50, 200 at most).
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional, type = "number"))]
        limit: Option<u64>,
    },
    /// One room's row, as `summary` has it: `room`.
    Room {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Which.
        room: RoomId,
    },
    /// The people of a room: `members`.
    Members {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Which.
        room: RoomId,
        /// Only those after this one.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        after: Option<UserId>,
    },
    /// Names of people, by id or by exact name: `profiles`.
    Profiles {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// By id.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(test, ts(optional, as = "Option<Vec<UserId>>"))]
        users: Vec<UserId>,
        /// By name.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        name: Option<String>,
    },
    /// The public rooms: `directory`.
    Directory {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Only those after this one.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        after: Option<RoomId>,
    },
    /// Are you there: `pong`.
    Ping {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// The rooms whose heads the client wants to compare.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(test, ts(optional, as = "Option<Vec<RoomId>>"))]
        rooms: Vec<RoomId>,
    },
}

/// A room as a member sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RoomRow {
    /// Its id.
    pub room: RoomId,
    /// What it is for.
    pub kind: RoomKind,
    /// Its name; direct rooms have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub name: Option<String>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub topic: Option<String>,
    /// The other one of a direct room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub peer: Option<UserId>,
    /// From where on members see its log.
    pub history: HistoryFrom,
    /// The last seq that the reader may see.
    pub head: Seq,
    /// How many messages the log has up to `head`.
    #[cfg_attr(test, ts(type = "number"))]
    pub msg_no: u64,
    /// Below it the log is purged.
    pub floor: Seq,
    /// How many are in.
    pub members: u32,
    /// The pinned messages that the reader may see, in the order of pinning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<Seq>>"))]
    pub pins: Vec<Seq>,
    /// The reader's own row.
    pub me: Me,
}

/// One's own row of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Me {
    /// Where one stands.
    pub state: MemberState,
    /// What one may do.
    pub role: Role,
    /// The event that let one in last.
    pub since: Seq,
    /// One's delivered marker.
    pub delivered: Seq,
    /// One's read marker.
    pub read: Seq,
    /// Countable messages after it: exact to 999, then 1000 for "999+" (contract 6).
    #[cfg_attr(test, ts(type = "number"))]
    pub unread: u64,
    /// How many of them call on one, by name or as part of the room.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cfg_attr(test, ts(optional, as = "Option<u32>"))]
    pub mentions: u64,
    /// Whether one's voice in the room was taken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub muted: bool,
}

/// For fields that say nothing at zero.
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A person's public face.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Profile {
    /// Who.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// Rises with each change.
    #[cfg_attr(test, ts(type = "number"))]
    pub version: u64,
}

/// A public room in the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DirectoryRow {
    /// Its id.
    pub room: RoomId,
    /// Its name.
    pub name: String,
    /// How many are in.
    pub members: u32,
}

/// The bounds that a client wants to know beforehand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PublicLimits {
    /// Bytes of one text.
    #[cfg_attr(test, ts(type = "number"))]
    pub text_bytes: u64,
    /// Bytes of one frame.
    #[cfg_attr(test, ts(type = "number"))]
    pub frame_bytes: u64,
    /// Commands that may wait for their reply.
    #[cfg_attr(test, ts(type = "number"))]
    pub in_flight: u64,
    /// Rooms in `open`.
    #[cfg_attr(test, ts(type = "number"))]
    pub open_rooms: u64,
    /// Messages a second, steadily.
    #[cfg_attr(test, ts(type = "number"))]
    pub rate_per_second: u64,
    /// Messages at once, after silence.
    #[cfg_attr(test, ts(type = "number"))]
    pub rate_burst: u64,
}

/// Seqs that the reader does not get, and why: counted as had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Skip {
    /// Whose log.
    pub room: RoomId,
    /// The first.
    pub from: Seq,
    /// The last.
    pub to: Seq,
    /// Why.
    pub why: SkipWhy,
}

/// A piece of a log: `event` or `skip`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Item {
    /// An event.
    Event(Event),
    /// Seqs without an event.
    Skip(Skip),
}

impl Item {
    /// The seqs that it accounts for.
    #[must_use]
    pub fn range(&self) -> Range {
        match self {
            Self::Event(event) => Range {
                from: event.seq,
                to: event.seq,
            },
            Self::Skip(skip) => Range {
                from: skip.from,
                to: skip.to,
            },
        }
    }
}

/// Why everything is sent anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ResetWhy {
    /// The store lives another life.
    Epoch,
    /// The event in `last` or `after` is not the one that stands there.
    History,
    /// More was missed than is streamed.
    TooFar,
}

/// A room anew: the client drops what it has of it and goes on from `head`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Reset {
    /// Pairs with `after`; absent while connecting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub req: Option<Req>,
    /// Why.
    pub why: ResetWhy,
    /// The room, markers and all.
    pub row: RoomRow,
    /// The last 50 folded messages.
    pub page: Vec<Folded>,
    /// What was redacted since the cursor, for pages that the client keeps elsewhere.
    pub redacted: Vec<Seq>,
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// `hello` was good.
    Welcome {
        /// The version spoken.
        #[cfg_attr(test, ts(type = "number"))]
        v: u64,
        /// The store's life.
        epoch: Epoch,
        /// Who the token says one is.
        user: Profile,
        /// The session of the token; foreign tokens have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        session: Option<SessionId>,
        /// What else the server can do.
        features: Vec<String>,
        /// Its bounds.
        limits: PublicLimits,
        /// Its clock.
        now: Millis,
    },
    /// What changed since the position: first the count, then the rooms.
    Summary {
        /// Rooms of this frame.
        rooms: Vec<RoomRow>,
        /// Unread messages of all rooms of the whole summary: the sum of `unread` in their rows.
        #[cfg_attr(test, ts(type = "number"))]
        new: u64,
        /// These are all rooms one is in: forget the others.
        all: bool,
        /// Why everything cached is void, if it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        reset: Option<ResetWhy>,
        /// Another `summary` follows.
        more: bool,
    },
    /// A committed event, live.
    Event(Event),
    /// Seqs without an event, live.
    Skip(Skip),
    /// A stretch of a log: `from..=to` without a hole.
    Events {
        /// Pairs with `after`; absent while connecting.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional, type = "number"))]
        req: Option<Req>,
        /// Whose log.
        room: RoomId,
        /// The first seq accounted for.
        from: Seq,
        /// The last.
        to: Seq,
        /// The last that there is: ask again while `to` is smaller.
        head: Seq,
        /// All of them.
        items: Vec<Item>,
    },
    /// A room anew.
    Reset(Reset),
    /// Folded history.
    Page {
        /// Pairs with `history`.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Whose.
        room: RoomId,
        /// The state of the messages is that after this seq.
        as_of: Seq,
        /// Oldest first.
        messages: Vec<Folded>,
        /// Parts of the stretch that the reader may not see.
        skips: Vec<Skip>,
        /// Where the next page ends; absent: this was the oldest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        before: Option<Seq>,
    },
    /// Everything up to `position` has been said; from here on live.
    CaughtUp {
        /// To be stored with the last event before it.
        position: Position,
    },
    /// Stored, fsynced, numbered.
    Ack {
        /// Pairs with the command.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// The room, for those that make one.
        room: RoomId,
        /// Its place.
        seq: Seq,
        /// The messages up to and with it.
        #[cfg_attr(test, ts(type = "number"))]
        msg_no: u64,
        /// The label.
        ts: Millis,
    },
    /// Done.
    Ok {
        /// Pairs with the command.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
    },
    /// Not done, and why.
    Error {
        /// Pairs with the command; absent if it had none that could be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional, type = "number"))]
        req: Option<Req>,
        /// For programs.
        code: ErrorCode,
        /// For developers: what, where, what to do.
        message: String,
        /// The field at fault.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        field: Option<String>,
        /// Whether the same command may succeed later.
        retryable: bool,
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional, type = "number"))]
        retry_after_ms: Option<u64>,
    },
    /// The socket is too slow: read on to here, then send `sync`.
    Behind {},
    /// One's own markers, set by another connection of one's own.
    Marker {
        /// Whose.
        room: RoomId,
        /// What a device has.
        delivered: Seq,
        /// What has been read.
        read: Seq,
        /// Countable messages after it.
        #[cfg_attr(test, ts(type = "number"))]
        unread: u64,
        /// How many of them call on one.
        #[serde(default, skip_serializing_if = "is_zero")]
        #[cfg_attr(test, ts(optional, as = "Option<u32>"))]
        mentions: u64,
    },
    /// The token ends soon: send `auth`.
    TokenExpiring {
        /// From now.
        #[cfg_attr(test, ts(type = "number"))]
        in_ms: u64,
    },
    /// The server stops: come back after a random time between the two.
    Reconnect {
        /// Not before.
        #[cfg_attr(test, ts(type = "number"))]
        after_ms: u64,
        /// Spread over so much more.
        #[cfg_attr(test, ts(type = "number"))]
        spread_ms: u64,
    },
    /// Here.
    Pong {
        /// Pairs with `ping`.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// The server's clock.
        now: Millis,
        /// A newer position, if all up to it has been said on this connection.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        position: Option<Position>,
        /// Heads of the rooms asked for that one is in.
        heads: Vec<(RoomId, Seq)>,
    },
    /// One room's row.
    Room {
        /// Pairs with `room`.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// The row.
        row: RoomRow,
    },
    /// People of a room, by id.
    Members {
        /// Pairs with `members`.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Whose.
        room: RoomId,
        /// Those who are in.
        members: Vec<(UserId, Role)>,
        /// Ask again after the last of these.
        more: bool,
    },
    /// Names of people; unknown ones are left out.
    Profiles {
        /// Pairs with `profiles`.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Whom.
        users: Vec<Profile>,
    },
    /// Public rooms, by id.
    Directory {
        /// Pairs with `directory`.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Which.
        rooms: Vec<DirectoryRow>,
        /// Ask again after the last of these.
        more: bool,
    },
}
