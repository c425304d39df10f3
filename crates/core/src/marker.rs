//! Markers: how far somebody has received and read. They only rise (design, decision 6).

use crate::ids::{Millis, RoomId, Seq, UserId};
use crate::limits;
use crate::room::{Member, Range, Room};
use crate::trail::Trail;

/// A wish to raise markers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Whose.
    pub user: UserId,
    /// Where.
    pub room: RoomId,
    /// The gap-free prefix that a device has.
    pub delivered: Seq,
    /// What has been read.
    pub read: Seq,
}

/// Markers as they stand after a [`Mark`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marked {
    /// What a device has.
    pub delivered: Seq,
    /// What has been read.
    pub read: Seq,
    /// What a device had before.
    pub was_delivered: Seq,
    /// What had been read before.
    pub was_read: Seq,
    /// Whether those who wrote may be told: it rose, by somebody who is in, in a room that is
    /// small enough.
    pub told: bool,
}

impl Marked {
    /// Whether either rose.
    #[must_use]
    pub fn rose(&self) -> bool {
        (self.delivered, self.read) != (self.was_delivered, self.was_read)
    }
}

/// The last seq of a room that somebody may see: the head, or where they went.
#[must_use]
pub fn visible_head(room: &Room, member: &Member) -> Seq {
    if member.is_in() {
        return room.head;
    }
    member
        .stays
        .last()
        .and_then(|stay| stay.to)
        .unwrap_or(Seq::ZERO)
}

/// Raises `member`'s markers: max wins, read implies delivered, both are clamped to what there
/// is (contract 6).
pub fn raise(room: &Room, member: &mut Member, mark: &Mark) -> Marked {
    let head = visible_head(room, member);
    let read = member.read.max(mark.read.min(head));
    let delivered = member.delivered.max(mark.delivered.min(head)).max(read);
    let is_small = room.members as usize <= limits::RECEIPT_MEMBERS_MAX;
    let rose = read > member.read || delivered > member.delivered;
    let marked = Marked {
        delivered,
        read,
        was_delivered: member.delivered,
        was_read: member.read,
        told: rose && is_small && member.is_in(),
    };
    member.read = read;
    member.delivered = delivered;
    marked
}

/// When somebody's markers came where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trails {
    /// Their delivered marker.
    pub delivered: Trail,
    /// Their read marker.
    pub read: Trail,
}

impl Trails {
    /// Takes a rise in; whether there was one to keep. Rooms without receipts keep none.
    pub fn step(&mut self, marked: &Marked, at: Millis) -> bool {
        if marked.told {
            self.delivered.step(marked.delivered, at);
            self.read.step(marked.read, at);
        }
        marked.told
    }
}

/// The seqs in which messages by others are unread: above the read marker and the joining.
#[must_use]
pub fn unread_range(room: &Room, member: &Member) -> Option<Range> {
    if !member.is_in() {
        return None;
    }
    Range::new(member.read.max(member.since()).next(), room.head)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::room::{HistoryFrom, MemberState, Role, RoomKind};

    const USER: UserId = UserId([1; 16]);

    fn room(head: u64) -> Room {
        Room {
            id: RoomId([1; 16]),
            kind: RoomKind::Group,
            name: None,
            topic: None,
            history: HistoryFrom::Joining,
            head: Seq(head),
            msg_no: head,
            floor: Seq(1),
            members: 1,
            owners: 1,
            pins: Vec::new(),
            avatar: None,
            created: Millis(0),
        }
    }

    fn mark(delivered: u64, read: u64) -> Mark {
        Mark {
            user: USER,
            room: RoomId([1; 16]),
            delivered: Seq(delivered),
            read: Seq(read),
        }
    }

    proptest! {
        /// Whatever is asked, in whatever order: markers rise, stay below the head, and read
        /// implies delivered.
        #[test]
        fn markers_only_rise(asked in prop::collection::vec((0u64..40, 0u64..40), 0..20)) {
            let room = room(25);
            let mut member = Member::joining(USER, Role::Member, Seq(3));
            for (delivered, read) in asked {
                let before = (member.delivered, member.read);
                let marked = raise(&room, &mut member, &mark(delivered, read));
                prop_assert!(member.delivered >= before.0 && member.read >= before.1);
                prop_assert!(member.read <= member.delivered && member.delivered <= Seq(25));
                prop_assert_eq!(marked.rose(), before != (member.delivered, member.read));
            }
        }
    }

    #[test]
    fn unread_begins_after_reading_and_joining() {
        let room = room(9);
        let mut member = Member::joining(USER, Role::Member, Seq(3));
        assert_eq!(unread_range(&room, &member), Range::new(Seq(4), Seq(9)));
        raise(&room, &mut member, &mark(0, 6));
        assert_eq!(unread_range(&room, &member), Range::new(Seq(7), Seq(9)));
        raise(&room, &mut member, &mark(0, 99));
        assert_eq!(unread_range(&room, &member), None);
        member.go(MemberState::Removed, Seq(9));
        assert_eq!(unread_range(&room, &member), None);
    }
}
