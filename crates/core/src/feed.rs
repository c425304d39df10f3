//! The feed: one order for everybody (contract 1).
//!
//! Every committed event, from this node too, is offered here. What comes next is released; what
//! is older is dropped; a gap is held, waits a moment for the bus, and is then read from the
//! store, once at a time. A room is tracked while somebody here is in it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::event::{Event, Shared};
use crate::ids::{RoomId, Seq, Tick};
use crate::limits;

/// What the feed wants done.
#[derive(Debug, Default)]
pub struct Flow {
    /// Events in order, to be delivered now.
    pub released: VecDeque<Arc<Shared>>,
    /// Rooms whose log is to be read after this seq; answered by [`Feed::fetched`].
    pub fetch: Vec<(RoomId, Seq)>,
}

#[derive(Debug)]
struct Track {
    next: Seq,
    held: BTreeMap<Seq, Arc<Shared>>,
    /// The log is known to reach at least to here.
    reach: Seq,
    /// Somebody asked whether there is more than we know of.
    check: bool,
    fetching: bool,
    due: Option<Tick>,
}

/// The order of all rooms that somebody here is in.
#[derive(Debug, Default)]
pub struct Feed {
    rooms: BTreeMap<RoomId, Track>,
    /// Rooms with a `due` time.
    waiting: BTreeSet<RoomId>,
    /// Events of untracked rooms, kept while somebody connects: their rooms may follow.
    stash: VecDeque<Arc<Shared>>,
    stash_lost: bool,
    keeping: bool,
}

impl Feed {
    /// Whether events of untracked rooms are kept: while somebody connects.
    pub fn keep(&mut self, keep: bool) {
        self.keeping = keep;
        if !keep {
            self.stash.clear();
            self.stash_lost = false;
        }
    }

    /// Follows `room` from `head` on, if it does not yet; in any case up to `head` at least.
    pub fn track(&mut self, room: RoomId, head: Seq, now: Tick, flow: &mut Flow) {
        if self.rooms.contains_key(&room) {
            self.reach(room, head, now);
            return;
        }
        let track = Track {
            next: head.next(),
            held: BTreeMap::new(),
            reach: head,
            check: false,
            fetching: false,
            due: None,
        };
        self.rooms.insert(room, track);
        let kept: Vec<Arc<Shared>> = self
            .stash
            .iter()
            .filter(|kept| kept.event.room == room)
            .cloned()
            .collect();
        for event in kept {
            self.offer(event, now, flow);
        }
        if self.stash_lost {
            self.check(room, now, flow);
        }
    }

    /// The first event of an untracked room that is kept.
    #[must_use]
    pub fn kept_from(&self, room: RoomId) -> Option<Seq> {
        let kept = self.stash.iter().filter(|kept| kept.event.room == room);
        kept.map(|kept| kept.event.seq).min()
    }

    /// Stops following `room`.
    pub fn untrack(&mut self, room: RoomId) {
        self.rooms.remove(&room);
        self.waiting.remove(&room);
    }

    /// The last seq released of `room`, if it is tracked.
    #[must_use]
    pub fn released(&self, room: RoomId) -> Option<Seq> {
        self.rooms.get(&room).map(|track| track.next.before())
    }

    /// How many rooms are tracked.
    #[must_use]
    pub fn tracked(&self) -> usize {
        self.rooms.len()
    }

    /// Takes in a committed event from wherever it comes.
    pub fn offer(&mut self, event: Arc<Shared>, now: Tick, flow: &mut Flow) {
        let (room, seq) = (event.event.room, event.event.seq);
        let Some(track) = self.rooms.get_mut(&room) else {
            self.stash(event);
            return;
        };
        if seq < track.next {
            return;
        }
        track.reach = track.reach.max(seq);
        if seq > track.next {
            if track.held.len() < limits::HELD_EVENTS_MAX {
                track.held.insert(seq, event);
            }
            self.wait(room, now.plus(limits::GAP_WAIT_MS));
            return;
        }
        track.next = seq.next();
        flow.released.push_back(event);
        self.drain(room, flow);
    }

