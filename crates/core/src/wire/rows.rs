//! What frames show of rooms, people and the server's bounds.

use serde::{Deserialize, Serialize};

use super::own::{Daily, Hidden, Notify};
use crate::event::Content;
use crate::ids::{AvatarId, InviteId, Millis, RoomId, Seq, UserId};
use crate::room::{HistoryFrom, MemberState, Role, RoomKind};

/// What somebody shows of themselves. Who hides something does not see it of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Settings {
    /// Nobody is told when they were online last.
    pub hide_last_seen: bool,
    /// Nobody is told that they are online, or that they type.
    pub hide_online: bool,
    /// Nobody is told what they have received and read.
    #[serde(default)]
    pub hide_receipts: bool,
    /// Rises with each change; 0 before the first.
    #[cfg_attr(test, ts(type = "number"))]
    pub version: u64,
    /// Nothing disturbs them until then; absent: not so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub dnd_until: Option<Millis>,
    /// Nothing disturbs them at this time of each day; absent: not so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub dnd_daily: Option<Daily>,
}

impl Settings {
    /// Whether nothing was ever changed.
    #[must_use]
    pub fn is_new(&self) -> bool {
        *self == Self::default()
    }
}

/// Somebody in a room, as `who` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Person {
    /// Who.
    pub user: UserId,
    /// Whether they are online.
    pub online: bool,
    /// When they were online last, to the minute; absent if it is not known or not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub last_seen: Option<Millis>,
}

/// How far somebody has come in a room, as `receipts` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Standing {
    /// Who.
    pub user: UserId,
    /// Their delivered marker.
    pub delivered: Seq,
    /// Their read marker.
    pub read: Seq,
    /// When a device of theirs had the message asked for, to a second; absent if it has not, or if
    /// that is no longer known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub delivered_at: Option<Millis>,
    /// When they had read it, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub read_at: Option<Millis>,
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
    /// Its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub avatar: Option<AvatarId>,
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
    /// What one wants to be notified of, if that was ever changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub notify: Option<Notify>,
    /// What one has hidden from oneself, if that was ever changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub hidden: Option<Hidden>,
}

/// For fields that say nothing at zero.
pub(super) fn is_zero(number: &u64) -> bool {
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
    /// What they want to be called; need not be theirs alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub display_name: Option<String>,
    /// Their picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub avatar: Option<AvatarId>,
}

impl Profile {
    /// Somebody who has chosen nothing yet.
    #[must_use]
    pub fn new(id: UserId, name: impl Into<String>) -> Self {
        Self {
            id,
            name: name.into(),
            version: 1,
            display_name: None,
            avatar: None,
        }
    }
}

impl Profile {
    /// Whether the account was deleted: only then the name is empty.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.name.is_empty()
    }
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
    /// Its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub avatar: Option<AvatarId>,
}

/// What a message has said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct EditRow {
    /// The event: the message itself, or an edit of it.
    pub seq: Seq,
    /// When.
    pub ts: Millis,
    /// The whole of it since then.
    #[serde(flatten)]
    pub body: Content,
}

/// An open invitation, as those see it who look after the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct InviteRow {
    /// Its id; the token of its link is nowhere any more.
    pub id: InviteId,
    /// Who made it.
    pub by: UserId,
    /// How many people it still lets in.
    pub uses: u32,
    /// Until when.
    pub expires: Millis,
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
