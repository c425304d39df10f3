//! What a client says: every command and question of the protocol, in one table.

use serde::Serialize;

use super::{Cursor, Daily, NotifyLevel, Req};
use crate::avatar::Avatar;
use crate::event::{Content, Mention};
use crate::ids::{DeviceId, InviteId, InviteToken, Key, Millis, RoomId, Seq, UserId};
use crate::room::{HistoryFrom, MemberState, Role, RoomKind};

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
        #[serde(flatten)]
        body: Content,
        /// The message that it answers.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        reply_to: Option<Seq>,
        /// Whom it calls on: ids of people, or `room`.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(test, ts(optional, as = "Option<Vec<Mention>>"))]
        mentions: Vec<Mention>,
        /// Only if this is the last message of the room; 0: if there is none.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        if_last: Option<Seq>,
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
        /// The whole of it from now on, byte for byte.
        #[serde(flatten)]
        body: Content,
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
        /// Its picture from now on, if that changes; `null` for none.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        avatar: Option<Avatar>,
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
    /// Come into a public room, or into one to which one has an invitation: `ack`.
    Join {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Idempotency key.
        key: Key,
        /// Which.
        room: RoomId,
        /// By which invitation.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        invite: Option<InviteToken>,
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
        /// `joined`, as usual, or `banned`.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional, type = "\"joined\" | \"banned\""))]
        state: Option<MemberState>,
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
    /// One types, goes on typing, or has stopped: `ok`.
    Typing {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Where.
        room: RoomId,
        /// Whether one types.
        on: bool,
    },
    /// The rooms that this connection looks at from now on: `ok`, then `presence` of each.
    Watch {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// All of them.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(test, ts(optional, as = "Option<Vec<RoomId>>"))]
        rooms: Vec<RoomId>,
    },
    /// The people of a room, who of them is online, and when the others were: `who`.
    Who {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Which.
        room: RoomId,
        /// Only those after this one.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        after: Option<UserId>,
        /// Only those who are online.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
        online: bool,
    },
    /// What one shows of oneself, and so sees of others: `ok` once stored. What is left out stays.
    Settings {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Nobody is told when one was online last.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        hide_last_seen: Option<bool>,
        /// Nobody is told that one is online, or that one types.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        hide_online: Option<bool>,
        /// Nobody is told what one has received and read.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        hide_receipts: Option<bool>,
        /// Nothing disturbs one until then; 0: no longer so.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        dnd_until: Option<Millis>,
        /// Nothing disturbs one at this time of each day; `from` as `to`: no longer so.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        dnd_daily: Option<Daily>,
    },
    /// What one wants to be notified of in a room: `ok` once stored. What is left out stays.
    Notify {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Which.
        room: RoomId,
        /// What of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        level: Option<NotifyLevel>,
        /// Nothing until then; 0: no longer quiet.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        quiet_until: Option<Millis>,
    },
    /// Somebody blocked, or no longer: `ok` once stored.
    Block {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Whom.
        user: UserId,
        /// Blocked, or no longer.
        on: bool,
    },
    /// How the others in a room stand: `receipts`.
    Receipts {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Where.
        room: RoomId,
        /// A message: also when they received and read it.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        seq: Option<Seq>,
    },
    /// A link that lets people into a room: `invite`, once.
    Invite {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Which.
        room: RoomId,
        /// For how long it is good (seven days).
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional, type = "number"))]
        expires_in_ms: Option<u64>,
        /// How many people it lets in (as many as a room has place for).
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional, type = "number"))]
        uses: Option<u64>,
    },
    /// The open invitations to a room: `invites`.
    Invites {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Which.
        room: RoomId,
    },
    /// An invitation lets nobody in any more: `ok`.
    RevokeInvite {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// To which room.
        room: RoomId,
        /// Which.
        invite: InviteId,
    },
    /// Where an invitation leads: `invitation`.
    Invitation {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// What the link holds.
        token: InviteToken,
    },
    /// Ask somebody into a room: `ack`. They accept by `join`, and decline by `leave`.
    InviteUser {
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
    /// The texts that a message has had: `edits`.
    Edits {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Where.
        room: RoomId,
        /// Which message.
        target: Seq,
        /// Only those after this one.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        after: Option<Seq>,
    },
    /// What others see of oneself: `ok` once stored. What is left out stays.
    Profile {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// What one wants to be called; empty (or `null`): by one's name.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional, type = "string | null"))]
        display_name: Option<String>,
        /// One's picture; `null` for none.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        avatar: Option<Avatar>,
    },
    /// A message deleted for oneself alone, or shown again: `ok` once stored.
    Hide {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Where.
        room: RoomId,
        /// Which message.
        target: Seq,
        /// Hidden, or no longer.
        on: bool,
    },
    /// All that one has hidden from oneself in a room: `hidden`.
    Hidden {
        /// Pairs the reply.
        #[cfg_attr(test, ts(type = "number"))]
        req: Req,
        /// Which.
        room: RoomId,
    },
}