    fn stash(&mut self, event: Arc<Shared>) {
        if !self.keeping {
            return;
        }
        if self.stash.len() >= limits::STASH_EVENTS_MAX {
            self.stash.pop_front();
            self.stash_lost = true;
        }
        self.stash.push_back(event);
    }

    /// Releases what was held and comes next.
    fn drain(&mut self, room: RoomId, flow: &mut Flow) {
        let Some(track) = self.rooms.get_mut(&room) else {
            return;
        };
        while let Some(event) = track.held.remove(&track.next) {
            track.next = track.next.next();
            flow.released.push_back(event);
        }
        let next = track.next;
        track.held.retain(|seq, _event| *seq >= next);
        if track.reach < track.next && !track.check {
            track.due = None;
            self.waiting.remove(&room);
        }
    }

    /// The log of `room` reaches to `head` at least: what is missing is read soon.
    pub fn reach(&mut self, room: RoomId, head: Seq, now: Tick) {
        let Some(track) = self.rooms.get_mut(&room) else {
            return;
        };
        track.reach = track.reach.max(head);
        if track.reach >= track.next {
            self.wait(room, now.plus(limits::GAP_WAIT_MS));
        }
    }

    /// Reads at once whether `room` has more than we know of: after a commit of unknown outcome
    /// and after a replay (contract 2).
    pub fn check(&mut self, room: RoomId, now: Tick, flow: &mut Flow) {
        let Some(track) = self.rooms.get_mut(&room) else {
            return;
        };
        track.check = true;
        self.wait(room, now);
        self.tick(now, flow);
    }

    fn wait(&mut self, room: RoomId, due: Tick) {
        let Some(track) = self.rooms.get_mut(&room) else {
            return;
        };
        if track.due.is_none_or(|earlier| due < earlier) {
            track.due = Some(due);
        }
        self.waiting.insert(room);
    }

    /// Begins the reads whose time has come.
    pub fn tick(&mut self, now: Tick, flow: &mut Flow) {
        let rooms = &mut self.rooms;
        self.waiting.retain(|room| {
            let Some(track) = rooms.get_mut(room) else {
                return false;
            };
            let due = track.due.is_some_and(|due| due <= now);
            if due && !track.fetching {
                track.fetching = true;
                track.check = false;
                track.due = None;
                flow.fetch.push((*room, track.next.before()));
            }
            track.due.is_some()
        });
    }

    /// The soonest time at which [`Feed::tick`] has something to do.
    #[must_use]
    pub fn due(&self) -> Option<Tick> {
        let tracks = self.waiting.iter().filter_map(|room| self.rooms.get(room));
        tracks
            .filter(|track| !track.fetching)
            .filter_map(|track| track.due)
            .min()
    }

