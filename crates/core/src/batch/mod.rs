//! What a batch of commands does to the logs: who is answered how, and which events follow.
//!
//! Called inside the transaction that stores the result (contract 1 and 2): key first, then
//! membership, then the number. Items see the effect of earlier ones. A refusal is a value; one
//! bad item never fails its batch.
//!
//! Here: what goes in and comes out. `deciding` keeps rows and gives numbers, `messages` and
//! `membership` know the commands, `departing` what an erased account still does.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::avatar::Avatar;
use crate::code::ErrorCode;
use crate::event::{Content, Event, Mention};
use crate::ids::{AvatarId, Key, Millis, RoomId, Seq, UserId};
use crate::invite::{Invitation, InviteHash};
use crate::room::{HistoryFrom, Member, Role, Room, RoomKind};
use crate::view::View;

mod deciding;
mod departing;
mod membership;
mod messages;

use self::deciding::Batch;
pub use self::departing::depart;

/// A command as every door makes it (design, decision 10): who, under which key, what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// Who: from the session, never from the payload.
    pub from: UserId,
    /// Idempotency key.
    pub key: Key,
    /// What.
    pub command: Command,
}

/// A writing command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Command {
    /// A message.
    Send {
        /// Where.
        room: RoomId,
        /// What.
        #[serde(flatten)]
        body: Content,
        /// The message that it answers.
        #[serde(skip_serializing_if = "Option::is_none")]
        reply_to: Option<Seq>,
        /// Whom it calls on.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        mentions: Vec<Mention>,
        /// Only if this is the last message of the room; zero: if there is none.
        #[serde(skip_serializing_if = "Option::is_none")]
        if_last: Option<Seq>,
    },
    /// Another text for a message of one's own.
    Edit {
        /// Where.
        room: RoomId,
        /// Which message.
        target: Seq,
        /// The whole of it from now on.
        #[serde(flatten)]
        body: Content,
    },
    /// A message away, for everybody.
    Redact {
        /// Where.
        room: RoomId,
        /// Which message.
        target: Seq,
    },
    /// A reaction on or off.
    React {
        /// Where.
        room: RoomId,
        /// On which message.
        target: Seq,
        /// Which.
        emoji: String,
        /// On, or off.
        on: bool,
    },
    /// A message pinned or unpinned.
    Pin {
        /// Where.
        room: RoomId,
        /// Which message.
        target: Seq,
        /// Pinned, or unpinned.
        on: bool,
    },
    /// Another name or topic.
    Configure {
        /// Which room.
        room: RoomId,
        /// The name from now on, if it changes.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The topic from now on, if it changes; empty for none.
        #[serde(skip_serializing_if = "Option::is_none")]
        topic: Option<String>,
        /// The picture from now on, if it changes.
        #[serde(skip_serializing_if = "Option::is_none")]
        avatar: Option<Avatar>,
    },
    /// A new group or public room.
    Create {
        /// Which of the two.
        kind: RoomKind,
        /// Its name.
        name: String,
        /// From where on members see its log, if not as is usual for its kind.
        #[serde(skip_serializing_if = "Option::is_none")]
        history: Option<HistoryFrom>,
    },
    /// The direct room with somebody.
    Direct {
        /// The other one.
        user: UserId,
    },
    /// Come in.
    Join {
        /// Where.
        room: RoomId,
        /// By which invitation, if the room does not let everybody in.
        #[serde(skip_serializing_if = "Option::is_none")]
        invite: Option<InviteHash>,
    },
    /// Go.
    Leave {
        /// Where.
        room: RoomId,
    },
    /// Let somebody in.
    Add {
        /// Where.
        room: RoomId,
        /// Whom.
        user: UserId,
    },
    /// Ask somebody in.
    InviteUser {
        /// Where.
        room: RoomId,
        /// Whom.
        user: UserId,
    },
    /// Send somebody away.
    Remove {
        /// Where.
        room: RoomId,
        /// Whom.
        user: UserId,
    },
    /// Send somebody away for good, or let them come back.
    Ban {
        /// Where.
        room: RoomId,
        /// Whom.
        user: UserId,
        /// For good, or no longer.
        on: bool,
    },
    /// Another role for somebody.
    SetRole {
        /// Where.
        room: RoomId,
        /// Whose.
        user: UserId,
        /// Which.
        role: Role,
    },
    /// Somebody's voice taken, or given back.
    Mute {
        /// Where.
        room: RoomId,
        /// Whose.
        user: UserId,
        /// Taken, or given back.
        on: bool,
    },
}

