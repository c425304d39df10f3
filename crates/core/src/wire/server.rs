//! What the server says: every reply, event and notice of the protocol, in one table.

use serde::{Deserialize, Serialize};

use super::rows::is_zero;
use super::{
    Blocks, DirectoryRow, EditRow, InviteRow, Item, Notify, Person, Profile, PublicLimits, Req,
    Reset, ResetWhy, RoomRow, Settings, Skip, Standing,
};
use crate::code::ErrorCode;
use crate::event::Event;
use crate::fold::Folded;
use crate::ids::{AvatarId, Epoch, InviteToken, Millis, Position, RoomId, Seq, SessionId, UserId};
use crate::room::{Role, RoomKind};

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
        /// In the first one: what one shows of oneself, if that was ever changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        settings: Option<Settings>,
        /// In the first one: whom one has blocked, if that has changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        blocks: Option<Blocks>,
        /// In the first one: what others see of oneself, if that has changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        profile: Option<Profile>,
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
        /// With `not_last`: where the last message stands.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        seq: Option<Seq>,
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
        /// Those who are in, or who are banned if that was asked for.
        members: Vec<(UserId, Role)>,
        /// Ask again after the last of these.
        more: bool,
        /// Who of them has no voice.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(test, ts(optional, as = "Option<Vec<UserId>>"))]
        muted: Vec<UserId>,
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
    /// Who types in a room that one looks at, oneself left out: all of them.
    Typing {
        /// Where.
        room: RoomId,
        /// By id.
        users: Vec<UserId>,
        /// How many type beside them.
        #[cfg_attr(test, ts(type = "number"))]
        more: u64,
    },
    /// Who is online in a room that one looks at.
    Presence {
        /// Where.
        room: RoomId,
        /// How many are online.
        count: u32,
        /// The number of this change; absent if the room is too large for names.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional, type = "number"))]
        change: Option<u64>,
        /// All who are online: the list anew.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        online: Option<Vec<UserId>>,
        /// Who is online now.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(test, ts(optional, as = "Option<Vec<UserId>>"))]
        joined: Vec<UserId>,
        /// Who is no longer online.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(test, ts(optional, as = "Option<Vec<UserId>>"))]
        left: Vec<UserId>,
    },
    /// People of a room, by id.
    Who {
        /// Pairs with `who`.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Whose.
        room: RoomId,
        /// Those who are in.
        people: Vec<Person>,
        /// Ask again after the last of these.
        more: bool,
    },
    /// One's own settings, changed by another connection of one's own.
    Settings(Settings),
    /// What one wants to be notified of in a room, changed by any connection of one's own.
    Notify {
        /// Where.
        room: RoomId,
        /// What, from now on.
        notify: Notify,
    },
    /// Whom one has blocked, changed by any connection of one's own: all of them.
    Blocks {
        /// By id.
        users: Vec<UserId>,
        /// Of two lists the higher one holds.
        #[cfg_attr(test, ts(type = "number"))]
        version: u64,
    },
    /// Others in a room have received or read what one wrote.
    Receipt {
        /// Where.
        room: RoomId,
        /// Who, and their delivered and read markers.
        members: Vec<(UserId, Seq, Seq)>,
    },
    /// How the others in a room stand, by id.
    Receipts {
        /// Pairs with `receipts`.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Where.
        room: RoomId,
        /// The message asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        seq: Option<Seq>,
        /// Those who are in and show it.
        members: Vec<Standing>,
    },
    /// An invitation was made. The token is said this once: the server keeps only its hash.
    Invite {
        /// Pairs with `invite`.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// To which room.
        room: RoomId,
        /// What the link must hold.
        token: InviteToken,
        /// The invitation.
        invite: InviteRow,
    },
    /// Open invitations to a room, by id.
    Invites {
        /// Pairs with `invites`.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// To which room.
        room: RoomId,
        /// All of them.
        invites: Vec<InviteRow>,
    },
    /// Where an invitation leads.
    Invitation {
        /// Pairs with `invitation`.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// The room, for `join`.
        room: RoomId,
        /// What it is for.
        kind: RoomKind,
        /// Its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        name: Option<String>,
        /// What it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        topic: Option<String>,
        /// How many are in.
        members: u32,
        /// Its picture.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        avatar: Option<AvatarId>,
    },
    /// The texts that a message has had, oldest first.
    Edits {
        /// Pairs with `edits`.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Where.
        room: RoomId,
        /// Which message.
        target: Seq,
        /// Itself as it was sent, and each edit.
        edits: Vec<EditRow>,
        /// Ask again after the last of these.
        more: bool,
    },
    /// One's own row of a room has changed otherwise than by an event that one is shown.
    Row {
        /// As it is now.
        row: RoomRow,
    },
    /// What others see of oneself, changed by any connection of one's own.
    Profile {
        /// Oneself.
        user: Profile,
    },
    /// What one has hidden from oneself in a room, changed by any connection of one's own: all of it.
    Hidden {
        /// Pairs with `hidden`; absent where it was not asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional, type = "number"))]
        req: Option<Req>,
        /// Where.
        room: RoomId,
        /// By seq.
        seqs: Vec<Seq>,
        /// Of two lists the higher one holds.
        #[cfg_attr(test, ts(type = "number"))]
        version: u64,
    },
}