    /// What the store had after the seq that [`Flow::fetch`] named, in order, or nothing if it
    /// did not answer. `more` says that the read was cut at its limit.
    pub fn fetched(
        &mut self,
        room: RoomId,
        events: Option<Vec<Event>>,
        more: bool,
        now: Tick,
        flow: &mut Flow,
    ) {
        let Some(track) = self.rooms.get_mut(&room) else {
            return;
        };
        track.fetching = false;
        let Some(events) = events else {
            track.check = true;
            self.wait(room, now.plus(limits::FETCH_RETRY_MS));
            return;
        };
        for event in events {
            if event.seq == track.next {
                track.next = event.seq.next();
                track.reach = track.reach.max(event.seq);
                flow.released.push_back(Shared::new(event));
            }
        }
        self.drain(room, flow);
        let Some(track) = self.rooms.get_mut(&room) else {
            return;
        };
        if more {
            self.wait(room, now);
            self.tick(now, flow);
        } else if track.reach >= track.next {
            self.wait(room, now.plus(limits::FETCH_RETRY_MS));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Author, Body};
    use crate::ids::{Key, Millis, UserId};

    const ROOM: RoomId = RoomId([1; 16]);

    fn event(seq: u64) -> Event {
        Event {
            room: ROOM,
            seq: Seq(seq),
            msg_no: seq,
            v: 1,
            from: Author(UserId([1; 16]), 1),
            key: Key([seq as u8; 16]),
            ts: Millis(0),
            target: None,
            reply_to: None,
            mentions: Vec::new(),
            body: Body::Message("x".into()),
        }
    }

    /// Runs a script over a feed that follows the room from 0: `3` offers event 3, `t30` lets
    /// time pass, `f2-4` answers a read with 2..=4, `f!` fails it, `c` checks; the expectation
    /// is what came out, `r3` released, `F2` read after 2.
    fn check(script: &str, expected: &str) {
        let mut feed = Feed::default();
        let mut flow = Flow::default();
        feed.track(ROOM, Seq::ZERO, Tick(0), &mut flow);
        let mut now = Tick(0);
        let mut out = Vec::new();
        for word in script.split_whitespace() {
            if let Some(ms) = word.strip_prefix('t') {
                now = now.plus(ms.parse().expect("ms"));
                feed.tick(now, &mut flow);
            } else if word == "f!" {
                feed.fetched(ROOM, None, false, now, &mut flow);
            } else if let Some(range) = word.strip_prefix('f') {
                let (from, to) = range.split_once('-').expect("a range");
                let range = from.parse().expect("from")..=to.parse().expect("to");
                let events = range.map(event).collect();
                feed.fetched(ROOM, Some(events), false, now, &mut flow);
            } else if word == "c" {
                feed.check(ROOM, now, &mut flow);
            } else {
                feed.offer(
                    Shared::new(event(word.parse().expect("seq"))),
                    now,
                    &mut flow,
                );
            }
            out.extend(
                flow.released
                    .drain(..)
                    .map(|event| format!("r{}", event.event.seq)),
            );
            out.extend(
                flow.fetch
                    .drain(..)
                    .map(|(_room, after)| format!("F{after}")),
            );
        }
        assert_eq!(out.join(" "), expected, "{script}");
    }

    #[test]
    fn in_order_once() {
        check("1 2 3", "r1 r2 r3");
        check("1 1 2 1 2", "r1 r2");
        check("2 1 4 3 t100", "r1 r2 r3 r4");
    }

    #[test]
    fn a_gap_waits_for_the_bus_and_is_then_read_once() {
        check("1 3 t29 t1 t1000", "r1 F1");
        check("1 3 t30 4 t30 f2-3 t1000", "r1 F1 r2 r3 r4");
        check("3 t30 1 2 f1-3 4", "F0 r1 r2 r3 r4");
    }

    #[test]
    fn a_read_that_fails_or_falls_short_is_repeated() {
        check("2 t30 f! t499 t1 f1-2", "F0 F0 r1 r2");
        check("3 t30 f1-1 t499 t1 f2-3", "F0 r1 F1 r2 r3");
    }

    #[test]
    fn a_check_reads_at_once_and_is_satisfied_with_nothing() {
        check("1 c f2-1 t5000", "r1 F1");
        check("1 c f2-2 3", "r1 F1 r2 r3");
        check("1 c c f2-1 t10", "r1 F1 F1");
    }

    #[test]
    fn events_of_rooms_nobody_has_yet_are_kept_while_somebody_connects() {
        let mut feed = Feed::default();
        let mut flow = Flow::default();
        feed.offer(Shared::new(event(4)), Tick(0), &mut flow);
        feed.keep(true);
        feed.offer(Shared::new(event(6)), Tick(0), &mut flow);
        feed.offer(Shared::new(event(5)), Tick(0), &mut flow);
        feed.track(ROOM, Seq(4), Tick(0), &mut flow);
        let released: Vec<u64> = flow
            .released
            .iter()
            .map(|event| event.event.seq.0)
            .collect();
        assert_eq!(released, [5, 6]);
    }
}
