//! The order of one connection's sends to one room (contract 1).
//!
//! After a retryable refusal the later ones are refused with `retry_in_order` until the refused
//! key comes again. The session has a [`Line`]: it knows every key that was refused and lets them
//! pass again only in the order in which they were sent. The commit queue has a [`Gate`] for what
//! was under way to it when a command was refused there.

use std::collections::{BTreeMap, VecDeque};

use crate::ids::{Key, RoomId};
use crate::limits;

/// What the session had let pass before it heard of a refusal in the commit, by scope.
#[derive(Debug)]
pub struct Gate<S> {
    refused: BTreeMap<S, u64>,
}

impl<S> Default for Gate<S> {
    fn default() -> Self {
        Self {
            refused: BTreeMap::new(),
        }
    }
}

impl<S: Ord> Gate<S> {
    /// Whether a command of this turn of its session may pass: not one that the session let pass
    /// before it heard of the refusal, however long it was under way.
    #[must_use]
    pub fn admits(&self, scope: &S, turn: u64) -> bool {
        self.refused
            .get(scope)
            .is_none_or(|refused| turn > *refused)
    }

    /// A command of this turn was refused for now.
    pub fn refuse(&mut self, scope: S, turn: u64) {
        let refused = self.refused.entry(scope).or_insert(turn);
        *refused = turn.max(*refused);
    }

    /// Forgets the scopes for which `keep` says no.
    pub fn retain(&mut self, mut keep: impl FnMut(&S) -> bool) {
        self.refused.retain(|scope, _turn| keep(scope));
    }
}

/// The refused keys of one connection, by room, in the order in which they must come again.
#[derive(Debug, Default)]
pub struct Line {
    rooms: BTreeMap<RoomId, Refused>,
    /// Keys in all rooms.
    length: usize,
    /// Keys that had their final answer lately: whatever becomes of another attempt under one of
    /// them, the client has no reason to send it again, and nobody must wait for it.
    settled: VecDeque<Key>,
}

#[derive(Debug, Default)]
struct Refused {
    keys: VecDeque<Key>,
    /// So many at the front had passed and were refused behind: they were sent before the others.
    recalled: usize,
}

impl Line {
    /// Whether `key` is next in `room`, or nothing waits there.
    #[must_use]
    pub fn is_next(&self, room: RoomId, key: Key) -> bool {
        let refused = self.rooms.get(&room);
        refused.is_none_or(|refused| refused.keys.front() == Some(&key))
    }

    /// Whether anything waits in `room`.
    #[must_use]
    pub fn waits(&self, room: RoomId) -> bool {
        self.rooms.contains_key(&room)
    }

    /// `key` passes: the one after it is next.
    pub fn pass(&mut self, room: RoomId, key: Key) {
        if self.is_next(room, key) {
            self.remove(room, key);
        }
    }

    /// `key` was refused for now and must come again, after all that were refused before. Beyond
    /// [`limits::REFUSED_KEYS_MAX`] nobody waits for it: only those before it keep their order.
    pub fn refuse(&mut self, room: RoomId, key: Key) {
        if self.knows(room, key) {
            return;
        }
        self.rooms.entry(room).or_default().keys.push_back(key);
        self.length += 1;
    }

    /// `key` had passed and was refused behind: it comes before all that were refused here.
    pub fn recall(&mut self, room: RoomId, key: Key) {
        self.remove(room, key);
        if self.knows(room, key) {
            return;
        }
        let refused = self.rooms.entry(room).or_default();
        refused.keys.insert(refused.recalled, key);
        refused.recalled += 1;
        self.length += 1;
    }

    /// `key` has its final answer: nobody waits for it.
    pub fn settle(&mut self, room: RoomId, key: Key) {
        self.remove(room, key);
        if self.settled.len() >= limits::IN_FLIGHT_MAX {
            self.settled.pop_front();
        }
        self.settled.push_back(key);
    }

    /// Whether `key` needs no place: it has one, has its answer, or there are no more.
    fn knows(&self, room: RoomId, key: Key) -> bool {
        let refused = self.rooms.get(&room);
        self.length >= limits::REFUSED_KEYS_MAX
            || self.settled.contains(&key)
            || refused.is_some_and(|refused| refused.keys.contains(&key))
    }

    fn remove(&mut self, room: RoomId, key: Key) {
        let Some(refused) = self.rooms.get_mut(&room) else {
            return;
        };
        let Some(at) = refused.keys.iter().position(|other| *other == key) else {
            return;
        };
        refused.keys.remove(at);
        refused.recalled -= usize::from(at < refused.recalled);
        self.length -= 1;
        if refused.keys.is_empty() {
            self.rooms.remove(&room);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_refuses_what_was_under_way() {
        let mut gate = Gate::default();
        assert!(gate.admits(&"room", 0));
        gate.refuse("room", 3);
        gate.refuse("room", 2);
        assert!(!gate.admits(&"room", 3), "it followed the refused one");
        assert!(gate.admits(&"room", 4), "its session knew of the refusal");
        assert!(gate.admits(&"other", 3));
        gate.retain(|scope| *scope != "room");
        assert!(gate.admits(&"room", 3));
    }

    const ROOM: RoomId = RoomId([7; 16]);
    const KEYS: [Key; 4] = [Key([1; 16]), Key([2; 16]), Key([3; 16]), Key([4; 16])];

    /// Asserts that the keys may pass in this order, and that none may come before its turn.
    fn check(mut line: Line, order: &[Key]) {
        for (at, key) in order.iter().enumerate() {
            for later in &order[at + 1..] {
                assert!(!line.is_next(ROOM, *later), "{later} before {key}");
            }
            assert!(line.is_next(ROOM, *key), "{key} is next");
            line.pass(ROOM, *key);
        }
        assert!(line.is_next(ROOM, Key([9; 16])), "nothing waits any more");
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
    fn what_was_refused_behind_comes_before_what_was_refused_here() {
        // 1 and 2 have passed, 3 is refused here; then 1 is refused behind, and 2 in its wake.
        let mut line = Line::default();
        line.refuse(ROOM, KEYS[2]);
        line.recall(ROOM, KEYS[0]);
        line.recall(ROOM, KEYS[1]);
        line.refuse(ROOM, KEYS[3]);
        check(line, &KEYS);
    }

    #[test]
    fn nobody_waits_for_a_key_that_has_its_answer() {
        let mut line = Line::default();
        line.refuse(ROOM, KEYS[0]);
        line.refuse(ROOM, KEYS[1]);
        line.settle(ROOM, KEYS[0]);
        // Another attempt under it, refused late.
        line.refuse(ROOM, KEYS[0]);
        line.recall(ROOM, KEYS[0]);
        check(line, &KEYS[1..2]);
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
    }
}
