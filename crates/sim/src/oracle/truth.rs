//! Who was in which room when, and what they may see: by naive counting over the journal.

use std::collections::BTreeMap;

use chinwag_core::event::{Body, Event, Turn};
use chinwag_core::ids::{Position, RoomId, Seq, UserId};
use chinwag_core::room::HistoryFrom;

use crate::store::Entry;

/// What somebody has to know of a room.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    /// The last seq that they may see.
    pub(super) head: Seq,
    /// They are out; their last stay began here.
    pub(super) out_since: Option<Seq>,
}

#[derive(Debug, Clone, Copy)]
struct Stay {
    from: Seq,
    to: Option<(Position, Seq)>,
    began: Position,
}

#[derive(Debug, Default)]
struct RoomTruth {
    heads: Vec<(Position, Seq)>,
    stays: BTreeMap<UserId, Vec<Stay>>,
    from_beginning: bool,
}

/// The journal, counted up.
#[derive(Debug, Default)]
pub(super) struct Standing {
    read: usize,
    rooms: BTreeMap<RoomId, RoomTruth>,
}

impl Standing {
    /// Takes in what is new in the journal.
    pub(super) fn read(&mut self, journal: &[Entry]) {
        for entry in &journal[self.read..] {
            self.take(entry.position, &entry.event);
        }
        self.read = journal.len();
    }

    fn take(&mut self, position: Position, event: &Event) {
        let room = self.rooms.entry(event.room).or_default();
        room.heads.push((position, event.seq));
        if let Body::Room(body) = &event.body {
            room.from_beginning = body.history == HistoryFrom::Beginning;
        }
        event.turns(|turn| match turn {
            Turn::In(user) => room.stays.entry(user).or_default().push(Stay {
                from: event.seq,
                to: None,
                began: position,
            }),
            Turn::Out(user) => {
                // Whoever is out already, and is banned or let back, stays out.
                if let Some(stay) = room.stays.entry(user).or_default().last_mut() {
                    stay.to.get_or_insert((position, event.seq));
                }
            }
        });
    }

    /// What `user` has to know once they are told `position`.
    pub(super) fn must_know(
        &self,
        user: UserId,
        position: Position,
    ) -> impl Iterator<Item = (RoomId, Known)> {
        self.rooms.iter().filter_map(move |(id, room)| {
            let stays = room.stays.get(&user)?;
            let stay = stays.iter().rfind(|stay| stay.began <= position)?;
            let out = stay.to.filter(|(at, _seq)| *at <= position);
            if let Some((_at, seq)) = out {
                let out_since = Some(stay.from);
                let head = seq;
                return Some((*id, Known { head, out_since }));
            }
            let after = room.heads.partition_point(|(at, _seq)| *at <= position);
            let (_at, head) = room.heads.get(after.checked_sub(1)?)?;
            let known = Known {
                head: *head,
                out_since: None,
            };
            Some((*id, known))
        })
    }

    /// Whether `user` may see an event: within a stay, or before it where the room shows that.
    pub(super) fn may_see(&self, user: UserId, room: RoomId, seq: Seq) -> bool {
        let Some(truth) = self.rooms.get(&room) else {
            return false;
        };
        let mut stays = truth.stays.get(&user).into_iter().flatten();
        stays.any(|stay| {
            let begun = truth.from_beginning || stay.from <= seq;
            begun && stay.to.is_none_or(|(_at, to)| seq <= to)
        })
    }

    /// Whether `user` was in at an event, the joining and the leaving one included.
    pub(super) fn was_in(&self, user: UserId, room: RoomId, seq: Seq) -> bool {
        let truth = self.rooms.get(&room);
        let mut stays = truth
            .and_then(|truth| truth.stays.get(&user))
            .into_iter()
            .flatten();
        stays.any(|stay| stay.from <= seq && stay.to.is_none_or(|(_at, to)| seq <= to))
    }

    /// The last seq of a room so far.
    pub(super) fn head(&self, room: RoomId) -> Seq {
        let heads = self.rooms.get(&room).and_then(|room| room.heads.last());
        heads.map_or(Seq::ZERO, |(_at, head)| *head)
    }

    /// Whether `user` came in after `after`, and at `until` at the latest.
    pub(super) fn came_in(&self, user: UserId, room: RoomId, after: Seq, until: Seq) -> bool {
        let stays = self.rooms.get(&room).and_then(|r| r.stays.get(&user));
        let mut stays = stays.into_iter().flatten();
        stays.any(|stay| stay.from > after && stay.from <= until)
    }

    /// Where the last stay of `user` began, and the head, if they are in.
    pub(super) fn joined(&self, user: UserId, room: RoomId) -> Option<Seq> {
        let stays = self.rooms.get(&room)?.stays.get(&user)?;
        let last = stays.last()?;
        last.to.is_none().then_some(last.from)
    }

    /// All rooms with everybody who was ever in.
    pub(super) fn people(&self) -> Vec<(RoomId, Vec<UserId>)> {
        let rooms = self.rooms.iter();
        rooms
            .map(|(id, room)| (*id, room.stays.keys().copied().collect()))
            .collect()
    }
}