impl Command {
    /// A plain message.
    #[must_use]
    pub fn say(room: RoomId, text: impl Into<String>) -> Self {
        Self::Send {
            room,
            body: text.into().into(),
            reply_to: None,
            mentions: Vec::new(),
            if_last: None,
        }
    }

    /// Into a public room.
    #[must_use]
    pub fn join(room: RoomId) -> Self {
        Self::Join { room, invite: None }
    }

    /// A new room as is usual for its kind.
    #[must_use]
    pub fn open(kind: RoomKind, name: impl Into<String>) -> Self {
        Self::Create {
            kind,
            name: name.into(),
            history: None,
        }
    }
}

impl Submission {
    /// The room whose log it would write to.
    #[must_use]
    pub fn room(&self) -> RoomId {
        match &self.command {
            Command::Send { room, .. }
            | Command::Edit { room, .. }
            | Command::Redact { room, .. }
            | Command::React { room, .. }
            | Command::Pin { room, .. }
            | Command::Configure { room, .. }
            | Command::Join { room, .. }
            | Command::Leave { room }
            | Command::Add { room, .. }
            | Command::InviteUser { room, .. }
            | Command::Remove { room, .. }
            | Command::Ban { room, .. }
            | Command::SetRole { room, .. }
            | Command::Mute { room, .. } => *room,
            Command::Create { .. } => RoomId::created(self.from, self.key),
            Command::Direct { user } => RoomId::direct(self.from, *user),
        }
    }

    /// Eight bytes of SHA-256 over the command as decoded: tells a replay from a conflict.
    #[must_use]
    pub fn hash(&self) -> u64 {
        let text = serde_json::to_vec(&self.command).expect("commands hold only strings and ids");
        let digest = Sha256::digest(&text);
        u64::from_be_bytes(digest[..8].try_into().expect("SHA-256 has 32 bytes"))
    }
}

/// Where a command's event stands. A replay gets the first one again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// The room.
    pub room: RoomId,
    /// Its place.
    pub seq: Seq,
    /// Messages up to and with it.
    pub msg_no: u64,
    /// The label.
    pub ts: Millis,
}

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the log now.
    Done(Ack),
    /// It was there already.
    Replayed(Ack),
    /// It is not, and this is why.
    Refused(ErrorCode),
    /// It is not, because the last message of the room is this one, and not the one that it names.
    NotLast(Seq),
}

/// An event to insert, with the hash of its command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The event.
    pub event: Event,
    /// See [`Submission::hash`].
    pub hash: u64,
}

/// What to answer and what to store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decided {
    /// One for each item, in order.
    pub outcomes: Vec<Outcome>,
    /// Events, in the order of their items.
    pub appended: Vec<Appended>,
    /// Rooms that are new or have a new head.
    pub rooms: Vec<Room>,
    /// Rows that are new or changed.
    pub members: Vec<(RoomId, Member)>,
    /// Invitations that have let somebody in; those that let in nobody else are to be forgotten.
    pub invitations: Vec<Invitation>,
    /// Pictures that rooms have got and let go of, in the order of their items.
    pub hung: Vec<Hung>,
}

/// Another picture for a room. Rows of rooms are written with each message, and pictures seldom:
/// so it is said apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hung {
    /// Which room.
    pub room: RoomId,
    /// Who named it: it is no unused upload of theirs any more.
    pub by: UserId,
    /// What is there no longer. Unless somebody else refers to it, it is to be deleted.
    pub before: Option<AvatarId>,
    /// What is there now.
    pub after: Option<AvatarId>,
}

/// Decides `items` in order over what the transaction sees.
///
/// # Errors
/// Only the view's: then nothing may be stored.
pub fn decide<V: View + ?Sized>(
    view: &V,
    items: &[Submission],
    now: Millis,
) -> Result<Decided, V::Error> {
    let mut batch = Batch::new(view, now);
    for item in items {
        let outcome = match batch.item(item)? {
            Ok(outcome) => outcome,
            Err(code) => Outcome::Refused(code),
        };
        batch.out.outcomes.push(outcome);
    }
    Ok(batch.finish())
}
