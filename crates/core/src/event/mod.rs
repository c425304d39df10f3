//! Events: what a room's log is made of (design, decision 2), and their wire form (contract 9).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::avatar::Avatar;
use crate::ids::{IdError, Key, Millis, RoomId, Seq, UserId};
use crate::room::{HistoryFrom, MemberState, Role, RoomKind};

mod content;
mod sharing;

pub use self::content::{Content, OpaqueBody, OpaqueBytes, TextBody};
pub use self::sharing::{Form, Run, Shared};

/// The version of the event bodies that this code writes.
pub const BODY_VERSION: u8 = 1;

/// One entry of a room's log. Identity is (room, seq).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Event {
    /// Whose log.
    pub room: RoomId,
    /// Its place: dense, from 1.
    pub seq: Seq,
    /// How many messages the log has up to and with this event.
    #[cfg_attr(test, ts(type = "number"))]
    pub msg_no: u64,
    /// Version of the body's shape.
    pub v: u8,
    /// Who, and the version of their profile when they wrote it.
    pub from: Author,
    /// The idempotency key of the command that made it.
    pub key: Key,
    /// When the server took it: a label.
    pub ts: Millis,
    /// The event that this one is about: edits, redactions, reactions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub target: Option<Seq>,
    /// The message that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub reply_to: Option<Seq>,
    /// Whom this message calls on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<Mention>>"))]
    pub mentions: Vec<Mention>,
    /// `kind` and `body`.
    #[serde(flatten)]
    pub body: Body,
}

/// A user and the version of their profile: clients fetch a profile when they see a newer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(type = "[UserId, number]"))]
pub struct Author(pub UserId, pub u64);

/// Whom a message calls on: a user, or everybody in the room. On the wire a user's id, or `room`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(test, derive(ts_rs::TS), ts(type = "string"))]
pub enum Mention {
    /// Everybody in the room.
    Room,
    /// This user; it says nothing to them while they are not in the room.
    User(UserId),
}

/// How [`Mention::Room`] stands on the wire.
const WHOLE_ROOM: &str = "room";

impl fmt::Display for Mention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Room => f.write_str(WHOLE_ROOM),
            Self::User(user) => user.fmt(f),
        }
    }
}

impl FromStr for Mention {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == WHOLE_ROOM {
            return Ok(Self::Room);
        }
        text.parse().map(Self::User)
    }
}

impl Serialize for Mention {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mention {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What an event says, by kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "kind", content = "body", rename_all = "snake_case")]
pub enum Body {
    /// The room was made, with these people in it.
    Room(RoomBody),
    /// Somebody's membership changed.
    Member(MemberBody),
    /// A message.
    Message(Content),
    /// What a message says is now this: `target` names the message.
    Edit(Content),
    /// A message is gone: `target` names it.
    Redact(RedactBody),
    /// A reaction was put on or taken off `target`.
    Reaction(ReactionBody),
    /// The room's name or topic is another.
    Settings(SettingsBody),
    /// What a member may do is something else.
    Role(RoleBody),
    /// `target` was pinned or unpinned.
    Pin(PinBody),
    /// The stored row is damaged; its seq still counts. Never written, only read.
    Damaged(DamagedBody),
}

/// The body of `room`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RoomBody {
    /// What it is for.
    pub kind: RoomKind,
    /// Its name; direct rooms have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub name: Option<String>,
    /// From where on members see its log.
    pub history: HistoryFrom,
    /// Who is in from the first event on.
    pub members: Vec<(UserId, Role)>,
}

/// The body of `member`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MemberBody {
    /// Whose membership; the author may be another.
    pub user: UserId,
    /// Where they stand from now on.
    pub state: MemberState,
    /// What they may do from now on.
    pub role: Role,
    /// How many are in from now on; absent in logs of before this was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub members: Option<u32>,
}

/// The body of `settings`: what is absent stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SettingsBody {
    /// The name from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub name: Option<String>,
    /// The topic from now on; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub topic: Option<String>,
    /// The picture from now on; `null`: none.
    #[serde(
        default,
        deserialize_with = "Avatar::said",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(test, ts(optional))]
    pub avatar: Option<Avatar>,
}

