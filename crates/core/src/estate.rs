//! What a store can say of one person beyond what their rooms need: for exporting and erasing it.
//!
//! Apart from [`View`](crate::view::View), which answers commands and reads: these look-ups are few
//! and rare, and none of them stands in the way of a message. Lifetime: a snapshot or transaction.

use crate::erasure::Erasure;
use crate::event::Event;
use crate::ids::{Millis, RoomId, UserId};
use crate::invite::Invitation;
use crate::marker::Trails;
use crate::room::Range;

/// Look-ups about one person; all answers belong to the same moment.
pub trait Estate {
    /// Why a look-up failed: damage, or the disk.
    type Error;

    /// The first `limit` rooms after `after`, by id, in which a user has a row: is in, was in, or
    /// was asked into.
    fn ever_in(
        &self,
        user: UserId,
        after: Option<RoomId>,
        limit: usize,
    ) -> Result<Vec<RoomId>, Self::Error>;

    /// The first `limit` events of a range that a user wrote, in order. Looks at every event of
    /// the range: the caller keeps it short.
    fn by(
        &self,
        room: RoomId,
        user: UserId,
        range: Range,
        limit: usize,
    ) -> Result<Vec<Event>, Self::Error>;

    /// Who looks after a room when `user`, its last owner, goes: of the others who are in, the one
    /// of the highest role, and of these the one who came in first. Those whose own account is
    /// closed come last.
    fn heir(&self, room: RoomId, user: UserId) -> Result<Option<UserId>, Self::Error>;

    /// The first `limit` erasures that are not finished, in the order in which they were asked for.
    fn erasures(&self, limit: usize) -> Result<Vec<Erasure>, Self::Error>;

    /// All invitations that are kept and were made by a user, by hash.
    fn invitations_by(&self, user: UserId) -> Result<Vec<Invitation>, Self::Error>;

    /// When a user's markers came where in a room, as far as that is known.
    fn trails(&self, room: RoomId, user: UserId) -> Result<Trails, Self::Error>;

    /// When a user went offline last, to the minute.
    fn last_seen(&self, user: UserId) -> Result<Option<Millis>, Self::Error>;
}
