//! What a session takes in, what it wants done, and what it knows from the start.
//!
//! The whole interface between [`super::Session`] and its driver, beside its methods.

use crate::aside::{Aside, SettingsChange};
use crate::batch::{Outcome, Submission};
use crate::code::{CloseCode, ErrorCode};
use crate::codec::Refusal;
use crate::deed::Deed;
use crate::gate::Turn;
use crate::ids::{Epoch, InviteToken, Key, Millis, RoomId, Seq, SessionId, UserId};
use crate::lanes::Lane;
use crate::limits;
use crate::marker::Mark;
use crate::own::OwnChange;
use crate::rate::{Price, Rate};
use crate::room::MemberState;
use crate::wire::{ClientFrame, Cursor, Profile, Req, ServerFrame};

/// Whom a token speaks for, as the verifier found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who.
    pub user: Profile,
    /// The session that a logout ends; foreign tokens have none.
    pub session: Option<SessionId>,
    /// How long the token is still good.
    pub expires_in_ms: u64,
    /// The server's clock when it was verified: a label.
    pub now: Millis,
}

/// What the node tells every client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The store's life.
    pub epoch: Epoch,
    /// Messages of a user.
    pub rate: Rate,
}

/// Something that happened to the connection.
#[derive(Debug)]
pub enum Input {
    /// A frame came.
    Frame(Result<ClientFrame, Refusal>),
    /// Bytes or a pong came, or reading went on after a pause of our own.
    Heard,
    /// The answer to [`Effect::Authenticate`].
    Authenticated(Result<Identity, ErrorCode>),
    /// What became of [`Effect::Submit`]: the store's answer, or a refusal that says nothing
    /// about the store.
    Committed {
        /// Which.
        req: Req,
        /// Its room.
        room: RoomId,
        /// Its key.
        key: Key,
        /// What became of it.
        result: Result<Outcome, ErrorCode>,
    },
    /// The answer to [`Effect::LookUp`]: whether the command is stored. What cannot be read says no.
    LookedUp {
        /// Its room.
        room: RoomId,
        /// Its key.
        key: Key,
        /// Whether it is stored.
        stored: bool,
    },
    /// The driver has answered [`Effect::Mark`], [`Effect::Read`], [`Effect::Aside`],
    /// [`Effect::Settings`], [`Effect::Own`] or [`Effect::Deed`].
    Replied(Req),
    /// `caught_up` is queued: the connection is live.
    CaughtUp,
    /// The outbox ran over, or the sync could not be completed: `behind` is queued.
    FellBehind,
    /// The snapshot cannot be read.
    SyncFailed,
    /// The user has as many connections as one may have.
    Crowded,
    /// The session was ended elsewhere.
    Revoked,
    /// The server stops now.
    Restart,
    /// The socket is gone.
    Ended,
    /// The server stops: come back after so long, spread over so much more.
    Draining {
        /// Not before.
        after_ms: u64,
        /// Over so much more.
        spread_ms: u64,
    },
    /// Time passed.
    Time,
}

/// Something to be done; the driver is the only match on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Verify the token; answer with [`Input::Authenticated`].
    Authenticate(String),
    /// Register with the shard: from here on events are kept (contract 3, step a).
    Register(UserId),
    /// Read the snapshot and run the plan; answer with [`Input::CaughtUp`],
    /// [`Input::FellBehind`] or [`Input::SyncFailed`].
    Snapshot(Cursor),
    /// Hand to the commit queue with the session's turn, for its gate; answer with
    /// [`Input::Committed`].
    Submit(Req, Turn, Submission),
    /// Look up whether the user's command under this key is stored; answer with
    /// [`Input::LookedUp`].
    LookUp(RoomId, Key),
    /// Hand to the commit's lower queue; reply and answer with [`Input::Replied`].
    Mark(Req, Mark),
    /// Read and reply; answer with [`Input::Replied`].
    Read(Req, Query),
    /// Let the shard queue a `pong`.
    Pong(Req, Vec<RoomId>),
    /// Ask the store what it needs, let the shard do it and reply; answer with
    /// [`Input::Replied`]. In the order of the frames.
    Aside(Req, Aside),
    /// Store the user's settings, let the shard and their other connections know, and reply; answer
    /// with [`Input::Replied`].
    Settings(Req, SettingsChange),
    /// Store the user's own state, let the shard and their connections know, and reply; answer with
    /// [`Input::Replied`].
    Own(Req, OwnChange),
    /// Have the store decide and do it, with a token drawn for it; let whom it concerns know, and
    /// reply; answer with [`Input::Replied`]. In the order of the frames.
    Deed(Req, Deed),
    /// Queue a frame.
    Send(Lane, Box<ServerFrame>),
    /// Send a protocol ping (RFC 6455, 5.5.2).
    Ping,
    /// Write out what waits, close with this code, and end.
    Close(CloseCode),
}

/// A question that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// See [`ClientFrame::After`].
    After {
        room: RoomId,
        seq: Seq,
        key: Option<Key>,
        limit: Option<u64>,
    },
    /// See [`ClientFrame::History`].
    History {
        room: RoomId,
        before: Option<Seq>,
        at_least: Option<Seq>,
        limit: Option<u64>,
    },
    /// See [`ClientFrame::Room`].
    Room { room: RoomId },
    /// See [`ClientFrame::Members`].
    Members {
        room: RoomId,
        state: MemberState,
        after: Option<UserId>,
    },
    /// See [`ClientFrame::Profiles`].
    Profiles {
        users: Vec<UserId>,
        name: Option<String>,
    },
    /// See [`ClientFrame::Directory`].
    Directory { after: Option<RoomId> },
    /// See [`ClientFrame::Receipts`].
    Receipts { room: RoomId, seq: Option<Seq> },
    /// See [`ClientFrame::Invites`].
    Invites { room: RoomId },
    /// See [`ClientFrame::Edits`].
    Edits {
        room: RoomId,
        target: Seq,
        after: Option<Seq>,
    },
    /// See [`ClientFrame::Invitation`].
    Invitation { token: InviteToken },
    /// See [`ClientFrame::Hidden`].
    Hidden { room: RoomId },
}

impl Query {
    /// What it costs beyond its place among the commands in flight. Those by which somebody could
    /// look for what is not theirs, or that read much, are paid as messages are.
    #[must_use]
    pub fn price(&self) -> Price {
        match self {
            Self::Invites { .. }
            | Self::Invitation { .. }
            | Self::Edits { .. }
            | Self::Hidden { .. } => Price::Aside(limits::LOOK_COST_THOUSANDTHS),
            Self::After { .. } | Self::Room { .. } | Self::Profiles { .. } => {
                Price::Questions(limits::QUESTION_COST)
            }
            Self::History { .. } | Self::Members { .. } | Self::Receipts { .. } => {
                Price::Questions(limits::PAGE_COST)
            }
            Self::Directory { .. } => Price::Questions(limits::DIRECTORY_COST),
        }
    }
}
