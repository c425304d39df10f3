//! What nodes ask the store, and what they find.

use std::collections::BTreeSet;

use chinwag_core::aside::{Aside, Granted, SettingsChange};
use chinwag_core::code::ErrorCode;
use chinwag_core::event::Event;
use chinwag_core::ids::{Key, Position, RoomId, Seq, UserId};
use chinwag_core::read::{Snapshot, Stretch};
use chinwag_core::receipt::{Due, Told};
use chinwag_core::room::Range;
use chinwag_core::session::Query;
use chinwag_core::view::Changes;
use chinwag_core::wire::{Cursor, Req, RoomRow, ServerFrame, Settings};

/// What a node reads, and for whom.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    /// The snapshot of connecting, for a sync of a connection.
    Snapshot(u64, u64, UserId, Cursor),
    /// A stretch of the stream of a sync.
    Stretch(u64, u64, UserId, RoomId, Range),
    /// A client's question.
    Query(u64, UserId, Req, Query),
    /// A gap of the feed.
    Fetch(RoomId, Seq),
    /// What changed since.
    Look(Position),
    /// A member's own row, for a marker that rose on this connection.
    Row(u64, UserId, RoomId),
    /// Whether a user's command is stored, for a connection whose sends wait for it.
    Key(u64, UserId, RoomId, Key),
    /// What commands beside the log need, in the order of each connection.
    Asides(Vec<(u64, UserId, Req, Aside)>),
    /// Who is to be told of markers that rose, of those who have a connection.
    Receipts(Vec<Due>, BTreeSet<UserId>),
    /// A change of settings: written at the moment of the read.
    Set(u64, UserId, Req, SettingsChange),
}

/// What a read found.
#[derive(Debug)]
pub(crate) enum Found {
    /// See [`Ask::Snapshot`].
    Snapshot(u64, u64, Option<Snapshot>),
    /// See [`Ask::Stretch`].
    Stretch(u64, u64, RoomId, Range, Option<Option<Stretch>>),
    /// See [`Ask::Query`].
    Query(u64, Req, Box<ServerFrame>),
    /// See [`Ask::Fetch`].
    Fetch(RoomId, Option<Vec<Event>>, bool),
    /// See [`Ask::Look`].
    Look(Changes),
    /// See [`Ask::Row`].
    Row(u64, UserId, Option<RoomRow>),
    /// See [`Ask::Key`].
    Key(u64, RoomId, Key, bool),
    /// See [`Ask::Asides`].
    Asides(Vec<(u64, Req, Result<Granted, ErrorCode>)>),
    /// See [`Ask::Receipts`].
    Receipts(Vec<(RoomId, Vec<Told>)>),
    /// See [`Ask::Set`].
    Set(u64, UserId, Req, Option<Settings>),
}

/// What a read found, on its way to the node.
#[derive(Debug)]
pub(crate) struct ReadAnswer {
    /// What.
    pub(crate) found: Found,
}
