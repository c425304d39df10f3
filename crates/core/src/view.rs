//! What one transaction or read snapshot of a store can look up.
//!
//! `batch` decides over it while writing, `read` assembles answers over it while reading. Each
//! store implements these few look-ups; that is why all stores answer identically.

use std::collections::BTreeMap;

use crate::aside::Seen;
use crate::batch::Ack;
use crate::estate::Estate;
use crate::event::Event;
use crate::ids::{AvatarId, Epoch, Key, Position, RoomId, Seq, UserId};
use crate::invite::{Invitation, InviteHash};
use crate::rate::Rate;
use crate::receipt::Stand;
use crate::room::{Listed, Member, MemberState, Range, Room};
use crate::wire::{Blocks, DirectoryRow, Profile, Settings};

/// How often a message has been changed, by what changed it (`Body::alters`).
pub type Alterations = BTreeMap<String, u64>;

/// Look-ups inside one transaction or snapshot; all answers belong to the same moment.
pub trait View {
    /// Why a look-up failed: damage, or the disk.
    type Error;

    /// The store's life.
    fn epoch(&self) -> Result<Epoch, Self::Error>;

    /// How far this moment is.
    fn position(&self) -> Result<Position, Self::Error>;

    /// The command stored under this key, by its hash, with its first ack.
    fn replay(
        &self,
        key: Key,
        from: UserId,
        room: RoomId,
    ) -> Result<Option<(u64, Ack)>, Self::Error>;

    /// A room.
    fn room(&self, room: RoomId) -> Result<Option<Room>, Self::Error>;

    /// Somebody's row in a room, also if they are no longer in.
    fn member(&self, room: RoomId, user: UserId) -> Result<Option<Member>, Self::Error>;

    /// A user's public face.
    fn profile(&self, user: UserId) -> Result<Option<Profile>, Self::Error>;

    /// The user of this name, compared by its unique form.
    fn named(&self, name: &str) -> Result<Option<Profile>, Self::Error>;

    /// In how many rooms a user is.
    fn rooms_in(&self, user: UserId) -> Result<usize, Self::Error>;

    /// The rooms that a user is in, by id, each with its head.
    fn heads(&self, user: UserId) -> Result<Vec<(RoomId, Seq)>, Self::Error>;

    /// The rooms of a user, by id, in which the log or the user's own row changed after `since`.
    /// With no `since`: all that the user is in, or asked into.
    fn changed(&self, user: UserId, since: Option<Position>) -> Result<Vec<RoomId>, Self::Error>;

    /// One event.
    fn event(&self, room: RoomId, seq: Seq) -> Result<Option<Event>, Self::Error>;

    /// The first `limit` events of a range, in order.
    fn events(&self, room: RoomId, range: Range, limit: usize) -> Result<Vec<Event>, Self::Error>;

    /// The last `limit` events of a range that have a line of their own, in order.
    fn lines(&self, room: RoomId, range: Range, limit: usize) -> Result<Vec<Event>, Self::Error>;

    /// All events whose target lies in a range, in order.
    fn about(&self, room: RoomId, range: Range) -> Result<Vec<Event>, Self::Error>;

    /// The last message of a room, also if it was redacted; none if there was none.
    fn last_message(&self, room: RoomId) -> Result<Option<Seq>, Self::Error>;

    /// The targets of the redactions in a range.
    fn redacted(&self, room: RoomId, range: Range) -> Result<Vec<Seq>, Self::Error>;

    /// Messages of a range by others than `user`, and by nobody whom they have blocked, that are not
    /// redacted, counted to `limit`.
    fn countable(
        &self,
        room: RoomId,
        user: UserId,
        range: Range,
        limit: u64,
    ) -> Result<u64, Self::Error>;

    /// How often a message has been changed; nothing of one that was redacted.
    fn alterations(&self, room: RoomId, target: Seq) -> Result<Alterations, Self::Error>;

    /// Those of them that mention `user` or the whole room, counted to `limit`.
    fn mentioned(
        &self,
        room: RoomId,
        user: UserId,
        range: Range,
        limit: u64,
    ) -> Result<u64, Self::Error>;

    /// The first `limit` people after `after` who stand so in a room, by id.
    fn members(
        &self,
        room: RoomId,
        state: MemberState,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<Listed>, Self::Error>;

    /// The first `limit` public rooms after `after`, by id.
    fn directory(
        &self,
        after: Option<RoomId>,
        limit: usize,
    ) -> Result<Vec<DirectoryRow>, Self::Error>;

    /// What changed after `since`, for nodes that have heard of it from nobody.
    fn changes(&self, since: Position) -> Result<Changes, Self::Error>;

    /// What somebody shows of themselves.
    fn settings(&self, user: UserId) -> Result<Settings, Self::Error>;

    /// The first `limit` people in a room after `after`, by id, with when they were there last.
    fn people(
        &self,
        room: RoomId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<Seen>, Self::Error>;

    /// How everybody who is in a room stands, by id; at most [`crate::limits::RECEIPT_MEMBERS_MAX`].
    fn standing(&self, room: RoomId) -> Result<Vec<Stand>, Self::Error>;

    /// Whom somebody has blocked, by id, and when that changed last; zero: never.
    fn blocks(&self, user: UserId) -> Result<(Blocks, Position), Self::Error>;

    /// Whether one of the two has blocked the other.
    fn is_wall_between(&self, one: UserId, other: UserId) -> Result<bool, Self::Error>;

    /// Whether `user` and another member of a room are kept apart so. For direct rooms: it looks
    /// at every member.
    fn is_walled(&self, room: RoomId, user: UserId) -> Result<bool, Self::Error>;

    /// Into how many rooms a user is asked by name.
    fn invited_to(&self, user: UserId) -> Result<usize, Self::Error>;

    /// An invitation that is kept, also if it is too old.
    fn invitation(&self, hash: InviteHash) -> Result<Option<Invitation>, Self::Error>;

    /// Whether there is this picture, used or not.
    fn has_avatar(&self, avatar: AvatarId) -> Result<bool, Self::Error>;

    /// In which moment what others see of a user changed last; zero: never, or nobody knows them.
    fn profile_changed(&self, user: UserId) -> Result<Position, Self::Error>;

    /// The messages of a range that a user has hidden from themselves, by seq; at most
    /// [`crate::limits::HIDDEN_MAX`], those they may not see any more included.
    fn hidden(&self, room: RoomId, user: UserId, range: Range) -> Result<Vec<Seq>, Self::Error>;

    /// The rates that administrators have set, by user.
    fn rates(&self) -> Result<Vec<(UserId, Rate)>, Self::Error>;

    /// All invitations to a room that are kept, by hash.
    fn invitations(&self, room: RoomId) -> Result<Vec<Invitation>, Self::Error>;

    /// What else is known of one person, at the same moment.
    fn estate(&self) -> &dyn Estate<Error = Self::Error>;
}

/// What happened since a position, for a node's own check.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// How far this answer is.
    pub position: Position,
    /// Rooms whose log grew, with their heads.
    pub rooms: Vec<(RoomId, Seq)>,
    /// Memberships whose row changed and who are in: user, room, and the event that let them in.
    pub joined: Vec<(UserId, RoomId, Seq)>,
}
