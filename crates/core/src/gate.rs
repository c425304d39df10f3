//! The order of one connection's sends to one room (contract 1).
//!
//! After a retryable refusal the later ones are refused with `retry_in_order` until the refused
//! key comes again. The session has a [`Line`]: it knows every key that was refused and lets them
//! pass again only in the order in which they were sent. The commit queue has a [`Gate`] for what
//! was under way to it when a command was refused there.

use std::collections::{BTreeMap, VecDeque};

use crate::ids::{Key, RoomId};
use crate::limits;

/// How often a session had heard of refusals when it let a command pass. Commands of one turn
/// follow each other; those of a later turn know of every refusal of the earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Turn(u64);

impl Turn {
    /// The one after.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The latest turn of which something was refused in the commit queue, by scope.
#[derive(Debug)]
pub struct Gate<S> {
    refused: BTreeMap<S, Turn>,
}

impl<S> Default for Gate<S> {
    fn default() -> Self {
        Self {
            refused: BTreeMap::new(),
        }
    }
}

impl<S: Ord> Gate<S> {
    /// Whether a command of this turn may pass: not one that its session let pass before it heard
    /// of a refusal, however long it was under way.
    #[must_use]
    pub fn admits(&self, scope: &S, turn: Turn) -> bool {
        let refused = self.refused.get(scope);
        refused.is_none_or(|refused| turn > *refused)
    }

    /// A command of this turn was refused for now.
    pub fn refuse(&mut self, scope: S, turn: Turn) {
        let refused = self.refused.entry(scope).or_insert(turn);
        *refused = turn.max(*refused);
    }

    /// Forgets the scopes for which `keep` says no.
    pub fn retain(&mut self, mut keep: impl FnMut(&S) -> bool) {
        self.refused.retain(|scope, _turn| keep(scope));
    }
}

/// The refused keys of one connection, by room, in the order in which they were sent first.
#[derive(Debug, Default)]
pub struct Line {
    rooms: BTreeMap<RoomId, BTreeMap<Place, Key>>,
    /// Keys in all rooms.
    length: usize,
    next: Place,
    /// Keys that had their final answer lately: were another attempt under one of them refused for
    /// now, the client would have no reason to send it again, and nobody must wait for it.
    settled: VecDeque<Key>,
}

/// When a command came first: the smaller, the earlier. It keeps this place however often it is
/// refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place(u64);

impl Line {
    /// Who must come again before anybody else in `room`.
    #[must_use]
    pub fn first(&self, room: RoomId) -> Option<Key> {
        self.rooms.get(&room)?.values().next().copied()
    }

    /// `key` passes, in its place.
    pub fn pass(&mut self, room: RoomId, key: Key) -> Place {
        let place = self.remove(room, key);
        place.unwrap_or_else(|| self.another_place())
    }

    /// `key` was refused for now, and must come again after all that came before.
    pub fn refuse(&mut self, room: RoomId, key: Key) {
        if self.place(room, key).is_none() {
            let place = self.another_place();
            self.recall(room, key, place);
        }
    }

    /// `key` had passed and was refused behind: it must come again, in its place. Beyond
    /// [`limits::REFUSED_KEYS_MAX`] nobody waits for it: only those before it keep their order.
    pub fn recall(&mut self, room: RoomId, key: Key, place: Place) {
        self.remove(room, key);
        if self.length < limits::REFUSED_KEYS_MAX && !self.settled.contains(&key) {
            self.rooms.entry(room).or_default().insert(place, key);
            self.length += 1;
        }
    }

    /// `key` has its final answer: nobody waits for it.
    pub fn settle(&mut self, room: RoomId, key: Key) {
        self.remove(room, key);
        if self.settled.len() >= limits::IN_FLIGHT_MAX {
            self.settled.pop_front();
        }
        self.settled.push_back(key);
    }

    fn another_place(&mut self) -> Place {
        self.next.0 += 1;
        self.next
    }

