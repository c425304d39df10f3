//! The frames of protocol version 1: what a client may say, and what the server says.
//!
//! docs/protocol.md is their documentation; `protocol/vectors` their golden examples; the
//! SDK's `wire.ts` is generated from here. Only `codec` turns them into bytes, only `session`
//! into decisions.

use serde::{Deserialize, Serialize};

use crate::fold::Folded;
use crate::ids::{Epoch, Key, Position, RoomId, Seq};

mod client;
mod own;
mod pieces;
mod rows;
mod server;

pub use client::ClientFrame;
pub use own::{Blocks, Daily, Hidden, Notify, NotifyLevel};
pub use pieces::{Item, Skip};
pub use rows::{
    DirectoryRow, EditRow, InviteRow, Me, Person, Profile, PublicLimits, RoomRow, Settings,
    Standing,
};
pub use server::ServerFrame;

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