/// The body of `role`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RoleBody {
    /// Whose.
    pub user: UserId,
    /// Their role from now on.
    pub role: Role,
    /// Whether they have no voice from now on.
    pub muted: bool,
}

/// The body of `pin`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PinBody {
    /// Pinned, or unpinned.
    pub on: bool,
}

/// The body of `redact`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RedactBody {}

/// The body of `reaction`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ReactionBody {
    /// Which.
    pub emoji: String,
    /// Put on, or taken off.
    pub on: bool,
}

/// The body of `damaged`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DamagedBody {}

impl Body {
    /// What [`Self::alters`] says of edits.
    pub const EDITED: &str = "edit";
    /// What [`Self::alters`] says of pins.
    pub const PINNED: &str = "pin";

    /// Its kind as it stands on the wire and in the store.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Room(_) => "room",
            Self::Member(_) => "member",
            Self::Message(_) => "message",
            Self::Edit(_) => "edit",
            Self::Redact(_) => "redact",
            Self::Reaction(_) => "reaction",
            Self::Settings(_) => "settings",
            Self::Role(_) => "role",
            Self::Pin(_) => "pin",
            Self::Damaged(_) => "damaged",
        }
    }

    /// What it changes of the message that it is about: `edit`, `pin`, or the reaction itself, which
    /// is one character and so neither of them. A redaction leaves nothing to change.
    #[must_use]
    pub fn alters(&self) -> Option<&str> {
        match self {
            Self::Edit(_) => Some(Self::EDITED),
            Self::Pin(_) => Some(Self::PINNED),
            Self::Reaction(body) => Some(&body.emoji),
            Self::Room(_)
            | Self::Member(_)
            | Self::Message(_)
            | Self::Redact(_)
            | Self::Settings(_)
            | Self::Role(_)
            | Self::Damaged(_) => None,
        }
    }

    /// Whether it counts as a message.
    #[must_use]
    pub fn is_message(&self) -> bool {
        matches!(self, Self::Message(_))
    }
}

/// A change of who is in a room, as an event tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// This user is in from this event on.
    In(UserId),
    /// This user is out after this event, if they were not before.
    Out(UserId),
}

impl Event {
    /// Whether it lets somebody in or out.
    #[must_use]
    pub fn changes_members(&self) -> bool {
        let mut changes = false;
        self.turns(|_turn| changes = true);
        changes
    }

    /// Whether its text was taken out by a redaction: no message is written without one.
    #[must_use]
    pub fn is_emptied(&self) -> bool {
        matches!(&self.body, Body::Message(content) | Body::Edit(content) if content.is_emptied())
    }

    /// Bytes that it holds outside of its own place.
    #[must_use]
    pub fn elsewhere(&self) -> usize {
        let mentions = self.mentions.capacity() * size_of::<Mention>();
        mentions
            + match &self.body {
                Body::Message(content) | Body::Edit(content) => content.elsewhere(),
                Body::Room(body) => {
                    body.name.as_ref().map_or(0, String::capacity)
                        + body.members.capacity() * size_of::<(UserId, Role)>()
                }
                Body::Reaction(body) => body.emoji.capacity(),
                Body::Settings(body) => {
                    let texts = [&body.name, &body.topic].into_iter().flatten();
                    texts.map(String::capacity).sum()
                }
                Body::Member(_)
                | Body::Redact(_)
                | Body::Role(_)
                | Body::Pin(_)
                | Body::Damaged(_) => 0,
            }
    }

    /// Calls `each` for every membership that this event changes.
    pub fn turns(&self, mut each: impl FnMut(Turn)) {
        match &self.body {
            Body::Room(body) => body
                .members
                .iter()
                .for_each(|(user, _role)| each(Turn::In(*user))),
            Body::Member(body) => match body.state {
                MemberState::Joined => each(Turn::In(body.user)),
                MemberState::Left | MemberState::Removed | MemberState::Banned => {
                    each(Turn::Out(body.user));
                }
                // Asked in is neither: they come in by an event of their own.
                MemberState::Invited => {}
            },
            Body::Message(_)
            | Body::Edit(_)
            | Body::Redact(_)
            | Body::Reaction(_)
            | Body::Settings(_)
            | Body::Role(_)
            | Body::Pin(_)
            | Body::Damaged(_) => {}
        }
    }
}