    fn place(&self, room: RoomId, key: Key) -> Option<Place> {
        let mut refused = self.rooms.get(&room)?.iter();
        let found = refused.find(|(_place, other)| **other == key);
        found.map(|(place, _key)| *place)
    }

    fn remove(&mut self, room: RoomId, key: Key) -> Option<Place> {
        let place = self.place(room, key)?;
        let refused = self.rooms.get_mut(&room)?;
        refused.remove(&place);
        self.length -= 1;
        if refused.is_empty() {
            self.rooms.remove(&room);
        }
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_refuses_what_was_under_way() {
        let mut gate = Gate::default();
        assert!(gate.admits(&"room", Turn(0)));
        gate.refuse("room", Turn(3));
        gate.refuse("room", Turn(2));
        assert!(
            !gate.admits(&"room", Turn(3)),
            "it followed the refused one"
        );
        assert!(gate.admits(&"room", Turn(3).next()), "its session knew");
        assert!(gate.admits(&"other", Turn(3)));
        gate.retain(|scope| *scope != "room");
        assert!(gate.admits(&"room", Turn(3)));
    }

    const ROOM: RoomId = RoomId([7; 16]);
    const KEYS: [Key; 4] = [Key([1; 16]), Key([2; 16]), Key([3; 16]), Key([4; 16])];

    /// Asserts that these keys, and no others, must come again, in this order.
    fn check(mut line: Line, order: &[Key]) {
        for key in order {
            assert_eq!(line.first(ROOM), Some(*key));
            line.pass(ROOM, *key);
        }
        assert_eq!(line.first(ROOM), None);
        assert_eq!(line.length, 0);
    }

    #[test]
    fn refused_keys_come_again_in_their_order() {
        let mut line = Line::default();
        for key in KEYS {
            line.refuse(ROOM, key);
            line.refuse(ROOM, key);
        }
        check(line, &KEYS);
    }

    #[test]
    fn what_was_refused_behind_keeps_its_place() {
        // 1 and 2 have passed, 3 is refused here; then 1 is refused behind, and 2 in its wake.
        let mut line = Line::default();
        let [first, second] = [0, 1].map(|at| line.pass(ROOM, KEYS[at]));
        line.refuse(ROOM, KEYS[2]);
        line.recall(ROOM, KEYS[0], first);
        line.recall(ROOM, KEYS[1], second);
        line.refuse(ROOM, KEYS[3]);
        // 1 comes again, and is refused once more.
        let again = line.pass(ROOM, KEYS[0]);
        line.recall(ROOM, KEYS[0], again);
        check(line, &KEYS);
    }

    #[test]
    fn nobody_waits_for_a_key_that_has_its_answer() {
        let mut line = Line::default();
        let place = line.pass(ROOM, KEYS[0]);
        line.refuse(ROOM, KEYS[1]);
        line.refuse(ROOM, KEYS[2]);
        line.settle(ROOM, KEYS[0]);
        line.settle(ROOM, KEYS[1]);
        // Other attempts under them, refused late.
        line.refuse(ROOM, KEYS[0]);
        line.recall(ROOM, KEYS[0], place);
        line.refuse(ROOM, KEYS[1]);
        check(line, &KEYS[2..3]);
    }

    #[test]
    fn the_line_is_bounded() {
        let mut line = Line::default();
        for number in 0..2 * limits::REFUSED_KEYS_MAX {
            let mut room = [0; 16];
            room[..8].copy_from_slice(&number.to_be_bytes());
            line.refuse(RoomId(room), KEYS[0]);
        }
        assert_eq!(line.length, limits::REFUSED_KEYS_MAX);
        for number in 0..2 * limits::IN_FLIGHT_MAX {
            let mut key = [0; 16];
            key[..8].copy_from_slice(&number.to_be_bytes());
            line.settle(ROOM, Key(key));
        }
        assert_eq!(line.settled.len(), limits::IN_FLIGHT_MAX);
    }
}
